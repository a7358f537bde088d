import type { NamedTensor } from '../../src/adapter/safetensors.ts'

interface Place { readonly name: string, readonly shape: readonly number[], readonly begin: number, readonly end: number }

// Mask prompts are not trained (no gradient reaches them), and the Fourier matrix is a constant of the model (SAM_SPEC §1.5).
const FIXED = /mask_downscaling|gaussian_matrix/

/** Where each trained tensor lies in one flat vector. */
export interface Layout {
  readonly places: readonly Place[]
  readonly length: number
  /** Tensors that stay as they were drawn. */
  readonly fixed: ReadonlyMap<string, NamedTensor>
}

/** Lays the trained tensors end to end. */
export function layOut (weights: ReadonlyMap<string, NamedTensor>): Layout {
  const places: Place[] = []
  const fixed = new Map<string, NamedTensor>()
  let length = 0
  for (const [name, tensor] of weights) {
    if (FIXED.test(name)) fixed.set(name, tensor)
    else places.push({ name, shape: tensor.shape, begin: length, end: length += tensor.data.length })
  }
  return { places, length, fixed }
}

/** The trained tensors as one vector; `data` gives the numbers of one of them. */
export function flatten ({ places, length }: Layout, data: (name: string) => ArrayLike<number>): Float32Array {
  const flat = new Float32Array(length)
  for (const { name, begin } of places) flat.set(data(name), begin)
  return flat
}

/** All tensors of the model by name, the trained ones as views of `flat`. */
export function assemble ({ places, fixed }: Layout, flat: Float32Array): Map<string, NamedTensor> {
  const trained = places.map(({ name, shape, begin, end }): [string, NamedTensor] => [name, { shape, data: flat.subarray(begin, end) }])
  return new Map([...fixed, ...trained].sort(([a], [b]) => a < b ? -1 : 1))
}

/** 1 where weight decay applies (matrices and kernels), 0 for biases, norms, tokens and tables. */
export function decayMask ({ places, length }: Layout): Float32Array {
  const mask = new Float32Array(length)
  for (const { name, shape, begin, end } of places) {
    if (name.endsWith('.weight') && shape.length > 1 && !/_tokens?\.weight$|_embed\.weight$|point_embeddings/.test(name)) mask.fill(1, begin, end)
  }
  return mask
}
