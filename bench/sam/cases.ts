/** What is measured: ViT-B on one image, at three sides. */
export interface Case {
  readonly name: string
  readonly size: number
  readonly work: 'forward' | 'lora' | 'cached'
  readonly steps: number
}

const STEPS = new Map([[224, 12], [448, 6], [1024, 2]])

/** `cached`: LoRA and experts from block 8 up, features of the blocks below computed once; PyTorch has no such row. */
export const cases: readonly Case[] = [...STEPS].flatMap(([size, steps]): Case[] => [
  { name: `forward ${size}`, size, work: 'forward', steps },
  { name: `LoRA step ${size}`, size, work: 'lora', steps },
  ...size === 448
    ? [{ name: 'LoRA from block 8, 448', size, work: 'lora', steps }, {
        name: 'the same, features cached',
        size,
        work: 'cached',
        steps
      }] as const
    : []
])

export const FIRST_LATE_BLOCK = 8

/** Blocks with LoRA in a case. */
export function loraBlocks ({ name }: Case, depth: number): number[] {
  const first = name.startsWith('LoRA step') || name.startsWith('forward') ? 0 : FIRST_LATE_BLOCK
  return Array.from({ length: depth - first }, (_, index) => first + index)
}
