import { expect } from 'chai'
import fc from 'fast-check'
import { ProtocolError } from '../../../src/errors.ts'
import { DEFAULT_LIMITS, Rates } from '../../../src/protocol/adapter-exchange/limits.ts'
import {
  checkCommit,
  checkCommitted,
  checkSettled,
  checkTrailer,
  decodeAnswer,
  decodeOffer,
  encodeAnswer,
  encodeCommit,
  encodeCommitted,
  encodeOffer,
  encodeSettled,
  encodeTrailer,
  ID_BYTES,
  MAX_MESSAGE_BYTES,
  type Answer
} from '../../../src/protocol/adapter-exchange/messages.ts'
import * as wire from '../../../src/protocol/adapter-exchange/pb/exchange.ts'
import type { Codec } from '../../../src/protocol/adapter-exchange/port.ts'

const id = fc.uint8Array({ minLength: ID_BYTES, maxLength: ID_BYTES }).map((bytes) => Buffer.from(bytes).toString('hex'))
const codec = fc.constantFrom<Codec>('f32', 'f16', 'q6', 'q8', 'q16')
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const terms = fc.record({
  round: uint32,
  mass: fc.double({ noNaN: true }).map((value) => value + 0),
  clipRadius: fc.double({ noNaN: true }).map((value) => value + 0),
  steps: uint32,
  scope: fc.uint8Array({ minLength: 1, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))
}, { requiredKeys: ['round', 'mass', 'clipRadius'] })
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const refusal = fc.constantFrom('BUSY', 'SCHEMA', 'STALE', 'NOT_MEMBER', 'RATE_LIMITED', 'PAUSED').chain((refused) =>
  fc.record({ retryAfterMs: uint32, round: uint32 }, { requiredKeys: ['retryAfterMs'] }).map((rest) => ({ refused, ...rest }))
)
const answers: fc.Arbitrary<Answer> = fc.oneof(fc.record({ accepted: terms, codec }), refusal)

function expectProtocolErrorOrNothing (work: () => unknown): void {
  try {
    work()
  } catch (error) {
    expect(error).to.be.instanceOf(ProtocolError)
  }
}

describe('messages of adapter-exchange', () => {
  it('come back as they were sent, within the cap', () => {
    fc.assert(
      fc.property(terms, hash, id, answers, fc.uniqueArray(codec), codec, (stated, schemaHash, exchangeId, answer, codecs, want) => {
        const offer = encodeOffer({ ...stated, exchangeId, schemaHash, codecs, want })
        const decoded = decodeOffer(offer)
        expect(decoded).to.deep.equal({
          ...stated,
          exchangeId,
          schemaHash,
          codecs: (['f32', 'f16', 'q8', 'q16', 'q6'] as const).filter((name) => codecs.includes(name) && (name !== 'q6' || want === 'q6')),
          want: want === 'q6' && !codecs.includes('q6') ? 'q8' : want
        })
        const bytes = encodeAnswer(exchangeId, answer)
        expect(decodeAnswer(bytes, { exchangeId, codecs: ['f32', 'f16', 'q6', 'q8', 'q16'] })).to.deep.equal(answer)
        expect(Math.max(offer.length, bytes.length)).to.be.below(MAX_MESSAGE_BYTES)
      })
    )
  })

  it('of random bytes throw nothing but ProtocolError', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), id, (bytes, exchangeId) => {
      expectProtocolErrorOrNothing(() => decodeOffer(bytes))
      for (const check of [checkCommit, checkCommitted, checkSettled]) expect(() => { check(bytes, exchangeId) }).to.throw(ProtocolError)
      expect(() => decodeAnswer(bytes, { exchangeId, codecs: ['f32'] })).to.throw(ProtocolError)
      expect(() => { checkTrailer(bytes, new Uint8Array(32).fill(7)) }).to.throw(ProtocolError)
    }), { numRuns: 500 })
  })

  it('are refused with an id or hash of the wrong length, or a codec nobody knows', () => {
    const offer = {
      exchangeId: new Uint8Array(16),
      schemaHash: new Uint8Array(32),
      round: 1,
      mass: 1,
      clipRadius: 1,
      codecs: 1,
      want: wire.VectorCodec.F32
    }
    expect(decodeOffer(wire.Offer.encode(offer)).codecs).to.deep.equal(['f32'])
    expect(decodeOffer(wire.Offer.encode({ ...offer, codecs: 0x7fffffe0 })).codecs).to.deep.equal([])
    expect(() => decodeOffer(wire.Offer.encode({ ...offer, exchangeId: new Uint8Array(17) }))).to.throw(ProtocolError, /17 bytes/)
    expect(() => decodeOffer(wire.Offer.encode({ ...offer, schemaHash: new Uint8Array(31) }))).to.throw(ProtocolError, /31 bytes/)
  })

  it('say q6 so that software that knows nothing of it reads q8', () => {
    const stated = { exchangeId: '01'.repeat(16), schemaHash: '02'.repeat(32), round: 1, mass: 1, clipRadius: 1 }
    const codecs = ['q6', 'q8', 'f16', 'q16', 'f32']
    const [wanted, not] = ['q6', 'q8'].map((want) => wire.Offer.decode(encodeOffer({ ...stated, codecs, want })))
    expect([wanted!.want, not!.want]).to.deep.equal([wire.VectorCodec.Q8, wire.VectorCodec.Q8])
    expect([wanted!.codecs, not!.codecs]).to.deep.equal([0b11111, 0b01111])
  })

  it('of another exchange are not taken for this one\'s, nor a codec that was not offered', () => {
    const [mine, other] = ['01'.repeat(16), '02'.repeat(16)]
    const parts = [[encodeCommit, checkCommit], [encodeCommitted, checkCommitted], [encodeSettled, checkSettled]] as const
    for (const [encode, check] of parts) {
      check(encode(mine), mine)
      expect(() => { check(encode(other), mine) }).to.throw(ProtocolError, /another exchange/)
    }
    expect(() => decodeAnswer(encodeAnswer(other, { refused: 'BUSY', retryAfterMs: 1 }), { exchangeId: mine, codecs: [] })).to.throw(
      ProtocolError,
      /another exchange/
    )
    expect(() =>
      decodeAnswer(encodeAnswer(mine, { accepted: { round: 1, mass: 1, clipRadius: 1 }, codec: 'q8' }), {
        exchangeId: mine,
        codecs: ['f32']
      })
    ).to.throw(ProtocolError, /codec q8/)
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
