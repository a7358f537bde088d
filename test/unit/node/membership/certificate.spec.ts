import { expect } from 'chai'
import type { Federation } from '../../../../src/federation/document.ts'
import {
  countersign,
  issueHandover,
  verifyCredential,
  type Certificate,
  type Credential
} from '../../../../src/federation/membership/certificate.ts'
import { signRevocation, Standing } from '../../../../src/federation/membership/statements.ts'
import { certify, federationOf, NOW, people, VALID, type Person } from './federations.ts'

describe('certificates', () => {
  let founder: Person
  let other: Person
  let inviter: Person
  let site: Person
  let stranger: Person
  let federation: Federation
  let standing: Standing

  beforeEach(async () => {
    [founder, other, inviter, site, stranger] = await people(5) as [Person, Person, Person, Person, Person]
    federation = await federationOf([founder, other])
    standing = new Standing(federation)
  })

  async function judge (credential: Partial<Credential> | undefined, { peerId = site.peerId, now = NOW } = {}): Promise<string> {
    const verdict = await verifyCredential(credential, { federation, peerId, now, standing })
    return 'fault' in verdict ? verdict.fault : `${verdict.member.role} ${verdict.member.name}`
  }

  it('of a founder: none is needed, and no name in it counts', async () => {
    expect(await judge(undefined, { peerId: founder.peerId })).to.equal('founder founder')
    expect(await judge({}, { peerId: other.peerId })).to.equal('founder founder')
  })

  it('signed by a founder, within its time, for this site: accepted', async () => {
    expect(await judge({ certificate: await certify(federation, other, site.peerId) })).to.equal('member Mercy')
  })

  it('signed by an inviter with its own certificate: accepted for plain members only', async () => {
    const root = await certify(federation, founder, inviter.peerId, { role: 'inviter' })
    expect(await judge({ certificate: await certify(federation, inviter, site.peerId, {}, root) })).to.equal('member Mercy')
    expect(await judge({ certificate: await certify(federation, inviter, site.peerId, { role: 'inviter' }, root) })).to.equal(
      'WRONG_SIGNER'
    )
    const plain = await certify(federation, founder, inviter.peerId)
    expect(await judge({ certificate: await certify(federation, inviter, site.peerId, {}, plain) }), 'a plain member cannot admit').to
      .equal('WRONG_SIGNER')
  })

  it('five faults have five reasons', async () => {
    const certificate = await certify(federation, founder, site.peerId)
    expect(await judge({ certificate }, { now: Date.parse(VALID.to) })).to.equal('EXPIRED')
    expect(await judge({ certificate }, { now: Date.parse(VALID.from) - 1 })).to.equal('NOT_YET_VALID')
    expect(await judge({ certificate: await certify(federation, founder, site.peerId, { federation: 'ab'.repeat(32) }) })).to.equal(
      'WRONG_FEDERATION'
    )
    expect(await judge({ certificate: await certify(federation, stranger, site.peerId) })).to.equal('WRONG_SIGNER')
    await standing.learn([await signRevocation(federation.id, site.peerId, founder.key)])
    expect(await judge({ certificate })).to.equal('REVOKED')
  })

  it('none, of another site, and malformed have theirs', async () => {
    expect(await judge({})).to.equal('NONE')
    expect(await judge({ certificate: await certify(federation, founder, stranger.peerId) })).to.equal('OTHER_PEER')
    expect(await judge({ certificate: { ...await certify(federation, founder, site.peerId), more: 1 } as Certificate })).to.equal(
      'MALFORMED'
    )
  })

  it('any changed field breaks the signature', async () => {
    const certificate = await certify(federation, founder, site.peerId)
    for (
      const change of [{ name: 'Grace' }, { role: 'inviter' as const }, { from: '2026-04-01T00:00:00.000Z' }, {
        to: '2027-01-01T00:00:00.000Z'
      }, { peerId: stranger.peerId }]
    ) {
      expect(
        await judge({ certificate: { ...certificate, ...change } }, { peerId: change.peerId ?? site.peerId }),
        Object.keys(change).join()
      ).to.equal('WRONG_SIGNER')
    }
  })

  it('an expired inviter admits nobody any more, nor does a revoked one', async () => {
    const root = await certify(federation, founder, inviter.peerId, { role: 'inviter', to: '2026-05-15T00:00:00.000Z' })
    const certificate = await certify(federation, inviter, site.peerId, {}, root)
    expect(await judge({ certificate })).to.equal('EXPIRED')
    const now = Date.parse('2026-05-10T00:00:00.000Z')
    expect(await judge({ certificate }, { now })).to.equal('member Mercy')
    await standing.learn([await signRevocation(federation.id, inviter.peerId, founder.key)])
    expect(await judge({ certificate }, { now })).to.equal('REVOKED')
  })

  describe('with a quorum of two founders', () => {
    beforeEach(async () => {
      federation = await federationOf([founder, other], 2)
      standing = new Standing(federation)
    })

    it('one signature does not admit, two do, and the same one twice does not', async () => {
      const one = await certify(federation, founder, site.peerId)
      expect(await judge({ certificate: one })).to.equal('WRONG_SIGNER')
      expect(await judge({ certificate: await countersign(one, founder.key) })).to.equal('WRONG_SIGNER')
      expect(await judge({ certificate: { ...one, signatures: [...one.signatures, ...one.signatures] } })).to.equal('WRONG_SIGNER')
      expect(await judge({ certificate: await countersign(one, stranger.key) })).to.equal('WRONG_SIGNER')
      expect(await judge({ certificate: await countersign(one, other.key) })).to.equal('member Mercy')
    })

    it('one founder\'s revocation waits for the second, whichever way they meet', async () => {
      const certificate = await countersign(await certify(federation, founder, site.peerId), other.key)
      await standing.learn([await signRevocation(federation.id, site.peerId, other.key)])
      expect(await judge({ certificate })).to.equal('member Mercy')
      await standing.learn([await signRevocation(federation.id, site.peerId, founder.key)])
      expect(await judge({ certificate })).to.equal('REVOKED')
    })
  })

  describe('handed over to another key', () => {
    let certificate: Certificate
    let credential: Credential

    beforeEach(async () => {
      certificate = await certify(federation, founder, site.peerId)
      credential = {
        certificate,
        handovers: [await issueHandover({ federation: federation.id, to: stranger.peerId, at: VALID.from }, site.key)]
      }
    })

    it('the new key is the member, the old one no more once that is known', async () => {
      expect(await judge(credential, { peerId: stranger.peerId })).to.equal('member Mercy')
      expect(await judge({ certificate })).to.equal('member Mercy')
      await standing.learn([{ version: 1, kind: 'succession', credential }])
      expect(await judge(credential, { peerId: stranger.peerId })).to.equal('member Mercy')
      expect(await judge({ certificate })).to.equal('REVOKED')
    })

    it('a second hand-over of the same key comes too late', async () => {
      await standing.learn([{ version: 1, kind: 'succession', credential }])
      const thief = {
        certificate,
        handovers: [await issueHandover({ federation: federation.id, to: inviter.peerId, at: VALID.from }, site.key)]
      }
      expect(await standing.learn([{ version: 1, kind: 'succession', credential: thief }])).to.deep.equal([])
      expect(await judge(thief, { peerId: inviter.peerId })).to.equal('REVOKED')
    })

    it('revoking either key ends it', async () => {
      await standing.learn([await signRevocation(federation.id, site.peerId, founder.key)])
      expect(await judge(credential, { peerId: stranger.peerId })).to.equal('REVOKED')
    })

    it('signed by anybody else, or broken as a chain, counts for nothing', async () => {
      const forged = await issueHandover({ federation: federation.id, to: stranger.peerId, at: VALID.from }, stranger.key)
      expect(await judge({ certificate, handovers: [{ ...forged, from: site.peerId }] }, { peerId: stranger.peerId })).to.equal(
        'WRONG_SIGNER'
      )
      expect(await judge({ certificate, handovers: [forged] }, { peerId: stranger.peerId })).to.equal('OTHER_PEER')
    })
  })
})
