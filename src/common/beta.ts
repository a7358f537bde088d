import type { Random } from './random.ts'

/** One draw of the distribution Beta(α, α), α above 0 to 1 (Jöhnk 1964). In logarithms, since powers of small numbers vanish. */
export function beta (alpha: number, random: Random): number {
  for (;;) {
    const [x, y] = [Math.log(1 - random()) / alpha, Math.log(1 - random()) / alpha]
    const most = Math.max(x, y)
    const sum = most + Math.log(Math.exp(x - most) + Math.exp(y - most))
    if (sum <= 0) return Math.exp(x - sum)
  }
}
