import { mean } from '../../common/mean.ts'
import { UNKNOWN, type LabelMap } from '../../dataset/index.ts'
import type { SwappedLabels } from '../../settings/labels.ts'

/** By so much the exchange has to score better; two classes that are hard to tell apart differ by less. */
const MARGIN = 0.2

/**
 * Whether predictions agree far better with the masks when two values change places, and which two; undefined where no pair does. Masks
 * hold codes (label-map.ts).
 */
export function swappedIn (
  pairs: readonly { readonly predicted: Uint8Array, readonly truth: Uint8Array }[],
  labels: LabelMap
): SwappedLabels | undefined {
  const codes = labels.values.length
  if (codes < 3) return undefined
  const counts = together(pairs, codes)
  const found = pairsOf(codes).flatMap(([a, b]): SwappedLabels[] => {
    const concerned = labels.members.filter((member) => member[a] !== member[b])
    const dice = (exchange: boolean): number =>
      mean(concerned.map((member) => diceOf(counts, codes, member, exchange ? [a, b] : undefined)).filter(Number.isFinite))
    const [asIs, exchanged] = [dice(false), dice(true)]
    return exchanged - asIs >= MARGIN ? [{ values: [labels.values[a]!, labels.values[b]!], asIs, exchanged }] : []
  })
  return found.toSorted((a, b) => (b.exchanged - b.asIs) - (a.exchanged - a.asIs))[0]
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
