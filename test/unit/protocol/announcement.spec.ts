import { expect } from 'chai'
import fc from 'fast-check'
import { ProtocolError } from '../../../src/errors.ts'
import {
  decodeAnnouncement,
  encodeAnnouncement,
  MAX_ANNOUNCEMENT_BYTES,
  type Announcement
} from '../../../src/protocol/announce/announcement.ts'
import { AnnouncementFrame } from '../../../src/protocol/announce/pb/announcement.ts'
import { AnnouncementValidator, type Validation } from '../../../src/protocol/announce/validate.ts'

const example: Announcement = {
  round: 2,
  phase: 'cool-down',
  schemaHash: 'a'.repeat(64),
  sketch: new Float32Array(64).fill(-1.5),
  dice: 0.875,
  steps: { trained: 48, arrived: 32 },
  pace: 0.25,
  classDice: [0.5, undefined, 1],
  labelFits: { asIs: [[1, 2], [1, 253]], exchanged: [[2, 3]] },
  scored: { round: 5, dice: 0.625, images: 12 },
  software: '0.2.0',
  protocols: ['membership/1.0.0', 'outcome/1.0.0']
}

// The example as a66d159 encodes it, with 6 rounds, mass 12, digest b… and 9 exchanges.
const OF_A66D159 = '0807100218062209636f6f6c2d646f776e2900000000000028403220' + 'a'.repeat(64) + '3a20' + 'b'.repeat(64) + '428002' +
  '0000c0bf'.repeat(64) + '49000000000000ec3f5009'

function frame (changes: Partial<AnnouncementFrame>): Uint8Array {
  return AnnouncementFrame.encode({ ...AnnouncementFrame.decode(encodeAnnouncement(example, 1n)), ...changes })
}

function kind (verdict: Validation): string {
  return Object.keys(verdict)[0]!
}

describe('announcement', () => {
  it('comes back as it was sent, with and without Dice, steps, pace and fits', () => {
    expect(decodeAnnouncement(encodeAnnouncement(example, 7n))).to.deep.equal({ sequence: 7n, instance: 0, announcement: example })
    const { dice: _, steps: __, pace: ___, labelFits: ____, classDice: _____, scored: ______, ...without } = example
    const expected = { sequence: 2n ** 60n, instance: 0, announcement: without }
    expect(decodeAnnouncement(encodeAnnouncement(without, 2n ** 60n))).to.deep.equal(expected)
  })

  it('of a site without labels says so and nothing of training or scores', () => {
    const { round, phase, schemaHash, sketch, software, protocols, steps, dice, scored } = example
    const reader = { round, phase, schemaHash, sketch, software: software!, protocols, reads: true } as const
    expect(decodeAnnouncement(encodeAnnouncement(reader, 1n)).announcement).to.deep.equal(reader)
    for (const said of [{ dice: dice! }, { scored }, { steps: steps! }, { labelFits: example.labelFits! }, { classDice: [0.5] }]) {
      expect(() => decodeAnnouncement(encodeAnnouncement({ ...reader, ...said }, 1n)), Object.keys(said).join())
        .to.throw(ProtocolError, 'an announcement with an impossible score of a site without labels')
    }
  })

  it('carries the facts that a document declares, as many as it declares or none', () => {
    const facts = Float32Array.of(0.25, 12)
    const bytes = encodeAnnouncement({ ...example, facts }, 1n)
    for (const count of [undefined, 2]) expect(decodeAnnouncement(bytes, { facts: count }).announcement.facts).to.deep.equal(facts)
    expect(decodeAnnouncement(encodeAnnouncement(example, 1n), { facts: 2 }).announcement).to.deep.equal(example)
    for (const count of [0, 1, 3]) {
      expect(() => decodeAnnouncement(bytes, { facts: count })).to.throw(ProtocolError, 'an announcement with an impossible fact')
    }
    const verdict = new AnnouncementValidator({ now: () => 0, facts: 3 }).judge('a', bytes)
    expect(kind(verdict)).to.equal('reject')
  })

  it('has room for as many facts as there may be', () => {
    const facts = new Float32Array(512).fill(-1.5)
    expect(encodeAnnouncement({ ...example, facts }, 2n ** 63n).length).to.be.below(MAX_ANNOUNCEMENT_BYTES)
  })

  it('carries what software 0.1.0 demands and this one does not read, and is read without it', () => {
    const { round, rounds, mass, digest } = AnnouncementFrame.decode(encodeAnnouncement(example, 1n))
    expect(rounds >= round && rounds <= 1_000_000 && mass > 0 && mass < Infinity && digest.length === 32).to.equal(true)
    const without = frame({ rounds: 0, mass: 0, digest: new Uint8Array(), software: '', protocols: [] })
    const { software: _, ...rest } = example
    expect(decodeAnnouncement(without).announcement).to.deep.equal({ ...rest, protocols: [] })
  })

  it('of a site of a66d159 is read: bytes that it made', () => {
    const { announcement } = decodeAnnouncement(Buffer.from(OF_A66D159, 'hex'))
    expect(announcement).to.deep.equal({
      round: 2,
      phase: 'cool-down',
      schemaHash: 'a'.repeat(64),
      sketch: new Float32Array(64).fill(-1.5),
      dice: 0.875,
      protocols: []
    })
  })

  it('fits into a fraction of the cap', () => {
    expect(encodeAnnouncement(example, 2n ** 63n).length).to.be.below(MAX_ANNOUNCEMENT_BYTES / 8)
  })

  it('is refused when a field is not what an honest site sends', () => {
    const bad: Partial<AnnouncementFrame>[] = [
      { round: 1_000_001 },
      { classDice: [-0.5] },
      { globalDice: 1.5 },
      { scoredRound: 1_000_001 },
      { classDice: new Array<number>(17).fill(0) },
      { fitsAsIs: [1] },
      { fitsExchanged: [1, 256] },
      { fitsAsIs: new Array<number>(258).fill(1) },
      { phase: '' },
      { phase: 'x'.repeat(33) },
      { phase: '<b>' },
      { schemaHash: new Uint8Array(31) },
      { sketch: new Uint8Array(252) },
      { sketch: new Uint8Array(260) },
      { sketch: new Uint8Array(256).fill(0xff) },
      { facts: new Uint8Array(5) },
      { facts: new Uint8Array(4 * 513) },
      { facts: new Uint8Array(4).fill(0xff) },
      { facts: new Uint8Array(4), reads: true },
      { dice: 1.01 },
      { dice: -0.01 },
      { dice: NaN },
      { software: '<b>' },
      { software: '1'.repeat(41) },
      { protocols: ['outcome'] },
      { protocols: ['outcome/1 0'] },
      { protocols: Array.from({ length: 33 }, () => 'outcome/1.0.0') }
    ]
    decodeAnnouncement(frame({}))
    for (const changes of bad) expect(() => decodeAnnouncement(frame(changes)), JSON.stringify(changes)).to.throw(ProtocolError)
  })

  it('carries what its author shows, as long as there is room for it', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 5_000 }), (shown) => {
      const bytes = encodeAnnouncement(example, 1n, { credential: shown, instance: 2 ** 32 - 1 })
      const { credential, instance, announcement } = decodeAnnouncement(bytes)
      expect(instance).to.equal(2 ** 32 - 1)
      expect(announcement).to.deep.equal(example)
      expect(bytes.length).to.be.at.most(MAX_ANNOUNCEMENT_BYTES)
      if (shown.length < 3_000) expect(credential).to.deep.equal(shown)
      if (shown.length > MAX_ANNOUNCEMENT_BYTES) expect(credential).to.equal(undefined)
    }), { numRuns: 50 })
  })

  it('of random bytes, or too long, throws nothing but ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(() => decodeAnnouncement(bytes)).to.throw(ProtocolError)
      }),
      { numRuns: 500 }
    )
    const padding = new Uint8Array(MAX_ANNOUNCEMENT_BYTES)
    const long = frame({ schemaHash: padding })
    expect(() => decodeAnnouncement(long)).to.throw(ProtocolError, /most is 4096/)
  })
})

describe('announcement validator', () => {
  it('hears a site again whose clock was ahead once, and not what it said before that', () => {
    const [now, year] = [1_800_000_000_000, 31_536_000_000]
    const validator = new AnnouncementValidator({ now: () => now })
    const send = (sequence: number): string => kind(validator.judge('a', encodeAnnouncement(example, BigInt(sequence))))
    expect(send(now + year), 'a year ahead').to.equal('accept')
    expect(send(now + year - 1)).to.equal('ignore')
    expect([now, now, now - 1, now + 1].map(send), 'set right').to.deep.equal(['accept', 'ignore', 'ignore', 'accept'])
  })

  it('rejects a round that the federation does not have', () => {
    const validator = new AnnouncementValidator({ now: () => 0, rounds: 12 })
    expect(kind(validator.judge('a', encodeAnnouncement({ ...example, round: 12 }, 1n)))).to.equal('accept')
    expect(validator.judge('a', encodeAnnouncement({ ...example, round: 13 }, 2n))).to.deep.equal({
      reject: 'an announcement with an impossible round'
    })
  })

  it('accepts what is newer and ignores what is old, per author', () => {
    const validator = new AnnouncementValidator({ now: () => 0 })
    expect(validator.judge('a', encodeAnnouncement(example, 5n))).to.deep.equal({ accept: example })
    expect(kind(validator.judge('a', encodeAnnouncement(example, 5n)))).to.equal('ignore')
    expect(kind(validator.judge('a', encodeAnnouncement(example, 4n)))).to.equal('ignore')
    expect(kind(validator.judge('b', encodeAnnouncement(example, 4n)))).to.equal('accept')
    expect(kind(validator.judge('a', encodeAnnouncement(example, 6n)))).to.equal('accept')
  })

  it('ignores more than one a second from one author, beyond a burst of three', () => {
    let now = 0
    const validator = new AnnouncementValidator({ now: () => now })
    const send = (sequence: number): string => kind(validator.judge('a', encodeAnnouncement(example, BigInt(sequence))))
    expect([1, 2, 3, 4, 5].map(send)).to.deep.equal(['accept', 'accept', 'accept', 'ignore', 'ignore'])
    now = 1000
    expect([6, 7].map(send)).to.deep.equal(['accept', 'ignore'])
    const steady = Array.from({ length: 20 }, (_, index) => { now += 1000; return send(10 + index) })
    expect(new Set(steady)).to.deep.equal(new Set(['accept']))
  })

  it('rejects what is malformed', () => {
    const validator = new AnnouncementValidator({ now: () => 0 })
    expect(kind(validator.judge('a', Uint8Array.of(1, 2, 3)))).to.equal('reject')
    expect(kind(validator.judge('a', new Uint8Array(5000)))).to.equal('reject')
    expect(kind(validator.judge('a', frame({ dice: -3 })))).to.equal('reject')
  })
})
