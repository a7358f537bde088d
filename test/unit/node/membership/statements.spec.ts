import { expect } from 'chai'
import type { Federation } from '../../../../src/federation/document.ts'
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
import { signRevocation, Standing } from '../../../../src/federation/membership/statements.ts'
import { certify, federationOf, NOW, people, type Person } from './federations.ts'

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
