import { expect } from 'chai'
import type { Federation } from '../../../../src/federation/document.ts'
import { issueHandover, type RootCertificate } from '../../../../src/federation/membership/certificate.ts'
import {
  epochOf,
  isNewer,
  keyHash,
  keysOf,
  makeKey,
  parseKeyRing,
  requireKey,
  withKey,
  withoutExpired,
  type KeyRing
} from '../../../../src/federation/membership/key-ring.ts'
import { signRevocation, Standing, type Statement } from '../../../../src/federation/membership/statements.ts'
import { certify, federationOf, NOW, people, VALID, type Person } from './federations.ts'

async function failure (work: Promise<unknown>): Promise<string> {
  return await work.then(() => { throw new Error('it succeeded') }, (error: Error) => `${error.name}: ${error.message}`)
}

describe('what a site knows about revocations', () => {
  let founder: Person
  let second: Person
  let inviter: Person
  let site: Person
  let federation: Federation

  beforeEach(async () => {
    [founder, second, inviter, site] = await people(4) as [Person, Person, Person, Person]
    federation = await federationOf([founder, second])
  })

  it('grows to the same set at every site, in whatever order it is learnt', async () => {
    const statements = [
      await signRevocation(federation.id, site.peerId, founder.key),
      await signRevocation(federation.id, site.peerId, second.key),
      await signRevocation(federation.id, inviter.peerId, second.key)
    ]
    const [one, two] = [new Standing(federation), new Standing(federation)]
    expect(await one.learn(statements)).to.have.length(3)
    expect(await two.learn(statements.toReversed())).to.have.length(3)
    expect(Buffer.from(one.digest).equals(two.digest)).to.equal(true)
    expect(await two.learn(one.statements), 'nothing is new').to.deep.equal([])
    expect(one.revokers(site.peerId)).to.have.members([founder.peerId, second.peerId])
  })

  it('an inviter\'s word ends a plain member, not an inviter or a founder', async () => {
    const certificate = await certify(federation, founder, inviter.peerId, { role: 'inviter' })
    const standing = new Standing(federation)
    await standing.learn([
      await signRevocation(federation.id, site.peerId, inviter.key, certificate),
      await signRevocation(federation.id, founder.peerId, inviter.key, certificate)
    ])
    expect(standing.isRevoked(site.peerId, 'member')).to.equal(true)
    expect(standing.isRevoked(site.peerId, 'inviter')).to.equal(false)
    expect(standing.isRevoked(founder.peerId, 'founder')).to.equal(false)
  })

  describe('has room', () => {
    async function handedOver (by: Person, issuer?: RootCertificate): Promise<Statement> {
      const [from, to] = await people(2) as [Person, Person]
      const certificate = await certify(federation, by, from.peerId, {}, issuer)
      const handovers = [await issueHandover({ federation: federation.id, to: to.peerId, at: VALID.from }, from.key)]
      return { version: 1, kind: 'succession', credential: { certificate, handovers } }
    }

    it('for 64 hand-overs of what one inviter invited, and for what founders revoke always', async function () {
      this.timeout(60_000)
      const certificate = await certify(federation, founder, inviter.peerId, { role: 'inviter' })
      const standing = new Standing(federation)
      const flood = await Promise.all(Array.from({ length: 80 }, async () => await handedOver(inviter, certificate)))
      expect(await standing.learn(flood)).to.have.length(64)
      expect(await standing.learn([await handedOver(founder)]), 'of anybody else').to.have.length(1)
      for (let i = 0; i < 520; i++) await standing.learn([await handedOver(founder)])
      expect(standing.statements, 'all in all').to.have.length(512)
      const [revoked] = await standing.learn([await signRevocation(federation.id, site.peerId, founder.key)])
      expect(revoked).to.include({ kind: 'revocation' })
      expect(standing.isRevoked(site.peerId, 'member')).to.equal(true)
    })

    it('for no hand-over of a hand-over beside the one that is known', async () => {
      const certificate = await certify(federation, founder, site.peerId)
      const chain = async (...keys: Person[]): Promise<Statement> => {
        const handovers = await Promise.all(keys.map(async (to, index) =>
          await issueHandover({ federation: federation.id, to: to.peerId, at: VALID.from }, [site, ...keys][index]!.key)
        ))
        return { version: 1, kind: 'succession', credential: { certificate, handovers } }
      }
      const standing = new Standing(federation)
      const [first, ...more] = await people(9) as [Person, ...Person[]]
      expect(await standing.learn([await chain(first)])).to.have.length(1)
      for (const [index, key] of more.entries()) await standing.learn([await chain(key, more[(index + 1) % more.length]!)])
      expect(standing.statements).to.have.length(1)
      expect(await standing.learn([await chain(first, more[0]!)])).to.have.length(1)
      const other = new Standing(federation)
      expect(await other.learn([await chain(first, more[0]!)]), 'every step of it').to.have.length(2)
      expect(Buffer.from(other.digest).equals(standing.digest)).to.equal(true)
    })

    it('for a founder\'s signature beside those of any number of inviters', async () => {
      const inviters = await people(64)
      const standing = new Standing(federation)
      for (const each of inviters) {
        const certificate = await certify(federation, founder, each.peerId, { role: 'inviter' })
        await standing.learn([await signRevocation(federation.id, second.peerId, each.key, certificate)])
      }
      expect(standing.isRevoked(second.peerId, 'founder')).to.equal(false)
      await standing.learn([await signRevocation(federation.id, second.peerId, founder.key)])
      expect(standing.isRevoked(second.peerId, 'founder')).to.equal(true)
      expect(standing.revokers(second.peerId)).to.have.length(64)
    })
  })

  it('takes no word of an inviter whose certificate has ended, and keeps what it heard before', async () => {
    const certificate = await certify(federation, founder, inviter.peerId, { role: 'inviter' })
    const revocation = await signRevocation(federation.id, site.peerId, inviter.key, certificate)
    const [before, after] = [new Standing(federation), new Standing(federation)]
    expect(await before.learn([revocation], Date.parse(VALID.to) - 1)).to.have.length(1)
    expect(await after.learn([revocation], Date.parse(VALID.to))).to.deep.equal([])
    expect([before, after].map((each) => each.isRevoked(site.peerId, 'member'))).to.deep.equal([true, false])
    const again = new Standing(federation)
    await again.learn(before.statements)
    expect(again.isRevoked(site.peerId, 'member'), 'from its own disk').to.equal(true)
  })

  it('counts the word of an inviter no more once it is revoked itself', async () => {
    const certificate = await certify(federation, founder, inviter.peerId, { role: 'inviter' })
    const standing = new Standing(federation)
    await standing.learn([await signRevocation(federation.id, site.peerId, inviter.key, certificate)])
    await standing.learn([await signRevocation(federation.id, inviter.peerId, founder.key)])
    expect(standing.isRevoked(site.peerId, 'member')).to.equal(false)
    await standing.learn([await signRevocation(federation.id, site.peerId, founder.key)])
    expect(standing.isRevoked(site.peerId, 'member')).to.equal(true)
  })

  it('refuses with a sentence what nobody may state', async () => {
    const standing = new Standing(federation)
    const plain = await certify(federation, founder, site.peerId)
    const good = await signRevocation(federation.id, site.peerId, founder.key)
    expect(await failure(standing.learn([await signRevocation(federation.id, inviter.peerId, site.key)]))).to.match(
      /^ProtocolError: a revocation signed by 12D3KooW\w+, who may not revoke/
    )
    expect(await failure(standing.learn([await signRevocation(federation.id, inviter.peerId, site.key, plain)]))).to.contain(
      'who may not revoke'
    )
    expect(await failure(standing.learn([await signRevocation('ab'.repeat(32), site.peerId, founder.key)]))).to.contain(
      'of another federation'
    )
    expect(await failure(standing.learn([{ ...good, peerId: inviter.peerId }])), 'moved to another site').to.contain('who may not revoke')
    expect(await failure(standing.learn([{ kind: 'amnesty' }]))).to.contain('is malformed')
    expect(await failure(standing.learn([{ version: 1, kind: 'succession', credential: { certificate: plain, handovers: [] } }]))).to
      .contain('without its chain')
    expect(standing.statements).to.deep.equal([])
  })
})

describe('network keys', () => {
  let founder: Person
  let federation: Federation
  const ring: KeyRing = { current: '11'.repeat(32), previous: [] }
  const later = new Date(NOW + 60_000).toISOString()

  beforeEach(async () => {
    [founder] = await people(1) as [Person]
    federation = await federationOf([founder])
  })

  it('a new one is first, the old one counts until the overlap ends', async () => {
    const { key, statement } = await makeKey(federation, ring, founder.key, later)
    const rotated = withKey(ring, key, statement)
    expect(keysOf(rotated)).to.deep.equal([key, ring.current])
    expect(epochOf(rotated)).to.equal(1)
    expect(keysOf(withoutExpired(rotated, NOW + 59_999))).to.have.length(2)
    expect(keysOf(withoutExpired(rotated, NOW + 60_000))).to.deep.equal([key])
    expect(parseKeyRing(JSON.stringify(rotated), 'network.key')).to.deep.equal(rotated)
  })

  it('only a founder\'s counts, and only the very key that it named', async () => {
    const [stranger] = await people(1) as [Person]
    const { key, statement } = await makeKey(federation, ring, founder.key, later)
    expect(await requireKey(federation, statement, Buffer.from(key, 'hex'))).to.deep.equal(statement)
    expect(await failure(requireKey(federation, statement, Buffer.alloc(32)))).to.contain('other than the one its founder signed')
    expect(await failure(requireKey(federation, { ...statement, epoch: 9 }, Buffer.from(key, 'hex')))).to.contain('that no founder signed')
    const forged = await makeKey(federation, ring, stranger.key, later)
    expect(await failure(requireKey(federation, forged.statement, Buffer.from(forged.key, 'hex')))).to.contain('that no founder signed')
    expect(await failure(requireKey(federation, {}, Buffer.alloc(32)))).to.contain('malformed statement')
  })

  it('of two made at once all sites take the same', () => {
    const [a, b] = [{ epoch: 3, hash: 'aa' }, { epoch: 3, hash: 'bb' }]
    expect([isNewer(a, b), isNewer(b, a), isNewer(a, a)]).to.deep.equal([false, true, false])
    expect(isNewer({ epoch: 4, hash: '00' }, b)).to.equal(true)
    expect(isNewer({ epoch: 0, hash: 'ff' }, { epoch: 0, hash: '00' }), 'first keys are not compared').to.equal(false)
    expect(keyHash('ab'.repeat(32), ring.current)).not.to.contain('1111')
  })
})
