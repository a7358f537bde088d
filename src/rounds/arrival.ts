import type { Steps } from '../gossip-aggregation/unmixed.ts'
import type { Notices } from './notices.ts'

/** Rounds in a row after which a site says that its training reaches nobody. */
const SILENT = 3

/** Warns while what a site trains reaches no other site, round after round. */
export class Arrival {
  readonly #notices: Pick<Notices, 'warn' | 'over'>
  readonly #patience: number | undefined
  #rounds = 0

  /** Of a site that seals its training, after so many rounds without a group. */
  constructor (notices: Pick<Notices, 'warn' | 'over'>, { patience }: { readonly patience?: number | undefined } = {}) {
    this.#notices = notices
    this.#patience = patience
  }

  /** After an exchange. */
  exchanged ({ trained, arrived, lost }: Steps): void {
    if (trained - arrived - lost === 0) this.#notices.over('arrival', "this site's training reaches the others again")
  }

  /** After a round; `why` is said in the warning. */
  ended ({ trained, arrived, lost }: Steps, why: () => string): void {
    const waiting = trained - arrived - lost
    this.#rounds = waiting > 0 ? this.#rounds + 1 : 0
    this.exchanged({ trained, arrived, lost })
    if (this.#rounds < (this.#patience ?? SILENT)) return
    this.#notices.warn(
      'arrival',
      `the training of the last ${this.#rounds} rounds (${waiting} steps) has reached no other site: ${why()}; it is kept, and goes ` +
        `along with the next ${this.#patience == null ? 'exchange' : 'group'}`
    )
  }
}
