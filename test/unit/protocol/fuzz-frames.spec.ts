import { expect } from 'chai'
import { encode } from 'it-length-prefixed'
import { ProtocolError } from '../../../src/errors.ts'
import { CODECS, coderOf } from '../../../src/gossip-aggregation/codecs/codec.ts'
import {
  checkCommit,
  checkCommitted,
  checkSettled,
  checkTrailer,
  decodeAnswer,
  decodeOffer,
  encodeAnswer,
  encodeCommit,
  encodeOffer,
  encodeTrailer
} from '../../../src/protocol/adapter-exchange/messages.ts'
import { decodeAnnouncement, encodeAnnouncement } from '../../../src/protocol/announce/announcement.ts'
import { AnnouncementValidator } from '../../../src/protocol/announce/validate.ts'
import { decodeAcknowledgement, decodeQuery, decodeReply, encodeQuery, encodeReply } from '../../../src/protocol/outcome/messages.ts'
import { decodeAsk, decodeGet, decodeHave, encodeAsk, encodeGet, encodeHave } from '../../../src/protocol/publication/messages.ts'
import { FrameDecoder } from '../../../src/protocol/shared/frame-decoder.ts'
import { seeded } from '../../sim/site.ts'

const FRAMES = 100_000
const ID = '07'.repeat(16)
const DIGEST = new Uint8Array(32).fill(9)
const offer = { exchangeId: ID, schemaHash: 'ab'.repeat(32), round: 3, mass: 2, clipRadius: 5, codecs: ['f32', 'q8'], want: 'q8' }
const announcement = {
  round: 2,
  phase: 'cool-down',
  schemaHash: 'ab'.repeat(32),
  sketch: new Float32Array(64).fill(-1.5),
  dice: 0.875,
  software: '0.2.0',
  protocols: ['membership/1.0.0', 'outcome/1.0.0']
}
const ANNOUNCEMENT = encodeAnnouncement(announcement, 7n)

const VALID = [
  encodeOffer(offer),
  encodeAnswer(ID, { accepted: { round: 1, mass: 1, clipRadius: 1 }, codec: 'f32' }),
  encodeAnswer(ID, { refused: 'BUSY', retryAfterMs: 100 }),
  encodeCommit(ID),
  encodeTrailer(DIGEST),
  encodeQuery(ID),
  encodeReply({ verdict: 'committed', latest: ID }),
  ANNOUNCEMENT,
  encodeAsk('ab'.repeat(32)),
  encodeHave([{ kind: 'amplitude-bank', round: 3, digest: 'cd'.repeat(32) }]),
  encodeGet('amplitude-bank')
]

const DECODERS: readonly ((bytes: Uint8Array) => unknown)[] = [
  decodeOffer,
  (bytes) => decodeAnswer(bytes, offer),
  (bytes) => { checkCommit(bytes, ID) },
  (bytes) => { checkCommitted(bytes, ID) },
  (bytes) => { checkSettled(bytes, ID) },
  (bytes) => { checkTrailer(bytes, DIGEST) },
  decodeQuery,
  decodeReply,
  decodeAcknowledgement,
  decodeAnnouncement,
  decodeAsk,
  decodeHave,
  decodeGet
]

/** Random bytes, or a valid message that was cut, lengthened, or changed in some bits. */
function fuzzed (random: () => number, from: readonly Uint8Array[] = VALID): Uint8Array {
  const below = (limit: number): number => Math.floor(random() * limit)
  const noise = (length: number): Uint8Array => Uint8Array.from({ length }, () => below(256))
  const valid = from[below(from.length)]!
  switch (below(5)) {
    case 0: return noise(below(600))
    case 1: return valid.slice(0, below(valid.length))
    case 2: return Uint8Array.from([...valid, ...noise(below(40))])
    case 3: return Uint8Array.from([...valid, ...valid])
    default: {
      const changed = valid.slice()
      for (let i = below(6); i >= 0; i--) changed[below(changed.length)]! ^= 1 << below(8)
      return changed
    }
  }
}

/** ProtocolError counts as refused; anything else that is thrown fails the test. */
function refuses (work: () => unknown): boolean {
  try {
    work()
    return false
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return true
  }
}

describe('fuzzed frames', () => {
  it(`${FRAMES} of them against every message decoder: nothing but ProtocolError, most of them`, () => {
    const random = seeded(1)
    let refused = 0
    for (let i = 0; i < FRAMES; i++) if (refuses(() => DECODERS[i % DECODERS.length]!(fuzzed(random)))) refused++
    expect(refused).to.be.within(0.6 * FRAMES, FRAMES)
  }).timeout(60_000)

  it(`${FRAMES} announcements: ProtocolError or what an honest site might say, and nobody is remembered for one that is rejected`, () => {
    const random = seeded(5)
    const validator = new AnnouncementValidator({ now: () => 0 })
    let accepted = 0
    for (let i = 0; i < FRAMES; i++) {
      const bytes = fuzzed(random, [ANNOUNCEMENT])
      const refused = refuses(() => {
        const { announcement: { round, phase, sketch, dice = 0, software = '', protocols } } = decodeAnnouncement(bytes)
        expect(
          round <= 1_000_000 && dice >= 0 && dice <= 1 && /^[A-Za-z-]{1,32}$/.test(phase) && /^[\w.+-]{0,40}$/.test(software) &&
            protocols.every((each) => /^[a-z-]{1,32}\/[\w.-]{1,16}$/.test(each)) && sketch.length === 64 && sketch.every(Number.isFinite)
        ).to.equal(true)
        accepted++
      })
      if (refused && i % 10 === 0) expect(validator.judge('liar', bytes)).to.have.property('reject')
    }
    expect(accepted).to.be.within(FRAMES / 100, FRAMES / 2)
    expect(validator.judge('liar', ANNOUNCEMENT)).to.have.property('accept')
  }).timeout(60_000)

  it(`${FRAMES} of them in streams cut anywhere: frames within the cap or ProtocolError, and nothing beyond what came is held`, () => {
    const random = seeded(2)
    let seen = 0
    for (let done = 0; done < FRAMES;) {
      const decoder = new FrameDecoder()
      const cap = Math.floor(random() * 700)
      let came = 0
      refuses(() => {
        for (let i = 0; i < 20; i++, done++) {
          const frame = fuzzed(random)
          const bytes = random() < 0.8 ? encode.single(frame).subarray() : frame
          const cut = Math.floor(random() * bytes.length)
          for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
            decoder.push(piece)
            came += piece.length
            for (let next = decoder.next(cap); next != null; next = decoder.next(cap)) {
              expect(next.length).to.be.at.most(cap)
              seen++
            }
            expect(decoder.held).to.be.at.most(came)
          }
        }
      })
      done++
    }
    expect(seen).to.be.above(FRAMES / 10)
  }).timeout(60_000)

  it('as chunks: every coder reads any bytes of the right length, at any alignment', () => {
    const random = seeded(3)
    for (let i = 0; i < 2_000; i++) {
      const coder = coderOf(CODECS[i % CODECS.length]!)
      const count = 1 + Math.floor(random() * 700)
      const whole = Buffer.from(Array.from({ length: coder.bytesOf(count) + 8 }, () => Math.floor(random() * 256)))
      const bytes = whole.subarray(i % 8, i % 8 + coder.bytesOf(count))
      const values = coder.decode(bytes, count)
      expect(values.length).to.equal(count)
      expect(coder.decode(new Uint8Array(bytes), count)).to.deep.equal(values)
    }
  })
})
