import { expect } from 'chai'
import type { Federation } from '../../../../src/federation/document.ts'
import { issueHandover, nobodyAfter, verifyCredential, type Credential } from '../../../../src/federation/membership/certificate.ts'
import { signDeparture } from '../../../../src/federation/membership/departure.ts'
import { viewMembers } from '../../../../src/federation/membership/members-view.ts'
import { Standing } from '../../../../src/federation/membership/statements.ts'
import { certify, federationOf, NOW, people, VALID, type Person } from './federations.ts'

describe('a farewell', () => {
  let founder: Person
  let second: Person
  let site: Person
  let federation: Federation
  let credential: Credential

  beforeEach(async () => {
    [founder, second, site] = await people(3) as [Person, Person, Person]
    federation = await federationOf([founder, second])
    credential = { certificate: await certify(federation, founder, site.peerId), handovers: [] }
  })

  it('of a member ends its certificate, without the founders, and shows as what it is', async () => {
    const standing = new Standing(federation)
    const judged = async (): Promise<unknown> =>
      await verifyCredential(credential, { federation, peerId: site.peerId, now: NOW, standing })
    expect(await judged()).to.have.property('member')
    await standing.learn([await signDeparture({ federation, ...site, credential, now: NOW })])
    expect(await judged()).to.deep.equal({ fault: 'REVOKED' })
    expect([standing.hasLeft(site.peerId), standing.isRevoked(site.peerId, 'member')]).to.deep.equal([true, false])
    const book = [{ peerId: site.peerId, name: 'Mercy', role: 'member' as const, lastSeen: NOW }]
    const view = viewMembers({ federation, standing }, book, () => false, NOW)
    expect(view.find(({ peerId }) => peerId === site.peerId)?.standing).to.equal('left')
  })

  it('is no hand-over to another key, which is no farewell', async () => {
    const standing = new Standing(federation)
    const handovers = [await issueHandover({ federation: federation.id, to: second.peerId, at: VALID.from }, site.key)]
    await standing.learn([{ version: 1, kind: 'succession', credential: { ...credential, handovers } }])
    expect(standing.hasLeft(site.peerId)).to.equal(false)
    expect(nobodyAfter(federation.id, site.peerId)).to.match(/^12D3KooW/).and.not.equal(nobodyAfter(federation.id, second.peerId))
  })

  it('after four hand-overs is for a founder to make, and without a certificate there is none', async () => {
    const keys = [site, ...await people(4)]
    const handovers = await Promise.all(keys.slice(1).map(async ({ peerId }, i) =>
      await issueHandover({ federation: federation.id, to: peerId, at: VALID.from }, keys[i]!.key)))
    const sentence = async (shown: Credential, by: Person): Promise<string> =>
      await signDeparture({ federation, ...by, credential: shown, now: NOW }).then(() => 'signed', (error: Error) => error.message)
    expect(await sentence({ ...credential, handovers }, keys[4]!)).to.match(/cannot be once more: ask a founder for "consilium revoke 12D3/)
    expect(await sentence({ handovers: [] }, site)).to.match(/no certificate of its own/)
    expect(await sentence(credential, second), 'a founder').to.equal('signed')
  })

  it('of a founder counts once a quorum has signed, and what it admitted stays', async () => {
    federation = await federationOf([founder, second], 2)
    const standing = new Standing(federation)
    await standing.learn([await signDeparture({ federation, ...founder, credential: { handovers: [] }, now: NOW })])
    expect([standing.hasLeft(founder.peerId), standing.isRevoked(founder.peerId, 'founder')]).to.deep.equal([false, false])
    const alone = await federationOf([founder, second])
    const counted = new Standing(alone)
    await counted.learn([await signDeparture({ federation: alone, ...founder, credential: { handovers: [] }, now: NOW })])
    expect(counted.hasLeft(founder.peerId)).to.equal(true)
    const admitted = { certificate: await certify(alone, founder, site.peerId), handovers: [] }
    expect(await verifyCredential(admitted, { federation: alone, peerId: site.peerId, now: NOW, standing: counted }))
      .to.have.property('member')
  })
})
