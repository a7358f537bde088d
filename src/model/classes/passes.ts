import type { SamConfig } from '../sam/build-sam.ts'
import { readShapes } from '../sam/tensor-shapes.ts'
import type { Weights } from '../sam/weights.ts'

/** SAM's maps 1 to 3 take three classes; each three more take another pass of the decoder. */
const MAPS_PER_PASS = 3
/** What a pass has of its own. */
const OWN = /^mask_decoder\.(mask_tokens|output_hypernetworks_mlps\.[123])\b/

/** Passes of the decoder for so many classes. */
export function passesOf (classes: number): number {
  return Math.ceil(classes / MAPS_PER_PASS)
}

/** The maps of a pass: map 0 for the one class of a federation, else maps 1 to 3 as far as there are classes. */
export function mapsOf (classes: number, pass: number): readonly number[] {
  if (classes === 1) return [0]
  return Array.from({ length: Math.min(MAPS_PER_PASS, classes - MAPS_PER_PASS * pass) }, (_, m) => m + 1)
}

/** The name of what is `mask_decoder.<rest>` in the first pass. */
export function passName (pass: number, rest: string): string {
  return `mask_decoder.passes.${pass}.${rest}`
}

/** Tensors of the passes after the first, with those of the base that they begin as. */
export function passTensors (config: SamConfig, classes: number): { name: string, shape: readonly number[], base: string }[] {
  const own = [...readShapes(config)].filter(([name]) => OWN.test(name))
  return Array.from({ length: passesOf(classes) - 1 }, (_, i) => {
    const used = mapsOf(classes, i + 1)
    return own.flatMap(([base, shape]) => {
      const map = /mlps\.(\d)/.exec(base)?.[1]
      if (map != null && !used.includes(Number(map))) return []
      return [{ name: passName(i + 1, base.replace('mask_decoder.', '')), shape, base }]
    })
  }).flat()
}

/** The base with what the passes of so many classes have of their own: copies, so that every class begins as one of SAM's maps. */
export function withPasses (weights: Weights, config: SamConfig, classes: number): Weights {
  return { ...weights, ...Object.fromEntries(passTensors(config, classes).map(({ name, base }) => [name, weights[base]!])) }
}
