import type { NamedTensor } from '../../adapter/safetensors.ts'

type Tensors = Readonly<Record<string, NamedTensor>>

const NORM_EPS = 1e-5
const KERNEL = '.c.weight'
/** Channels of one head of TinyViT's attention. */
const HEAD = 32

/**
 * TinyViT's weights as the graph reads them: every batch norm in its convolution, and the joint projection of attention, stored head by
 * head, as q, k and v (docs/spec/litemedsam.md#batch-norm).
 */
export function foldNorms (weights: Tensors): Tensors {
  const read: Record<string, NamedTensor> = {}
  for (const [name, tensor] of Object.entries(weights)) {
    if (name.endsWith(KERNEL)) Object.assign(read, folded(weights, name.slice(0, -KERNEL.length)))
    else if (/^image_encoder\..*\.attn\.qkv\./.test(name)) read[name] = byPart(tensor)
    else if (!/\.bn\.\w+$/.test(name)) read[name] = tensor
  }
  return read
}

/** In float64: variances are as small as 2e-6. */
function folded (weights: Tensors, prefix: string): Record<string, NamedTensor> {
  const of = (part: string): Float32Array => weights[`${prefix}.bn.${part}`]!.data
  const { shape, data } = weights[prefix + KERNEL]!
  const [gamma, beta, mean, variance] = [of('weight'), of('bias'), of('running_mean'), of('running_var')]
  const gain = Float64Array.from(gamma, (value, o) => value / Math.sqrt(variance[o]! + NORM_EPS))
  const size = data.length / gamma.length
  return {
    [`${prefix}.weight`]: { shape, data: Float32Array.from(data, (value, i) => value * gain[Math.floor(i / size)]!) },
    [`${prefix}.bias`]: { shape: [gamma.length], data: Float32Array.from(beta, (value, o) => value - mean[o]! * gain[o]!) }
  }
}

/** Rows q, k, v of each head → all of q, all of k, all of v. */
function byPart ({ shape, data }: NamedTensor): NamedTensor {
  const heads = shape[0]! / 3 / HEAD
  const size = data.length / heads / 3
  const read = new Float32Array(data.length)
  for (let head = 0; head < heads; head++) {
    for (let part = 0; part < 3; part++) {
      const from = (3 * head + part) * size
      read.set(data.subarray(from, from + size), (part * heads + head) * size)
    }
  }
  return { shape, data: read }
}
