import { expect } from 'chai'
import fc from 'fast-check'
import { ProtocolError } from '../../../src/errors.ts'
import { CHUNK_FLOATS, chunkRanges, decodeChunk, encodeChunk } from '../../../src/protocol/adapter-exchange/chunks.ts'
import { DEFAULT_LIMITS, Rates } from '../../../src/protocol/adapter-exchange/limits.ts'
import { checkCommit, checkCommitted, checkTrailer, decodeAnswer, decodeOffer, encodeAnswer, encodeCommit, encodeCommitted, encodeOffer, encodeTrailer, ID_BYTES, MAX_MESSAGE_BYTES, type Answer } from '../../../src/protocol/adapter-exchange/messages.ts'
import * as wire from '../../../src/protocol/adapter-exchange/pb/exchange.ts'

const id = fc.uint8Array({ minLength: ID_BYTES, maxLength: ID_BYTES })
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const terms = fc.record({ round: uint32, mass: fc.double({ noNaN: true }).map((value) => value + 0), clipRadius: fc.double({ noNaN: true }).map((value) => value + 0) })
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const refusal = fc.constantFrom('BUSY', 'SCHEMA', 'STALE', 'NOT_MEMBER', 'RATE_LIMITED', 'PAUSED').chain((refused) => uint32.map((retryAfterMs) => ({ refused, retryAfterMs })))
const answers = fc.oneof(terms.map((accepted): Answer => ({ accepted })), refusal)

function expectProtocolErrorOrNothing (work: () => unknown): void {
  try {
    work()
  } catch (error) {
    expect(error).to.be.instanceOf(ProtocolError)
  }
}

describe('messages of adapter-exchange', () => {
  it('come back as they were sent, within the cap', () => {
    fc.assert(fc.property(id, terms, hash, answers, (exchangeId, stated, schemaHash, answer) => {
      const offer = encodeOffer(exchangeId, { ...stated, schemaHash, codecs: ['f32'] })
      const decoded = decodeOffer(offer)
      expect(decoded.offer).to.deep.equal({ ...stated, schemaHash, codecs: ['f32'] })
      expect([...decoded.exchangeId]).to.deep.equal([...exchangeId])
      const bytes = encodeAnswer(exchangeId, answer)
      expect(decodeAnswer(bytes, exchangeId)).to.deep.equal(answer)
      expect(Math.max(offer.length, bytes.length)).to.be.below(MAX_MESSAGE_BYTES)
    }))
  })

  it('of random bytes throw nothing but ProtocolError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), id, (bytes, exchangeId) => {
      expectProtocolErrorOrNothing(() => decodeOffer(bytes))
      for (const check of [decodeAnswer, checkCommit, checkCommitted]) expect(() => check(bytes, exchangeId)).to.throw(ProtocolError)
      expect(() => { checkTrailer(bytes, new Uint8Array(32).fill(7)) }).to.throw(ProtocolError)
    }), { numRuns: 500 })
  })

  it('are refused with an id or hash of the wrong length', () => {
    const offer = { exchangeId: new Uint8Array(16), schemaHash: new Uint8Array(32), round: 1, mass: 1, clipRadius: 1, codecs: 1 }
    expect(decodeOffer(wire.Offer.encode(offer)).offer.codecs).to.deep.equal(['f32'])
    expect(decodeOffer(wire.Offer.encode({ ...offer, codecs: 6 })).offer.codecs).to.deep.equal([])
    expect(() => decodeOffer(wire.Offer.encode({ ...offer, exchangeId: new Uint8Array(17) }))).to.throw(ProtocolError, /17 bytes/)
    expect(() => decodeOffer(wire.Offer.encode({ ...offer, schemaHash: new Uint8Array(31) }))).to.throw(ProtocolError, /31 bytes/)
  })

  it('of another exchange are not taken for this one\'s', () => {
    const [mine, other] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)]
    checkCommit(encodeCommit(mine), mine)
    checkCommitted(encodeCommitted(mine), mine)
    expect(() => { checkCommit(encodeCommit(other), mine) }).to.throw(ProtocolError, /another exchange/)
    expect(() => { checkCommitted(encodeCommitted(other), mine) }).to.throw(ProtocolError, /another exchange/)
    expect(() => decodeAnswer(encodeAnswer(other, { refused: 'BUSY', retryAfterMs: 1 }), mine)).to.throw(ProtocolError, /another exchange/)
  })

  it('carry a digest that must match in every bit', () => {
    const digest = new Uint8Array(32).fill(5)
    checkTrailer(encodeTrailer(digest), digest)
    for (let index = 0; index < 32; index++) {
      const changed = digest.slice()
      changed[index] = 4
      expect(() => { checkTrailer(encodeTrailer(changed), digest) }).to.throw(ProtocolError, /digest/)
    }
    expect(() => { checkTrailer(encodeTrailer(digest.subarray(1)), digest) }).to.throw(ProtocolError, /31 bytes/)
  })
})

describe('chunks', () => {
  it('follow from the schema\'s size alone, cover it without gap, and are full but for the last', () => {
    expect(chunkRanges(1)).to.deep.equal([{ begin: 0, end: 1 }])
    expect(chunkRanges(CHUNK_FLOATS)).to.have.length(1)
    expect(chunkRanges(CHUNK_FLOATS + 1)).to.deep.equal([{ begin: 0, end: CHUNK_FLOATS }, { begin: CHUNK_FLOATS, end: CHUNK_FLOATS + 1 }])
    expect(4 * CHUNK_FLOATS).to.equal(256 * 1024)
  })

  it('are float32 little-endian and keep every bit', () => {
    expect([...encodeChunk(Float32Array.of(1, -2))]).to.deep.equal([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0])
    fc.assert(fc.property(fc.float32Array(), (values) => {
      expect(decodeChunk(encodeChunk(values))).to.deep.equal(values)
    }))
  })
})

describe('the total time limit', () => {
  it('is the least one, or four times what the observed rate predicts', () => {
    const rates = new Rates()
    expect(rates.totalMs('a', 1000, DEFAULT_LIMITS)).to.equal(30_000)
    expect(rates.totalMs('a', 125_000_000, DEFAULT_LIMITS)).to.equal(4_000_000)
    rates.observe('a', 1_000_000, 1000)
    expect(rates.totalMs('a', 125_000_000, DEFAULT_LIMITS)).to.equal(500_000)
    expect(rates.totalMs('b', 125_000_000, DEFAULT_LIMITS)).to.equal(4_000_000)
  })
})
