import type { SamConfig } from '../sam/build-sam.ts'
import { readShapes } from '../sam/tensor-shapes.ts'
import type { Weights } from '../sam/weights.ts'

/** Of how many classes, and whether each has a pass of the decoder of its own. */
export interface Division {
  readonly classes: number
  /** false if not given: SAM's maps 1 to 3 take three classes, and each three more take another pass. */
  readonly apart?: boolean
}

const MAPS = 3
/** What a pass has of its own: beside LoRA, where every class has a pass, and where three share one. */
const [OWN_APART, OWN] = [
  /^mask_decoder\.(iou_token|mask_tokens|output_upscaling|output_hypernetworks_mlps\.[123])\b/,
  /^mask_decoder\.(mask_tokens|output_hypernetworks_mlps\.[123])\b/
]

/** Passes of the decoder for so many classes. */
export function passesOf ({ classes, apart = false }: Division): number {
  return apart ? classes : Math.ceil(classes / MAPS)
}

/** The maps of a pass: map 0 for the one class of a federation, else maps 1 to 3, as far as there are classes, or one of them. */
export function mapsOf ({ classes, apart = false }: Division, pass: number): readonly number[] {
  if (classes === 1) return [0]
  if (apart) return [1 + pass % MAPS]
  return Array.from({ length: Math.min(MAPS, classes - MAPS * pass) }, (_, m) => m + 1)
}

/** The name of what is `mask_decoder.<rest>` in the first pass. */
export function passName (pass: number, rest: string): string {
  return `mask_decoder.passes.${pass}.${rest}`
}

/** Tensors of the passes after the first, with those of the base that they begin as. */
export function passTensors (config: SamConfig, division: Division): { name: string, shape: readonly number[], base: string }[] {
  const own = [...readShapes(config)].filter(([name]) => (division.apart === true ? OWN_APART : OWN).test(name))
  return Array.from({ length: passesOf(division) - 1 }, (_, i) => {
    const used = mapsOf(division, i + 1)
    return own.flatMap(([base, shape]) => {
      const map = /mlps\.(\d)/.exec(base)?.[1]
      if (map != null && !used.includes(Number(map))) return []
      return [{ name: passName(i + 1, base.replace('mask_decoder.', '')), shape, base }]
    })
  }).flat()
}

/** The base with what the passes of so many classes have of their own: copies, so that every class begins as one of SAM's maps. */
export function withPasses (weights: Weights, config: SamConfig, division: Division): Weights {
  return { ...weights, ...Object.fromEntries(passTensors(config, division).map(({ name, base }) => [name, weights[base]!])) }
}
