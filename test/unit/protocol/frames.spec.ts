import { expect } from 'chai'
import fc from 'fast-check'
import { encode } from 'it-length-prefixed'
import { Uint8ArrayList } from 'uint8arraylist'
import { ProtocolError } from '../../../src/errors.ts'
import { MAX_FRAME_BYTES, readFrames } from '../../../src/protocol/shared/frames.ts'

/** The bytes in pieces, as a network cuts them. */
async function * pieces (bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8ArrayList> {
  let begin = 0
  for (let i = 0; begin < bytes.length; i++) {
    const end = begin + (sizes[i % sizes.length] ?? 1)
    yield new Uint8ArrayList(bytes.subarray(begin, end))
    begin = end
  }
}

async function read (bytes: Uint8Array, cap: number, sizes: readonly number[] = [7]): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = []
  for await (const frame of readFrames(pieces(bytes, sizes), () => cap)) frames.push(frame.subarray())
  return frames
}

async function failure (work: Promise<unknown>): Promise<unknown> {
  return await work.then(() => undefined, (error: unknown) => error)
}

describe('frames', () => {
  it('come out as they went in, however the network cuts them', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 }), async (frames, sizes) => {
      const bytes = new Uint8ArrayList(...frames.map((frame) => encode.single(frame))).subarray()
      const result = await read(bytes, 300, sizes)
      expect(result.map((frame) => [...frame])).to.deep.equal(frames.map((frame) => [...frame]))
    }))
  })

  it('of any random bytes either are frames within the cap or end in a ProtocolError', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 0, max: 400 }), fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 }), async (bytes, cap, sizes) => {
      const result = await read(bytes, cap, sizes).catch((error: unknown) => error)
      if (result instanceof Error) expect(result).to.be.instanceOf(ProtocolError)
      else for (const frame of result as Uint8Array[]) expect(frame.length).to.be.at.most(cap)
    }), { numRuns: 1000 })
  })

  it('may be exactly as long as the cap and not one byte longer', async () => {
    expect(await read(encode.single(new Uint8Array(100)).subarray(), 100)).to.have.length(1)
    expect(await failure(read(encode.single(new Uint8Array(101)).subarray(), 100))).to.be.instanceOf(ProtocolError)
    const largest = encode.single(new Uint8Array(MAX_FRAME_BYTES)).subarray()
    expect(await read(largest, MAX_FRAME_BYTES, [65_536])).to.have.length(1)
  })

  it('are refused by their length alone, before their bytes come', async () => {
    const announced = Uint8Array.of(0xff, 0xff, 0xff, 0x7f)
    expect(await failure(read(announced, MAX_FRAME_BYTES))).to.be.instanceOf(ProtocolError)
    expect(await failure(read(new Uint8Array(40).fill(0xff), MAX_FRAME_BYTES))).to.be.instanceOf(ProtocolError)
  })

  it('that end in the middle are named', async () => {
    const bytes = encode.single(new Uint8Array(50)).subarray()
    for (const length of [2, 20, 50]) expect(await failure(read(bytes.subarray(0, length), 50)), String(length)).to.be.instanceOf(ProtocolError)
  })
})
