import type { NamedTensor } from '../../adapter/safetensors.ts'
import type { VitConfig } from './build-sam.ts'

/** The two source positions and the weight of the second, for one output position; half-pixel centres, edges repeated. */
export interface Tap { readonly low: number, readonly high: number, readonly weight: number }

/** Taps of a linear resize from `from` to `to` samples (PyTorch's align_corners=False); never antialiased. */
export function linearTaps (from: number, to: number): Tap[] {
  return Array.from({ length: to }, (_, i) => {
    const position = Math.max(0, (i + 0.5) * from / to - 0.5)
    const low = Math.min(Math.floor(position), from - 1)
    return { low, high: Math.min(low + 1, from - 1), weight: position - low }
  })
}

/** Resizes one axis of a row-major tensor linearly to `size` samples. */
export function resizeLinear ({ shape, data }: NamedTensor, axis: number, size: number): NamedTensor {
  const from = shape[axis]!
  const inner = shape.slice(axis + 1).reduce((product, side) => product * side, 1)
  const outer = shape.slice(0, axis).reduce((product, side) => product * side, 1)
  const taps = linearTaps(from, size)
  const result = new Float32Array(outer * size * inner)
  for (let o = 0; o < outer; o++) {
    taps.forEach(({ low, high, weight }, t) => {
      const a = (o * from + low) * inner
      const b = (o * from + high) * inner
      const to = (o * size + t) * inner
      for (let i = 0; i < inner; i++) result[to + i] = data[a + i]! * (1 - weight) + data[b + i]! * weight
    })
  }
  return { shape: shape.with(axis, size), data: result }
}

/** Names of the relative-position tables that follow the image side. */
export function globalTables (config: VitConfig): string[] {
  return config.globalBlocks.flatMap((block) => ['h', 'w'].map((axis) => `image_encoder.blocks.${block}.attn.rel_pos_${axis}`))
}
