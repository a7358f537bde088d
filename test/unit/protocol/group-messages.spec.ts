import { expect } from 'chai'
import fc from 'fast-check'
import { ProtocolError } from '../../../src/errors.ts'
import * as messages from '../../../src/protocol/group-average/messages.ts'

/** Members of a group with the largest size that a document may say. */
const MOST = 31
const hex = (bytes: number): fc.Arbitrary<string> => fc.uint8Array({ minLength: bytes, maxLength: bytes })
  .map((each) => Buffer.from(each).toString('hex'))
const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
const id = hex(16)
const party = fc.record({
  id: fc.string({ maxLength: 60 }),
  key: bytes(32),
  mass: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  signature: bytes(64)
})
const report = fc.record({ mean: hex(32), vectors: fc.array(hex(32), { maxLength: MOST }), signature: bytes(64) })

function plain (value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, each: unknown) => each instanceof Uint8Array ? Buffer.from(each).toString('hex') : each))
}

describe('messages of groups', () => {
  it('come out as they went in, and a group of any size fits its frame', () => {
    fc.assert(fc.property(fc.array(party, { maxLength: MOST }), (parties) => {
      const sent = messages.encodeMembers(parties)
      expect(sent.length).to.be.at.most(messages.MAX_GROUP_BYTES)
      expect(plain(messages.decodeMembers(sent))).to.deep.equal(plain(parties))
    }))
    fc.assert(fc.property(fc.array(report, { maxLength: MOST }), (reports) => {
      const sent = messages.encodeCommit(reports)
      expect(sent.length).to.be.at.most(messages.MAX_GROUP_BYTES)
      expect(plain(messages.decodeCommit(sent))).to.deep.equal(plain(reports))
      for (const each of reports) expect(plain(messages.decodeReport(messages.encodeReport(each)))).to.deep.equal(plain(each))
    }))
    fc.assert(fc.property(id, hex(32), party, fc.array(id, { maxLength: 64 }), (groupId, schemaHash, one, ids) => {
      for (const opening of [
        { kind: 'INVITE', groupId, schemaHash }, { kind: 'VECTOR', groupId }, { kind: 'ASK', groupId }, { kind: 'ASK', groupId: undefined }
      ] as const) expect(messages.decodeOpening(messages.encodeOpening(opening))).to.deep.equal(opening)
      for (const refused of ['BUSY', 'NOT_READY', 'SCHEMA'] as const) {
        expect(messages.decodeAnswer(messages.encodeAnswer({ refused }))).to.deep.equal({ refused })
      }
      expect(plain(messages.decodeAnswer(messages.encodeAnswer({ party: one })))).to.deep.equal(plain({ party: one }))
      const reply = { verdict: 'committed', unheard: ids } as const
      expect(messages.decodeReply(messages.encodeReply(reply))).to.deep.equal(reply)
      expect(messages.decodeAcknowledgement(messages.encodeAcknowledgement(ids))).to.deep.equal(ids)
      expect(messages.decodeTrailer(messages.encodeTrailer(schemaHash))).to.equal(schemaHash)
    }))
  })

  it('are refused with a ProtocolError, whatever bytes come', () => {
    const decoders = Object.entries(messages).flatMap(([name, each]) =>
      name.startsWith('decode') ? [each as (input: Uint8Array) => unknown] : [])
    expect(decoders.length).to.be.above(6)
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
      for (const decode of decoders) {
        try {
          decode(input)
        } catch (error) {
          expect(error).to.be.instanceOf(ProtocolError)
        }
      }
    }))
  })
})
