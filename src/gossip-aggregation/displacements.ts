/** What one partner moved this site by, as sketches in steps of this site; all of it fades alike. */
interface Displaced {
  readonly sum: Float64Array
  /** The same, no exchange for more than it takes to count whole. */
  readonly pulls: Float64Array
  /** Of what is in `pulls`: the length of their sum where all point the same way. */
  lengths: number
  times: number
}

/** For a file. */
export interface DisplacedState {
  readonly sum: readonly number[]
  readonly pulls: readonly number[]
  readonly lengths: number
  readonly times: number
}

/** What a landing leaves of all that was before: a partner is judged by some twenty rounds. */
const KEPT = 0.95
/** Steps. One far exchange says no more of a partner's direction than one of this length, and one that moved nothing says nothing. */
const WHOLE = 0.5
/** Steps. More at once is a site that was far off, and comes back. */
const MOST = 4
/** Steps. Where partners differ by less, they do not differ. */
const LEAST_EXCESS = 0.1
/** Steps: so exact is a file. */
const EXACT = 1e-4

/**
 * What partners moved this site by in sum. Each exchange is mostly chance, which cancels; and what own training leaves behind all
 * partners pull at alike, which the middle one of each number stands for. What is left is where one partner alone leads this site.
 */
export class Displacements {
  readonly #byRoot = new Map<string, Displaced>()
  #middle: { readonly perExchange: Float64Array, readonly excess: number } | undefined

  add (root: string, sketch: Float64Array, step: number): void {
    const none = (): Float64Array => new Float64Array(sketch.length)
    const each = this.#byRoot.get(root) ?? { sum: none(), pulls: none(), lengths: 0, times: 0 }
    const length = Math.hypot(...sketch) / step
    sketch.forEach((value, i) => {
      each.sum[i] = each.sum[i]! + value / step * atMost(MOST, length)
      each.pulls[i] = each.pulls[i]! + value / step * atMost(WHOLE, length)
    })
    each.lengths += Math.min(length, WHOLE)
    each.times++
    this.#byRoot.set(root, each)
    this.#middle = undefined
  }

  fade (): void {
    for (const each of this.#byRoot.values()) {
      for (const vector of [each.sum, each.pulls]) vector.forEach((value, i) => { vector[i] = KEPT * value })
      each.lengths *= KEPT
      each.times *= KEPT
    }
    this.#middle = undefined
  }

  forget (root: string): void {
    this.#byRoot.delete(root)
  }

  /** How far this partner leads away from where the others do, in multiples of the middle one of `roots`; 0 of one never met. */
  excess (root: string, roots: readonly string[]): number {
    const own = this.#byRoot.get(root)
    if (own == null) return 0
    this.#middle ??= middleOf(this.#of(roots))
    return excessOf(own, this.#middle.perExchange) / Math.max(LEAST_EXCESS, this.#middle.excess)
  }

  /** From near 0, where its exchanges point anywhere, to 1, where all point the same way. */
  alignment (root: string): number {
    const { pulls, lengths } = this.#byRoot.get(root) ?? { pulls: [], lengths: 0 }
    return lengths > 0 ? Math.hypot(...pulls) / lengths : 0
  }

  /** In exchanges that count whole. */
  known (root: string): number {
    return (this.#byRoot.get(root)?.lengths ?? 0) / WHOLE
  }

  /** Undefined of one never met. */
  state (root: string): DisplacedState | undefined {
    const each = this.#byRoot.get(root)
    if (each == null) return undefined
    const { sum, pulls, lengths, times } = each
    return { sum: Array.from(sum, rounded), pulls: Array.from(pulls, rounded), lengths: rounded(lengths), times: rounded(times) }
  }

  restore (root: string, { sum, pulls, lengths, times }: DisplacedState): void {
    this.#byRoot.set(root, { sum: Float64Array.from(sum), pulls: Float64Array.from(pulls), lengths, times })
  }

  #of (roots: readonly string[]): Displaced[] {
    return roots.flatMap((root) => this.#byRoot.get(root) ?? [])
  }
}

/** Of an even number the upper one. */
export function middle (values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? 0
}

function middleOf (all: readonly Displaced[]): { perExchange: Float64Array, excess: number } {
  const perExchange = Float64Array.from(all[0]?.sum ?? [], (_, i) => middle(all.map(({ sum, times }) => sum[i]! / times)))
  return { perExchange, excess: middle(all.map((each) => excessOf(each, perExchange))) }
}

function excessOf ({ sum, times }: Displaced, perExchange: Float64Array): number {
  let squares = 0
  for (let i = 0; i < sum.length; i++) squares += (sum[i]! - times * perExchange[i]!) ** 2
  return Math.sqrt(squares)
}

function atMost (most: number, length: number): number {
  return length > most ? most / length : 1
}

function rounded (value: number): number {
  return Math.round(value / EXACT) * EXACT
}
