import bytes from '#vector-kernels'

/** Numbers of a vector that are in WebAssembly's memory at once: with what they are combined with they fit a processor's second cache. */
export const AT_ONCE = 16_384
const SLOT_BYTES = 4 * AT_ONCE
const PAGE_BYTES = 65_536
const SLOTS = 2

interface Exports {
  readonly sumOfSquares: (values: number, bytes: number) => number
  readonly combine: (one: number, factor: number, other: number, into: number, bytes: number) => number
}

interface Kernels extends Exports {
  /** Places for a slice each; a slot's address is its byteOffset. */
  readonly slots: readonly Float32Array[]
}

/** vectors.wat; undefined where a limit on addresses forbids it its memory, or the processor has no SIMD. */
export const kernels = load()

function load (): Kernels | undefined {
  try {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(SLOTS * SLOT_BYTES / PAGE_BYTES) })
    const { sumOfSquares, combine } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { js: { memory } }).exports as Exports
    return {
      sumOfSquares,
      combine,
      slots: Array.from({ length: SLOTS }, (_, slot) => new Float32Array(memory.buffer, slot * SLOT_BYTES, AT_ONCE))
    }
  } catch (error) {
    if (!(error instanceof RangeError) && (error as Error).name !== 'CompileError') throw error
    return undefined
  }
}
