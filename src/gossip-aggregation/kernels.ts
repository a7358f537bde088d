import bytes from '#vector-kernels'

/** Numbers of a vector that are in WebAssembly's memory at once: with what they are combined with they fit a processor's second cache. */
export const SLICE = 16_384
const SLICE_BYTES = 4 * SLICE
const PAGE_BYTES = 65_536
const SLOTS = 2

interface Exports {
  readonly sumOfSquares: (values: number, bytes: number) => number
  readonly combine: (one: number, factor: number, other: number, into: number, bytes: number) => number
}

interface Kernels extends Exports {
  /** Places for a slice each, and their addresses. */
  readonly slots: readonly Float32Array[]
  readonly addresses: readonly number[]
}

/** vectors.wat; undefined where a limit on addresses forbids it its memory. */
export const kernels = load()

function load (): Kernels | undefined {
  try {
    const memory = new WebAssembly.Memory({ initial: Math.ceil(SLOTS * SLICE_BYTES / PAGE_BYTES) })
    const { sumOfSquares, combine } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { js: { memory } }).exports as Exports
    const addresses = Array.from({ length: SLOTS }, (_, slot) => slot * SLICE_BYTES)
    return { sumOfSquares, combine, addresses, slots: addresses.map((address) => new Float32Array(memory.buffer, address, SLICE)) }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return undefined
  }
}
