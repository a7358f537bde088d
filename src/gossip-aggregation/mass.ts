/**
 * A site's mass: its training images up to the federation's cap, or 1 when all sites count alike.
 * @example
 * ```ts
 * import { massOf } from 'consilium'
 *
 * console.log(massOf(5_000, { weighting: 'images', maxMass: 1_000 })) // 1000
 * ```
 */
export function massOf (images: number, { weighting, maxMass }: { weighting: 'images' | 'uniform', maxMass: number }): number {
  return weighting === 'uniform' ? 1 : Math.min(images, maxMass)
}
