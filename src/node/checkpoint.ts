import type { Averager } from '../gossip-aggregation/averager.ts'
import type { AdapterStore, SavedAdapter } from './storage/adapter-store.ts'

/** Keeps the averager's state on disk: at once where the pipeline needs it, coalesced after exchanges. */
export class Checkpoint {
  readonly #averager: Pick<Averager, 'values' | 'round' | 'mass'>
  readonly #store: Pick<AdapterStore, 'save'>
  readonly #onFailure: (error: unknown) => void
  #running: Promise<void> | undefined
  #again = false

  constructor (init: { averager: Pick<Averager, 'values' | 'round' | 'mass'>, store: Pick<AdapterStore, 'save'>, onFailure: (error: unknown) => void }) {
    this.#averager = init.averager
    this.#store = init.store
    this.#onFailure = init.onFailure
  }

  /** Durable when it resolves. */
  async save (): Promise<void> {
    await this.#store.save(this.state)
  }

  /** Soon, and once for however many calls come while a save is under way. */
  schedule (): void {
    this.#again = true
    this.#running ??= this.#drain().finally(() => { this.#running = undefined })
  }

  /** Resolves when nothing scheduled is left. */
  async settled (): Promise<void> {
    await this.#running
  }

  get state (): SavedAdapter & { weight: number } {
    const { values, round, mass } = this.#averager
    return { values, round, weight: mass }
  }

  async #drain (): Promise<void> {
    while (this.#again) {
      this.#again = false
      try {
        await this.save()
      } catch (error) {
        this.#onFailure(error)
      }
    }
  }
}
