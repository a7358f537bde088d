import type { RoundRecord } from '../home/metrics-log.ts'
import { LAPSE_MS, type Notices } from './notices.ts'

/** What a model gains and loses from round to round without being another. */
const MOST_LOST = 0.02
const WEEK_MS = 7 * LAPSE_MS.day

/** Warns while what the site serves scores worse than it did a week ago. */
export class Decline {
  readonly #notices: Pick<Notices, 'warn' | 'over'>

  constructor (notices: Pick<Notices, 'warn' | 'over'>) {
    this.#notices = notices
  }

  /** After a round; oldest first. */
  ended (records: readonly RoundRecord[]): void {
    const last = records.at(-1)
    const before = (last == null ? NaN : Date.parse(last.t)) - WEEK_MS
    const former = records.findLast(({ t, dice }) => dice != null && Date.parse(t) <= before)
    if (last?.dice == null || former?.dice == null) return
    const [now, then] = [last.dice.personal, former.dice.personal]
    if (now >= then - MOST_LOST) this.#notices.over('worse', 'the model is as good as a week ago again')
    else {
      this.#notices.warn(
        'worse',
        `the model scores worse than a week ago (Dice ${now.toFixed(3)}, in round ${former.round} ${then.toFixed(3)}): ` +
          'look at new images, at labels and at the sites that joined since ("consilium evaluate --worst 5" shows where)'
      )
    }
  }
}
