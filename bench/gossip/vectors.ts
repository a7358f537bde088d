import { createSchema, type Schema } from '../../src/adapter/schema.ts'

export function benchSchema (size: number): Schema {
  return createSchema({ model: 'bench', baseHash: '0'.repeat(64), tensors: [{ name: 'lora.a', shape: [size], role: 'lora' }] })
}

/** Uniform in [−1, 1), its own for every site: xorshift32, since twenty-four of them are made for one check. */
export function numbersOf (site: number): () => number {
  let state = Math.imul(site + 1, 0x9e3779b1) | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state / 2 ** 31
  }
}

export function siteVector (site: number, size: number): Float32Array {
  const next = numbersOf(site)
  const values = new Float32Array(size)
  for (let i = 0; i < size; i++) values[i] = next()
  return values
}

/** What waits for the garbage collector would count as memory that a site needs. */
export function free ({ buffer }: Float32Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0)
}

/** ‖x − x̄‖ / ‖x̄‖, with x̄ drawn again number by number, so that it costs no memory. */
export function relativeToMean (values: Float32Array, sites: number): number {
  const sources = Array.from({ length: sites }, (_, site) => numbersOf(site))
  let [spread, norm] = [0, 0]
  for (let i = 0; i < values.length; i++) {
    let mean = 0
    for (const next of sources) mean += Math.fround(next()) / sites
    spread += (values[i]! - mean) ** 2
    norm += mean ** 2
  }
  return Math.sqrt(spread / norm)
}
