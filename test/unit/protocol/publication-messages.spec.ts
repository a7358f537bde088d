import { expect } from 'chai'
import fc from 'fast-check'
import { ProtocolError } from '../../../src/errors.ts'
import {
  decodeAsk,
  decodeGet,
  decodeHave,
  encodeAsk,
  encodeGet,
  encodeHave,
  MAX_PUBLICATION_BYTES
} from '../../../src/protocol/publication/messages.ts'
import { publicationRules, MOST_NUMBERS } from '../../../src/settings/publications.ts'
import { PUBLICATIONS } from '../../../src/settings/publication-kinds.ts'

const MOMENTS = { target: 'moments', by: 'mmd', weight: 1, warmupRounds: 0 } as const
const hash = fc.stringMatching(/^[0-9a-f]{64}$/)
const kind = fc.stringMatching(/^[a-z][a-z-]{1,15}$/)
const item = fc.record({ kind, round: fc.integer({ min: 0, max: 1_000_000 }), digest: hash })
const items = fc.uniqueArray(item, { maxLength: 4, selector: ({ kind: name }) => name })

describe('messages of publications', () => {
  it('come out as they went in, within the cap of a frame', () => {
    fc.assert(fc.property(hash, items, kind, (schema, list, wanted) => {
      expect(decodeAsk(encodeAsk(schema))).to.equal(schema)
      expect(decodeHave(encodeHave(list))).to.deep.equal(list)
      expect(decodeGet(encodeGet(wanted))).to.equal(wanted)
      expect(encodeHave(list).length).to.be.at.most(MAX_PUBLICATION_BYTES)
    }))
  })

  it('that name a kind twice, too many, or an impossible one are refused', () => {
    const one = { kind: 'amplitude-bank', round: 1, digest: 'ab'.repeat(32) }
    const many = Array.from({ length: 5 }, (_, i) => ({ ...one, kind: `kind-${'abcde'[i]}` }))
    for (const list of [[one, one], many, [{ ...one, kind: '../etc' }], [{ ...one, digest: 'ab' }], [{ ...one, round: 2_000_000 }]]) {
      expect(() => decodeHave(encodeHave(list))).to.throw(ProtocolError)
    }
    expect(() => decodeAsk(encodeAsk('ab'))).to.throw(ProtocolError)
    expect(() => decodeGet(encodeGet('A B'))).to.throw(ProtocolError)
  })

  it('are of kinds whose numbers stay below their cap whatever a document says', () => {
    const averaging = { normBound: 10 }
    const look = { weight: 1, ratio: 1, innerRate: 0, contrast: 0, temperature: 0.05, ring: 0, group: 5 }
    for (const window of [0, 1, 2, 3, 4]) {
      const training = { episode: { ...look, window }, align: MOMENTS }
      const rules = publicationRules({ method: { sharing: [...PUBLICATIONS] }, training, averaging })
      expect([...rules.keys()]).to.deep.equal([...PUBLICATIONS])
      for (const [name, { count }] of rules) expect(count === 'adapter' ? 0 : count).to.be.at.most(MOST_NUMBERS[name])
    }
    expect(publicationRules({ training: { episode: { ...look, window: 1 } }, averaging }).size).to.equal(0)
    expect(publicationRules({ method: { sharing: ['amplitude-bank'] }, training: {}, averaging }).size).to.equal(0)
  })
})
