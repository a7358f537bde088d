import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Federation } from '../../../../src/federation/document.ts'
import { issueHandover, type Certificate, type Credential } from '../../../../src/federation/membership/certificate.ts'
import type { MembershipEvent } from '../../../../src/federation/membership/events.ts'
import { makeKey, type KeyRing } from '../../../../src/federation/membership/key-ring.ts'
import { createNetworkKey } from '../../../../src/federation/membership/network-key.ts'
import { SiteMembership } from '../../../../src/federation/membership/site-membership.ts'
import { signRevocation } from '../../../../src/federation/membership/statements.ts'
import { canonicalBytes } from '../../../../src/federation/signed.ts'
import { writeJson } from '../../../../src/home/files.ts'
import { sitePaths } from '../../../../src/home/paths.ts'
import { certify, federationOf, NOW, people, VALID, type Person } from './federations.ts'

describe('a network key', () => {
  it('of an epoch that leaves no others is not taken, and that is told; an overlap without end is refused', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    const [one, other] = await people(2) as [Person, Person]
    const federation = await federationOf([one, other])
    const paths = sitePaths(folder)
    await createNetworkKey(paths.networkKey)
    const site = await SiteMembership.open({ paths, federation, key: one.key, peerId: one.peerId, now: () => NOW, onEvent: () => {} })
    const far: unknown[] = []
    site.onFarKey = (...each) => far.push(each)
    const offer = async (epoch: number): Promise<boolean> => {
      const ring = { ...site.ring, statement: { epoch: epoch - 1 } } as unknown as KeyRing
      const { key, statement } = await makeKey(federation, ring, other.key, new Date(NOW + 1_000).toISOString())
      return await site.learnKey({ statement: canonicalBytes(statement), key: Buffer.from(key, 'hex') })
    }
    expect(await offer(2 ** 32 - 1)).to.equal(false)
    expect(far).to.deep.equal([[other.peerId, 2 ** 32 - 1]])
    expect(await offer(64)).to.equal(true)
    expect((await site.rotateKey(1_000)).epoch).to.equal(65)
    const endless = await site.rotateKey(9e15).then(() => 'made', (error: Error) => `${error.name}: ${error.message}`)
    expect(endless).to.equal('InputError: the old network key can be accepted for at most 366 days more: give a shorter overlap')
    await rm(folder, { recursive: true })
  })
})

describe('one certificate', () => {
  let folder: string
  let federation: Federation
  let founder: Person
  let root: Person
  let certificate: Certificate

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'));
    [founder, root] = await people(2) as [Person, Person]
    federation = await federationOf([founder])
    certificate = await certify(federation, founder, root.peerId)
  })

  afterEach(async () => { await rm(folder, { recursive: true }) })

  async function site (name: string, own: Person = founder, onEvent: (event: MembershipEvent) => void = () => {}): Promise<SiteMembership> {
    const paths = sitePaths(join(folder, name))
    await createNetworkKey(paths.networkKey).catch(() => { /* it was opened before */ })
    return await SiteMembership.open({ paths, federation, key: own.key, peerId: own.peerId, now: () => NOW, onEvent })
  }

  /** The certificate, handed over from key to key. */
  async function handedTo (...keys: readonly Person[]): Promise<Credential> {
    const chain = [root, ...keys]
    const handovers = await Promise.all(keys.map(async (to, index) =>
      await issueHandover({ federation: federation.id, to: to.peerId, at: VALID.from }, chain[index]!.key)
    ))
    return { certificate, handovers }
  }

  const show = async (to: SiteMembership, who: Person, shown: object): Promise<string> =>
    await to.judge(who.peerId, canonicalBytes(shown)) ?? 'accepted'

  it('has one live holder, though it was handed over fifty times, published nowhere', async () => {
    const victim = await site('victim')
    const keys = await people(50)
    const verdicts = await Promise.all(keys.map(async (key) => await show(victim, key, await handedTo(key))))
    expect(verdicts.filter((each) => each === 'accepted')).to.have.length(1)
    const holder = keys[verdicts.indexOf('accepted')]!
    const late = keys[verdicts.indexOf('REVOKED')]!
    expect(victim.holderInsteadOf(late.peerId)).to.equal(holder.peerId)
    expect(await show(victim, root, { certificate }), 'the key that handed it over').to.equal('REVOKED')
    expect(keys.map(({ peerId }) => victim.rootOf(peerId) === root.peerId).filter(Boolean)).to.have.length(1)
    const again = await site('victim')
    expect(await show(again, holder, await handedTo(holder)), 'after a restart').to.equal('accepted')
    expect(await show(again, late, await handedTo(late))).to.equal('REVOKED')
  })

  it('tells the others who holds it as soon as somebody shows it', async () => {
    const [one, other] = [await site('one'), await site('other')]
    const [first, second] = await people(2) as [Person, Person]
    const told: Uint8Array[] = []
    one.onNews = (statements) => { told.push(...statements) }
    await show(one, first, await handedTo(first))
    expect(await other.learn(told)).to.have.length(1)
    expect(await show(other, second, await handedTo(second))).to.equal('REVOKED')
    expect(await show(other, first, await handedTo(first))).to.equal('accepted')
  })

  it('ends with any of its keys, those that nobody has seen too', async () => {
    const [first, second, third] = await people(3) as [Person, Person, Person]
    const [one, other] = [await site('one'), await site('other')]
    await show(one, first, await handedTo(first))
    await show(other, second, await handedTo(second))
    const { news, effective } = await one.issueRevocation(first.peerId)
    expect(effective).to.equal(true)
    await other.learn(news)
    expect(await show(one, first, await handedTo(first))).to.equal('REVOKED')
    expect(await show(other, second, await handedTo(second)), 'a branch that the founder never saw').to.equal('REVOKED')
    expect(await show(await site('new', founder), third, await handedTo(third))).to.equal('accepted')
  })

  it('is known by every key of a chain, and counted by the first', async () => {
    const [first, second, third] = await people(3) as [Person, Person, Person]
    const victim = await site('victim')
    expect(await show(victim, second, await handedTo(first, second))).to.equal('accepted')
    expect([second, root].map(({ peerId }) => victim.rootOf(peerId))).to.deep.equal([root.peerId, root.peerId])
    expect(await show(victim, third, await handedTo(first, third)), 'branches off later').to.equal('REVOKED')
    expect(await show(victim, first, await handedTo(first))).to.equal('REVOKED')
    await victim.standing.learn([await signRevocation(federation.id, first.peerId, founder.key)])
    expect(await show(victim, second, await handedTo(first, second)), 'revoked by a key between').to.equal('REVOKED')
  })

  it('revokes nobody once it has ended, which is said to whoever tries', async () => {
    const [other] = await people(1) as [Person]
    const ended = await certify(federation, founder, root.peerId, { role: 'inviter', to: new Date(NOW).toISOString() })
    const paths = sitePaths(join(folder, 'ended'))
    await writeJson(paths.certificate, { certificate: ended, handovers: [] })
    const inviter = await site('ended', root)
    const said = await inviter.issueRevocation(other.peerId).then(() => 'revoked', (error: Error) => error.message)
    expect(said).to.contain('the certificate of this site has ended')
  })

  it('handed over to somebody who did not ask for it does that one no harm', async () => {
    const [honest] = await people(1) as [Person]
    const victim = await site('victim')
    const own = { certificate: await certify(federation, founder, honest.peerId) }
    await victim.standing.learn([{ version: 1, kind: 'succession', credential: await handedTo(honest) }])
    expect(await show(victim, honest, own)).to.equal('accepted')
    expect(victim.rootOf(honest.peerId), 'counted by itself').to.equal(honest.peerId)
    await victim.issueRevocation(root.peerId)
    expect(await show(victim, honest, own)).to.equal('accepted')
    expect(victim.isOutcast(honest.peerId)).to.equal(false)
  })

  it('cannot come back to a key that it left', async () => {
    const [first] = await people(1) as [Person]
    const victim = await site('victim')
    expect(await show(victim, root, await handedTo(first, root))).to.equal('REVOKED')
    expect(victim.statements()).to.deep.equal([])
  })
})
