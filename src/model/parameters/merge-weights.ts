import type { NamedTensor } from '../../adapter/safetensors.ts'
import { InputError } from '../../errors.ts'
import type { Weights } from '../sam/weights.ts'

/** A low-rank factor B of a layer, of the whole of it or of q or v in a joint projection. */
const FACTOR = /^(.*)\.lora_B(_[qv])?$/

/**
 * The base with Γ in it, and no other tensors than SAM has: whole tensors in their places, low-rank updates added. @throws InputError for
 * what SAM has no place for
 */
export function mergeWeights (weights: Weights, gamma: ReadonlyMap<string, NamedTensor>, loraScale: number): Weights {
  const merged: Record<string, NamedTensor> = { ...weights }
  for (const [name, tensor] of gamma) {
    if (name.includes('.lora_')) continue
    if (weights[name] == null) throw new InputError(`SAM has no place for ${name}, which this federation trains: it cannot be merged`)
    merged[name] = tensor
  }
  for (const [name, b] of gamma) {
    const [, prefix, part = ''] = FACTOR.exec(name) ?? []
    if (prefix == null) continue
    const place = `${prefix}.weight`
    const { shape, data } = merged[place]!
    const sum = data.slice()
    addProduct(sum, b, gamma.get(`${prefix}.lora_A${part}`)!, { from: part === '_v' ? 2 * b.shape[0]! : 0, loraScale })
    merged[place] = { shape, data: sum }
  }
  return merged
}

/** sum += scale · B · A, in its rows from `from` on. */
function addProduct (sum: Float32Array, b: NamedTensor, a: NamedTensor, { from, loraScale }: { from: number, loraScale: number }): void {
  const [rows, rank] = b.shape as [number, number]
  const columns = a.shape[1]!
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let product = 0
      for (let r = 0; r < rank; r++) product += b.data[row * rank + r]! * a.data[r * columns + column]!
      sum[(from + row) * columns + column]! += loraScale * product
    }
  }
}
