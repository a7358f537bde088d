import { readFileSync } from 'node:fs'
import { hashTensor } from '../../../../bench/sam/hash-tensor.ts'
import { readFloatTensors, readSafetensors, type NamedTensor } from '../../../../src/adapter/safetensors.ts'
import type { HostTensor } from '../../../../src/compute/index.ts'
import { samConfig, withImageSize, type TinyVitConfig } from '../../../../src/model/sam/build-sam.ts'
import { loadWeights, prepareWeights, type Weights } from '../../../../src/model/sam/weights.ts'

function open (numbers: 'f16' | 'f32'): ReturnType<typeof readSafetensors> {
  const url = new URL(`../../../fixtures/golden/lite_medsam_golden_${numbers}.safetensors`, import.meta.url)
  return readSafetensors(new Uint8Array(readFileSync(url)))
}

const file = open('f16')

/** What the reference's file says of prompts, windows and norms. */
export const facts = JSON.parse(file.metadata['config']!) as {
  readonly prompts: Readonly<Record<string, { box: [number, number, number, number], point: [[number, number][], number[]] }>>
}

function valueIn ({ tensors }: typeof file, name: string): NamedTensor {
  const found = tensors.get(name)
  if (found == null) throw new Error(`the golden file has no ${name}`)
  return { shape: found.shape, data: Float32Array.from(found.data as Float32Array, Number) }
}

/** A stored value of the reference for LiteMedSAM's float16 weights. */
export function liteGolden (name: string): NamedTensor {
  return valueIn(file, name)
}

/** The same for the weights as they were before they were rounded. */
export function unroundedGolden (): (name: string) => NamedTensor {
  const unrounded = open('f32')
  return (name) => valueIn(unrounded, name)
}

export function hasLiteGolden (name: string): boolean {
  return file.tensors.has(name)
}

export const liteAsset = new Uint8Array(readFileSync(new URL('../../../../assets/litemedsam.safetensors', import.meta.url)))
const lite = samConfig('litemedsam') as TinyVitConfig

export function liteConfig (side = 256): TinyVitConfig {
  return withImageSize(lite, side) as TinyVitConfig
}

let read: Weights | undefined

/** The bundled weights as the graph reads them. */
export function liteWeights (): Weights {
  read ??= prepareWeights(loadWeights(lite, liteAsset).weights, lite, lite)
  return read
}

/** The bundled weights as they are stored. */
export function storedWeights (): Map<string, NamedTensor> {
  return readFloatTensors(liteAsset).tensors
}

/** The upper 24 bits of the reference's hash. */
function hashed (name: string, count: number): Uint32Array {
  return Uint32Array.from(hashTensor(name, count, 1), (value) => value * 2 ** 23 + 2 ** 23)
}

/** Pictures hold 0 and 255: min and max leave value / 255. */
function picture (side: number, value: (x: number, y: number, channel: number, i: number) => number): NamedTensor {
  const data = Float32Array.from({ length: side * side * 3 }, (_, i) => {
    const [pixel, channel] = [Math.floor(i / 3), i % 3]
    if (pixel < 2) return pixel
    return Math.min(255, Math.max(0, value(pixel % side, Math.floor(pixel / side), channel, i))) / 255
  })
  return { shape: [1, side, side, 3], data }
}

function radius (x: number, y: number, side: number): number {
  return (x - Math.floor(108 * side / 256)) ** 2 + (y - Math.floor(120 * side / 256)) ** 2
}

/** The reference's made picture: disc and ring on a slope, with noise. */
export function synth (side: number): NamedTensor {
  const u = hashed('lite:synth', side * side * 3)
  return picture(side, (x, y, c, i) => {
    const r = radius(x, y, side)
    const ground = r < Math.floor(62 * side / 256) ** 2
      ? [170, 90, 140][c]!
      : r < Math.floor(80 * side / 256) ** 2 ? [110, 130, 100][c]! : 40 + Math.floor((x + 2 * y) / 8) + 10 * c
    return ground + (u[i]! >>> 20)
  })
}

/** Its second, of noise alone. */
export function noisePicture (side: number): NamedTensor {
  const u = hashed(`lite:second${side}`, side * side * 3)
  return picture(side, (_x, _y, _c, i) => u[i]! >>> 16)
}

/** Targets of both: the disc, and a rectangle. */
export function targets64 (): NamedTensor {
  const disc = Float32Array.from({ length: 4096 }, (_, i) => radius(i % 64, Math.floor(i / 64), 64) < 15 ** 2 ? 1 : 0)
  const square = Float32Array.from({ length: 4096 }, (_, i) => {
    const [x, y] = [i % 64, Math.floor(i / 64)]
    return y >= 20 && y < 44 && x >= 8 && x < 40 ? 1 : 0
  })
  return { shape: [2, 1, 64, 64], data: Float32Array.of(...disc, ...square) }
}

/** A stored grey picture as the network takes it: min and max to 0 and 1, zeros at the right. */
export function stored (name: string): NamedTensor {
  const { shape: [height, width], data } = liteGolden(name) as { shape: [number, number], data: Float32Array }
  const [low, high] = [Math.min(...data), Math.max(...data)]
  const out = new Float32Array(256 * 256 * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) out.fill((data[y * width + x]! - low) / (high - low), (y * 256 + x) * 3, (y * 256 + x) * 3 + 3)
  }
  return { shape: [1, 256, 256, 3], data: out }
}

/** [B,H,W,C] as the reference's file samples it: about eight rows and columns, every 4th channel of more than 64 but of embeddings. */
export function sampled ({ shape, data }: HostTensor, allChannels = false): NamedTensor {
  const [batch, height, width, channels] = shape as [number, number, number, number]
  const [step, by] = [Math.floor(height / 8), channels > 64 && !allChannels ? 4 : 1]
  const from = Math.floor(step / 2)
  const places = Array.from({ length: Math.ceil((height - from) / step) }, (_, i) => from + i * step)
  const values: number[] = []
  for (let b = 0; b < batch; b++) {
    for (const y of places) {
      for (const x of places) {
        for (let c = 0; c < channels; c += by) values.push(data[((b * height + y) * width + x) * channels + c]!)
      }
    }
  }
  return { shape: [batch, places.length, places.length, Math.ceil(channels / by)], data: Float32Array.from(values) }
}

/** Masks [B,maps,L,L] at rows and columns from::by. */
export function maskSample ({ shape, data }: HostTensor, from: number, by: number): NamedTensor {
  const [batch, maps, side] = shape as [number, number, number, number]
  const places = Array.from({ length: Math.ceil((side - from) / by) }, (_, i) => from + i * by)
  const values = Array.from({ length: batch * maps }, (_, m) => places.flatMap((y) => places.map((x) => data[(m * side + y) * side + x]!)))
  return { shape: [batch, maps, places.length, places.length], data: Float32Array.from(values.flat()) }
}

/** LoRA of rank 4 on every q and v, and experts in two blocks, as the reference's training has them. */
export function liteAdapters (withExperts: boolean): Weights {
  const { stages, width } = lite
  const found: [string, number[], number][] = []
  const low = (a: string, b: string, into: number, out: number): void => {
    found.push([a, [4, into], 1 / 8], [b, [out, 4], 1 / 4])
  }
  stages.forEach(({ dim, blocks }, s) => {
    for (let i = 0; i < blocks; i++) {
      const prefix = `image_encoder.layers.${s + 1}.blocks.${i}.attn.qkv.lora`
      for (const part of ['q', 'v']) low(`${prefix}_A_${part}`, `${prefix}_B_${part}`, dim, dim)
    }
  })
  const kinds = ['self_attn', 'cross_attn_token_to_image', 'cross_attn_image_to_token']
  for (const attention of [...[0, 1].flatMap((l) => kinds.map((kind) => `layers.${l}.${kind}`)), 'final_attn_token_to_image']) {
    for (const part of ['q_proj', 'v_proj']) {
      const prefix = `mask_decoder.transformer.${attention}.${part}.lora`
      low(`${prefix}_A`, `${prefix}_B`, width, attention.endsWith('self_attn') ? width : width / 2)
    }
  }
  if (withExperts) {
    for (const [block, dim] of [['layers.2.blocks.3', 160], ['layers.3.blocks.1', 320]] as const) {
      const prefix = `image_encoder.${block}.lmoe`
      found.push(
        [`${prefix}.gate.weight`, [4, dim], 1 / 4],
        [`${prefix}.down.weight`, [4, 8, dim], 1 / 8],
        [`${prefix}.down.bias`, [4, 8], 1 / 8],
        [`${prefix}.up.weight`, [4, dim, 8], 1 / 4],
        [`${prefix}.up.bias`, [4, dim], 1 / 8]
      )
    }
  }
  return Object.fromEntries(found.map(([name, shape, amplitude]) => {
    const count = shape.reduce((product, side) => product * side, 1)
    return [name, { shape, data: hashTensor(`ext:${name}`, count, amplitude) }]
  }))
}
