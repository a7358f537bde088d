import type { BestOfRounds } from '../home/adapter-store.ts'

/** What a site says of its validation images after a round: the Dice of its global adapter. */
export interface ScoredRound {
  readonly round: number
  readonly dice: number
  /** Of its validation split. */
  readonly images: number
}

export interface BestRoundInit {
  /** Kept before a restart. */
  readonly best: BestOfRounds | undefined
  /** Keeps this site's adapter of the round; false where it is gone. */
  readonly keep: (best: BestOfRounds) => Promise<boolean>
  /** Sites that are there, this one counted. */
  readonly sites: () => number
  /** No site counts for more images. */
  readonly maxImages: number
  readonly onBest: (best: BestOfRounds) => void
  readonly onFailure: (error: unknown) => void
}

/** Rounds of which scores are kept: sites are not much farther apart. */
const MOST_ROUNDS = 16

/** Finds the round with the best score in the whole federation: the mean of at least half of the sites, weighted by validation images. */
export class BestRound {
  readonly #init: BestRoundInit
  readonly #scores = new Map<number, Map<string, ScoredRound>>()
  #best: BestOfRounds | undefined
  #keeping: Promise<void> = Promise.resolve()

  constructor (init: BestRoundInit) {
    this.#init = init
    this.#best = init.best
  }

  /** A site, by the first key of its certificate, has scored a round. */
  heard (site: string, scored: ScoredRound | undefined): void {
    if (scored == null || this.#isOld(scored.round)) return
    const scores = this.#scores.get(scored.round) ?? new Map<string, ScoredRound>()
    const before = scores.get(site)
    if (before?.dice === scored.dice && before.images === scored.images) return
    scores.set(site, scored)
    this.#scores.set(scored.round, scores)
    for (const round of this.#scores.keys()) if (this.#isOld(round)) this.#scores.delete(round)
    this.#keeping = this.#keeping.then(async () => { await this.#judge(scored.round) }).catch(this.#init.onFailure)
  }

  /** Resolves once what was heard is on disk. */
  async settled (): Promise<void> {
    await this.#keeping
  }

  #isOld (round: number): boolean {
    return round <= Math.max(0, ...this.#scores.keys()) - MOST_ROUNDS
  }

  async #judge (round: number): Promise<void> {
    const { sites, maxImages, keep, onBest } = this.#init
    const scores = [...this.#scores.get(round)?.values() ?? []]
    if (2 * scores.length < sites()) return
    const weights = scores.map(({ images }) => Math.min(images, maxImages))
    const images = weights.reduce((sum, each) => sum + each, 0)
    const dice = scores.reduce((sum, each, i) => sum + each.dice * weights[i]!, 0) / images
    const isSame = round === this.#best?.round
    if (!isSame && dice <= (this.#best?.dice ?? -1)) return
    const best = { round, dice, sites: scores.length, images }
    if (!await keep(best)) return
    this.#best = best
    if (!isSame) onBest(best)
  }
}
