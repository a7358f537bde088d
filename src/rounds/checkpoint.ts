import type { Averager } from '../gossip-aggregation/averager.ts'
import type { AdapterStore, FinishedRound, SavedAdapter } from '../home/adapter-store.ts'
import type { UnmixedStore } from '../home/unmixed-store.ts'

export interface CheckpointInit {
  readonly averager: Pick<Averager, 'state' | 'hold' | 'saved'>
  readonly store: Pick<AdapterStore, 'save'>
  readonly unmixed: Pick<UnmixedStore, 'save' | 'settle'>
  /** Awaited before a checkpoint names exchanges, which the log then forgets: the ledger has them on disk by then. */
  readonly beforeSave?: () => Promise<void>
  /** At the start. */
  readonly finished?: FinishedRound | undefined
  readonly onFailure: (error: unknown) => void
  readonly onSaved?: () => void
}

/** Exchanges that may be in the log only: so much is read again at the next start, and kept on disk until then. */
export const MOST_IN_LOG = 8

/**
 * Keeps the averager's state on disk: at once where the pipeline needs it; exchanges are durable in the log, which is emptied when it
 * has grown.
 */
export class Checkpoint {
  readonly #init: CheckpointInit
  #running: Promise<void> | undefined
  #finished: FinishedRound | undefined

  constructor (init: CheckpointInit) {
    this.#init = init
    this.#finished = init.finished
  }

  /** Durable when it resolves; says so where a round has come to its end. */
  async save (finished = this.#finished): Promise<void> {
    this.#finished = finished
    const { averager, store, unmixed, beforeSave } = this.#init
    await beforeSave?.()
    const saved = await averager.hold(async ({ values, round, mass, included, learnt, steps, unmixed: landed }) => {
      await unmixed.save(landed)
      await store.save({ values, round, weight: mass, notes: { included, learnt, steps, finished } })
      return { included, arrived: steps.arrived, landed }
    })
    await averager.saved(saved.included)
    await unmixed.settle(saved.arrived, saved.landed)
    this.#init.onSaved?.()
  }

  /** After an exchange: saves in the background once the log holds many. */
  exchanged (): void {
    if (this.#running != null || this.#init.averager.state.included.length < MOST_IN_LOG) return
    this.#running = this.save().catch(this.#init.onFailure).finally(() => { this.#running = undefined })
  }

  /** Resolves when nothing is saved in the background. */
  async settled (): Promise<void> {
    await this.#running
  }

  get state (): SavedAdapter & { weight: number } {
    const { values, round, mass } = this.#init.averager.state
    return { values, round, weight: mass }
  }
}
