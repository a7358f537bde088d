import type { Averager } from '../gossip-aggregation/averager.ts'
import type { AdapterStore, FinishedRound, SavedAdapter } from '../home/adapter-store.ts'
import type { SealedStore } from '../home/sealed-store.ts'
import type { UnmixedStore } from '../home/unmixed-store.ts'

export interface CheckpointInit {
  readonly averager: Pick<Averager, 'state' | 'hold' | 'saved'>
  readonly store: Pick<AdapterStore, 'save'>
  readonly unmixed: Pick<UnmixedStore, 'save' | 'settle'>
  /** Of a site that seals its training. */
  readonly sealed?: Pick<SealedStore, 'save' | 'settle'> | undefined
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
  #last: Promise<void> = Promise.resolve()

  constructor (init: CheckpointInit) {
    this.#init = init
    this.#finished = init.finished
  }

  /** Durable when it resolves; says so where a round has come to its end. */
  async save (finished = this.#finished): Promise<void> {
    this.#finished = finished
    // One after the other: no older state is written over a newer one.
    const saving = this.#last.catch(() => {}).then(async () => { await this.#save() })
    this.#last = saving
    await saving
  }

  async #save (): Promise<void> {
    const { averager, store, unmixed, sealed, beforeSave } = this.#init
    const finished = this.#finished
    await beforeSave?.()
    const saved = await averager.hold(async ({ values, round, mass, included, learnt, steps, unmixed: landed, sealed: delta }) => {
      await unmixed.save(landed)
      const number = sealed == null || delta == null ? undefined : await sealed.save(delta)
      await store.save({ values, round, weight: mass, notes: { included, learnt, steps, finished, sealed: number } })
      return { included, steps, landed, number }
    })
    await averager.saved(saved.included, saved.steps.trained)
    await unmixed.settle(saved.steps.arrived, saved.landed)
    if (saved.number != null) await sealed?.settle(saved.number)
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
