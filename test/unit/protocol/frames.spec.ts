import { expect } from 'chai'
import fc from 'fast-check'
import { encode } from 'it-length-prefixed'
import { Uint8ArrayList } from 'uint8arraylist'
import { ProtocolError } from '../../../src/errors.ts'
import { FrameDecoder, MAX_FRAME_BYTES } from '../../../src/protocol/shared/frame-decoder.ts'

interface Read {
  readonly frames: Uint8Array[]
  /** Nothing of a further frame has come. */
  readonly whole: boolean
}

/** Reads the bytes in pieces, as a network cuts them. */
function read (bytes: Uint8Array, cap: number, sizes: readonly number[] = [7]): Read {
  const decoder = new FrameDecoder()
  const frames: Uint8Array[] = []
  for (let begin = 0, i = 0; begin < bytes.length; i++) {
    const end = begin + (sizes[i % sizes.length] ?? 1)
    decoder.push(bytes.subarray(begin, end))
    begin = end
    for (let frame = decoder.next(cap); frame != null; frame = decoder.next(cap)) frames.push(frame.slice())
  }
  return { frames, whole: decoder.isBetween }
}

describe('frames', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 })

  it('come out as they went in, however the network cuts them', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }), sizes, (frames, cuts) => {
      const bytes = new Uint8ArrayList(...frames.map((frame) => encode.single(frame))).subarray()
      const result = read(bytes, 300, cuts)
      expect(result.frames.map((frame) => [...frame])).to.deep.equal(frames.map((frame) => [...frame]))
      expect(result.whole).to.equal(true)
    }))
  })

  it('of any random bytes either are frames within the cap or end in a ProtocolError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), fc.integer({ min: 0, max: 400 }), sizes, (bytes, cap, cuts) => {
      try {
        for (const frame of read(bytes, cap, cuts).frames) expect(frame.length).to.be.at.most(cap)
      } catch (error) {
        expect(error).to.be.instanceOf(ProtocolError)
      }
    }), { numRuns: 1000 })
  })

  it('may be exactly as long as the cap and not one byte longer', () => {
    expect(read(encode.single(new Uint8Array(100)).subarray(), 100).frames).to.have.length(1)
    expect(() => read(encode.single(new Uint8Array(101)).subarray(), 100)).to.throw(ProtocolError)
    const largest = encode.single(new Uint8Array(MAX_FRAME_BYTES).fill(3)).subarray()
    expect(read(largest, MAX_FRAME_BYTES, [65_536]).frames.map((frame) => [frame.length, frame[0], frame.at(-1)])).to.deep.equal([[
      MAX_FRAME_BYTES,
      3,
      3
    ]])
  })

  it('are refused by their length alone, before their bytes come', () => {
    expect(() => read(Uint8Array.of(0xff, 0xff, 0xff, 0x7f), MAX_FRAME_BYTES)).to.throw(ProtocolError, /does not end/)
    expect(() => read(Uint8Array.of(0xff, 0xff, 0x7f), 2 ** 30)).to.throw(ProtocolError, /2097151 bytes/)
    expect(() => read(new Uint8Array(40).fill(0xff), MAX_FRAME_BYTES)).to.throw(ProtocolError)
  })

  it('that end in the middle are not taken for whole', () => {
    const bytes = encode.single(new Uint8Array(50)).subarray()
    for (const length of [1, 2, 20, 50]) {
      expect(read(bytes.subarray(0, length), 50), String(length)).to.deep.equal({ frames: [], whole: false })
    }
  })
})
