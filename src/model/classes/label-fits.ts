import { mean } from '../../common/mean.ts'
import { UNKNOWN, type LabelMap } from '../../dataset/index.ts'
import type { LabelFits, LabelPair } from '../../settings/labels.ts'

/**
 * By so much one way has to score better; two classes that are hard to tell apart differ by less. Of 36 rounds of sites whose labels are
 * right the exchange never gained more than 0.11 (the testnet with two classes).
 */
const MARGIN = 0.2
const EXCHANGED_MARGIN = 0.15

/**
 * For which two values predictions agree far better with the masks as they are, and for which with the two exchanged: mean Dice, over all
 * images together, of the classes that the exchange concerns. Of the exchanges the best one alone. Masks hold codes (label-map.ts).
 */
export function labelFitsOf (
  pairs: readonly { readonly predicted: Uint8Array, readonly truth: Uint8Array }[],
  labels: LabelMap
): LabelFits {
  const codes = labels.values.length
  const counts = together(pairs, codes)
  const gains = pairsOf(codes).map(([a, b]) => {
    const concerned = labels.members.filter((member) => member[a] !== member[b])
    const dice = (exchange: boolean): number =>
      mean(concerned.map((member) => diceOf(counts, codes, member, exchange ? [a, b] : undefined)).filter(Number.isFinite))
    return { values: [labels.values[a]!, labels.values[b]!] as const, gain: dice(true) - dice(false) }
  })
  const valuesOf = (each: readonly { readonly values: LabelPair }[]): LabelPair[] => each.map(({ values }) => values)
  return {
    asIs: valuesOf(gains.filter(({ gain }) => gain <= -MARGIN)),
    exchanged: valuesOf(gains.filter(({ gain }) => gain >= EXCHANGED_MARGIN).toSorted((a, b) => b.gain - a.gain).slice(0, 1))
  }
}

/** Pixels by predicted code and true one, of what is known: [predicted × codes + truth]. */
function together (pairs: readonly { readonly predicted: Uint8Array, readonly truth: Uint8Array }[], codes: number): Float64Array {
  const counts = new Float64Array(codes * codes)
  for (const { predicted, truth } of pairs) {
    truth.forEach((code, i) => { if (code !== UNKNOWN && code < codes) counts[predicted[i]! * codes + code]!++ })
  }
  return counts
}

/** Every two codes but background. */
function pairsOf (codes: number): [number, number][] {
  return Array.from({ length: codes - 1 }, (_, i) => i + 1).flatMap((a) =>
    Array.from({ length: codes - 1 - a }, (_, i): [number, number] => [a, a + 1 + i]))
}

/** NaN where neither shows the class. */
function diceOf (counts: Float64Array, codes: number, member: Uint8Array, exchange: readonly [number, number] | undefined): number {
  const becomes = (truth: number): number => exchange == null || !exchange.includes(truth) ? truth : exchange[0] + exchange[1] - truth
  let [both, either] = [0, 0]
  for (let predicted = 0; predicted < codes; predicted++) {
    for (let truth = 0; truth < codes; truth++) {
      const [p, t] = [member[predicted]!, member[becomes(truth)]!]
      const count = counts[predicted * codes + truth]!
      both += p * t * count
      either += (p + t) * count
    }
  }
  return 2 * both / either
}
