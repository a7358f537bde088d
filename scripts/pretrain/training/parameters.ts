import type { NamedTensor } from '../../../src/adapter/safetensors.ts'
import { createLayout, unflatten, type Layout } from '../../../src/model/parameters/layout.ts'

// Mask prompts are not trained (no gradient reaches them), and the Fourier matrix is a constant of the model
// (docs/spec/sam.md#prompt-encoder).
const FIXED = /mask_downscaling|gaussian_matrix/

/** The model's tensors: those trained, end to end in one vector, and those that stay as they were drawn. */
export interface Parameters {
  readonly layout: Layout
  readonly fixed: Readonly<Record<string, NamedTensor>>
}

/** Parts a model's tensors. */
export function partition (weights: ReadonlyMap<string, NamedTensor>): Parameters {
  const all = [...weights]
  return {
    layout: createLayout(all.filter(([name]) => !FIXED.test(name)).map(([name, { shape }]) => ({ name, shape }))),
    fixed: Object.fromEntries(all.filter(([name]) => FIXED.test(name)))
  }
}

/** All tensors of the model in name order, the trained ones as views of `flat`. */
export function assemble ({ layout, fixed }: Parameters, flat: Float32Array): Map<string, NamedTensor> {
  return new Map([...Object.entries(fixed), ...unflatten(layout, flat)].sort(([a], [b]) => a < b ? -1 : 1))
}
