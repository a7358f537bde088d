/** 32-bit FNV-1a of an ASCII text. */
function fnv1a (text: string): number {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
  return hash >>> 0
}

/** Element i of the tensor that the hash makes for a name: offset + u·amplitude, u in [−1, 1) (docs/spec/sam.md#generated-tensors). */
export function hashTensor (name: string, count: number, amplitude: number, offset = 0): Float32Array {
  const seed = fnv1a(name)
  return Float32Array.from({ length: count }, (_, i) => {
    let x = Math.imul(i, 0x9E3779B1) ^ seed
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d)
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
    x ^= x >>> 16
    return offset + ((x >>> 8) - 2 ** 23) / 2 ** 23 * amplitude
  })
}

const NORM = /((norm[1-4]?|norm_final_attn|neck\.[13]|mask_downscaling\.[14]|output_upscaling\.1|bn)\.weight|\.running_var)$/
const TOKEN = /(iou_token|mask_tokens|no_mask_embed|not_a_point_embed|point_embeddings\.\d)\.weight$/

/** Amplitude and offset of a reference weight, by its name. */
export function weightScale (name: string, shape: readonly number[]): { amplitude: number, offset: number } {
  const fixed: [boolean, number][] = [
    [NORM.test(name), 1 / 4],
    [/\.(bias|running_mean)$/.test(name), 1 / 8],
    [name.includes('rel_pos_'), 1 / 4],
    [/(pos_embed|attention_biases)$/.test(name), 1 / 2],
    [name.endsWith('gaussian_matrix'), 1],
    [TOKEN.test(name), 1 / 2]
  ]
  const found = fixed.find(([matches]) => matches)
  if (found != null) return { amplitude: found[1], offset: NORM.test(name) ? 1 : 0 }
  const transposed = /output_upscaling\.[03]\.weight$/.test(name)
  const fanIn = transposed ? shape[0]! : shape.slice(1).reduce((product, side) => product * side, 1)
  const kappa = Math.floor(Math.log2(fanIn) / 2)
  const doubled = name.startsWith('mask_decoder.') || /\.attn\.(qkv|proj)\./.test(name)
  return { amplitude: 2 ** -kappa * (doubled ? 2 : 1), offset: 0 }
}
