/** What is measured: ViT-B on one image at three sides, LiteMedSAM on two at two. */
export interface Case {
  readonly name: string
  readonly model: 'vit-b' | 'litemedsam'
  readonly size: number
  readonly batch: number
  readonly work: 'forward' | 'lora' | 'cached'
  /** The first block with LoRA. */
  readonly first: number
  readonly steps: number
  /** PyTorch does the same. */
  readonly compared: boolean
}

const LATE = 8

/** `cached`: LoRA from block 8 up, features of the blocks below computed once. */
function vitCases (size: number, steps: number): Case[] {
  const common = { model: 'vit-b', size, batch: 1, steps } as const
  return [
    { ...common, name: `forward ${size}`, work: 'forward', first: 0, compared: true },
    { ...common, name: `LoRA step ${size}`, work: 'lora', first: 0, compared: true },
    ...size === 448
      ? [
          { ...common, name: 'LoRA from block 8, 448', work: 'lora', first: LATE, compared: false },
          { ...common, name: 'the same, features cached', work: 'cached', first: LATE, compared: false }
        ] as const
      : []
  ]
}

function liteCases (size: number, steps: number): Case[] {
  const common = { model: 'litemedsam', size, batch: 2, steps, compared: true } as const
  return [
    { ...common, name: `LiteMedSAM forward ${size}`, work: 'forward', first: 0 },
    { ...common, name: `LiteMedSAM LoRA step ${size}`, work: 'lora', first: 0 },
    { ...common, name: `LiteMedSAM from block 8, cached, ${size}`, work: 'cached', first: LATE }
  ]
}

export const cases: readonly Case[] = [
  ...vitCases(224, 12),
  ...vitCases(448, 6),
  ...vitCases(1024, 2),
  ...liteCases(128, 12),
  ...liteCases(256, 4)
]

/** Blocks with LoRA in a case. */
export function loraBlocks ({ first }: Case, depth: number): number[] {
  return Array.from({ length: depth - first }, (_, index) => first + index)
}
