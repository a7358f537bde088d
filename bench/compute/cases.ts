/** What is measured: stacks of ViT-B blocks (docs/spec/compute.md#measured), one training step each. */
export interface Case {
  readonly name: string
  readonly depth: number
  readonly tokens: number
  /** Trains every parameter instead of the LoRA factors alone. */
  readonly all: boolean
  readonly steps: number
  /** tfjs-wasm needs 10 s and more for one step: only where that is bearable. */
  readonly wasmSteps: number | null
}

export const cases: readonly Case[] = [
  { name: '1x1024', depth: 1, tokens: 1024, all: false, steps: 12, wasmSteps: 2 },
  { name: '2x1024', depth: 2, tokens: 1024, all: false, steps: 10, wasmSteps: null },
  { name: '12x196', depth: 12, tokens: 196, all: false, steps: 12, wasmSteps: null },
  { name: '2x196-all', depth: 2, tokens: 196, all: true, steps: 16, wasmSteps: null }
]
