import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ProtocolError } from '../../../../src/errors.ts'
import type { Federation } from '../../../../src/federation/document.ts'
import {
  countersign, issueCertificate, issueHandover, type Certificate, type Credential
} from '../../../../src/federation/membership/certificate.ts'
import type { MembershipEvent } from '../../../../src/federation/membership/events.ts'
import { readCredential } from '../../../../src/federation/membership/files.ts'
import { createNetworkKey } from '../../../../src/federation/membership/network-key.ts'
import { SiteMembership } from '../../../../src/federation/membership/site-membership.ts'
import { signRevocation } from '../../../../src/federation/membership/statements.ts'
import { canonicalBytes, parseBytes } from '../../../../src/federation/signed.ts'
import { writeCheckedJson } from '../../../../src/home/checksum.ts'
import { sitePaths } from '../../../../src/home/paths.ts'
import { federationOf, people, type Person } from './federations.ts'

const DAY_MS = 86_400_000
const FROM = Date.parse('2026-01-01T00:00:00.000Z')
const iso = (days: number): string => new Date(FROM + days * DAY_MS).toISOString()

describe('a certificate that ends soon', () => {
  let folder: string
  let founders: readonly [Person, Person]
  let member: Person
  let inviter: Person
  let federation: Federation
  let day: number
  let told: MembershipEvent[]

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    const [one, two, third, fourth] = await people(4) as [Person, Person, Person, Person]
    ;[founders, member, inviter] = [[one, two], third, fourth]
    federation = await federationOf([one])
    ;[day, told] = [340, []]
  })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  const certify = async (by: Person, days = 365, more: object = {}): Promise<Certificate> => await issueCertificate({
    federation: federation.id, peerId: member.peerId, name: 'South', role: 'member', from: iso(0), to: iso(days), ...more
  }, by.key)

  async function open (who: Person, shown?: Credential, renewsNothing = false): Promise<SiteMembership> {
    const paths = sitePaths(join(folder, who.peerId))
    await createNetworkKey(paths.networkKey).catch(() => { /* it was opened before */ })
    if (shown != null) await writeCheckedJson(paths.certificate, shown)
    const now = (): number => FROM + day * DAY_MS
    const onEvent = (event: MembershipEvent): void => { told.push(event) }
    return await SiteMembership.open({ paths, federation, key: who.key, peerId: who.peerId, now, onEvent, renewsNothing })
  }

  const saved = async (who: Person): Promise<Certificate> =>
    (await readCredential(sitePaths(join(folder, who.peerId)).certificate)).certificate!

  it('is followed by one as long, which a founder signs and the member shows and keeps from then on', async () => {
    const credential = { certificate: await certify(founders[0]), handovers: [] }
    const [founder, own] = [await open(founders[0]), await open(member, credential)]
    const next = (await founder.renewals.forPeer(member.peerId, canonicalBytes(credential)))!
    expect(parseBytes(next)).to.deep.include({ from: iso(320), to: iso(685), name: 'South', role: 'member', peerId: member.peerId })
    await own.renewals.learn(founders[0].peerId, next)
    expect(own.validTo).to.equal(iso(685))
    expect((await saved(member)).to).to.equal(iso(685))
    day = 600
    expect(await own.ownFault()).to.equal(undefined)
    expect(await founder.judge(member.peerId, own.greeting().credential)).to.equal(undefined)
    expect(told.map((each) => 'event' in each ? each.event : each.kind)).to.deep.equal(['renewal signed', 'renewed'])
    day = 340
    await own.renewals.learn(founders[0].peerId, next)
    expect(told, 'the same once more is nothing').to.have.length(2)
  })

  it('is renewed in its last 45 days, not before, not after, not a short one, and not where people want to decide', async () => {
    const due = async (at: number, days: number, nothing = false): Promise<boolean> => {
      day = at
      const shown = canonicalBytes({ certificate: await certify(founders[0], days), handovers: [] })
      return await (await open(founders[0], undefined, nothing)).renewals.forPeer(member.peerId, shown) != null
    }
    expect(await Promise.resolve([
      await due(320, 365), await due(321, 365), await due(366, 365), await due(50, 100), await due(56, 100), await due(80, 89),
      await due(340, 365, true)
    ])).to.deep.equal([false, true, false, false, true, false, false])
  })

  it('is signed and told once, however often it is asked for', async () => {
    const credential = canonicalBytes({ certificate: await certify(founders[0]), handovers: [] })
    const founder = await open(founders[0])
    const signed = [await founder.renewals.forPeer(member.peerId, credential), await founder.renewals.forPeer(member.peerId, credential)]
    expect(signed[0]).to.equal(signed[1])
    expect(told).to.have.length(1)
  })

  it('of a founder is none: whatever a founder shows, another one signs nothing', async () => {
    federation = await federationOf([...founders], 2)
    const unsigned = { ...await certify(founders[0], 365, { peerId: inviter.peerId, role: 'inviter' }), signatures: [] }
    const forged = [unsigned, await certify(founders[0], 365, { peerId: founders[0].peerId })]
    for (const certificate of forged) {
      const shown = canonicalBytes({ certificate, handovers: [] })
      expect(await (await open(founders[1])).renewals.forPeer(founders[0].peerId, shown)).to.equal(undefined)
    }
    expect(told).to.deep.equal([])
  })

  it('is not held up by what members, former founders and other inviters sign', async () => {
    const credential = { certificate: await certify(founders[0]), handovers: [] }
    const [founder, own] = [await open(founders[0]), await open(member, credential)]
    const next = (await founder.renewals.forPeer(member.peerId, canonicalBytes(credential)))!
    for (const other of [inviter, founders[1]]) {
      await own.renewals.learn(other.peerId, canonicalBytes(await certify(other, 685, { from: iso(320) })))
    }
    expect(own.validTo).to.equal(iso(365))
    await own.renewals.learn(founders[0].peerId, next)
    expect(own.validTo).to.equal(iso(685))
  })

  it('waits for this site\'s own clock, and gives way to one that was joined with meanwhile', async () => {
    const credential = { certificate: await certify(founders[0]), handovers: [] }
    const [founder, own] = [await open(founders[0]), await open(member, credential)]
    const next = (await founder.renewals.forPeer(member.peerId, canonicalBytes(credential)))!
    day = 319
    await own.renewals.learn(founders[0].peerId, next)
    expect(own.validTo).to.equal(iso(365))
    day = 321
    await own.tend()
    expect(own.validTo).to.equal(iso(685))

    const late = await open(member, credential)
    const joined = { certificate: await certify(founders[0], 800), handovers: [] }
    await writeCheckedJson(sitePaths(join(folder, member.peerId)).certificate, joined)
    await late.renewals.learn(founders[0].peerId, next)
    await late.tend()
    expect(late.validTo).to.equal(iso(800))
  })

  it('is not renewed once anybody who may has signed that its site is to go', async () => {
    federation = await federationOf([...founders], 2)
    const certificate = await countersign(await certify(founders[0]), founders[1].key)
    const founder = await open(founders[0])
    await founder.learn([canonicalBytes(await signRevocation(federation.id, member.peerId, founders[0].key))])
    expect(founder.isOutcast(member.peerId), 'one of two').to.equal(false)
    expect(await founder.renewals.forPeer(member.peerId, canonicalBytes({ certificate, handovers: [] }))).to.equal(undefined)
  })

  it('is not renewed for whom was revoked, nor by a member', async () => {
    const credential = { certificate: await certify(founders[0]), handovers: [] }
    const founder = await open(founders[0])
    await founder.learn([canonicalBytes(await signRevocation(federation.id, member.peerId, founders[0].key))])
    expect(await founder.renewals.forPeer(member.peerId, canonicalBytes(credential))).to.equal(undefined)
    const other = { certificate: await certify(founders[0], 365, { peerId: inviter.peerId }), handovers: [] }
    expect(await (await open(inviter, other)).renewals.forPeer(member.peerId, canonicalBytes(credential))).to.equal(undefined)
  })

  it('needs as many founders as the quorum says, and goes on holding until they have come', async () => {
    federation = await federationOf([...founders], 2)
    const certificate = await countersign(await certify(founders[0]), founders[1].key)
    const credential = { certificate, handovers: [] }
    const own = await open(member, credential)
    for (const [i, who] of founders.entries()) {
      const next = (await (await open(who)).renewals.forPeer(member.peerId, canonicalBytes(credential)))!
      await own.renewals.learn(who.peerId, next)
      expect(own.validTo).to.equal(i === 0 ? iso(365) : iso(685))
      expect(await own.ownFault()).to.equal(undefined)
    }
  })

  it('of an inviter\'s member is the inviter\'s to renew, with what the inviter itself has by then', async () => {
    const root = { federation: federation.id, peerId: inviter.peerId, name: 'Hub', role: 'inviter' as const, from: iso(0), to: iso(365) }
    const [old, newer] = [await issueCertificate(root, founders[0].key), await issueCertificate({ ...root, to: iso(900) }, founders[0].key)]
    const body = { federation: federation.id, peerId: member.peerId, name: 'South', role: 'member' as const, from: iso(0), to: iso(365) }
    const credential = { certificate: await issueCertificate(body, inviter.key, old), handovers: [] }
    const own = await open(member, credential)
    expect(await (await open(founders[0])).renewals.forPeer(member.peerId, canonicalBytes(credential))).to.equal(undefined)
    const hub = await open(inviter, { certificate: newer, handovers: [] })
    await own.renewals.learn(inviter.peerId, (await hub.renewals.forPeer(member.peerId, canonicalBytes(credential)))!)
    expect([own.validTo, (await saved(member)).issuer?.to]).to.deep.equal([iso(685), iso(900)])
    day = 600
    expect(await own.ownFault()).to.equal(undefined)
  })

  it('keeps its hand-overs', async () => {
    const certificate = await certify(founders[0])
    const handover = await issueHandover({ federation: federation.id, to: inviter.peerId, at: iso(10) }, member.key)
    const credential = { certificate, handovers: [handover] }
    const [founder, own] = [await open(founders[0]), await open(inviter, credential)]
    expect(await founder.judge(inviter.peerId, canonicalBytes(credential))).to.equal(undefined)
    await own.renewals.learn(founders[0].peerId, (await founder.renewals.forPeer(inviter.peerId, canonicalBytes(credential)))!)
    day = 600
    expect([own.validTo, await own.ownFault()]).to.deep.equal([iso(685), undefined])
  })

  it('that nobody may hand over is refused: no certificate, not signed by its bearer, another name in it', async () => {
    const credential = { certificate: await certify(founders[0]), handovers: [] }
    const [founder, own] = [await open(founders[0]), await open(member, credential)]
    const next = (await founder.renewals.forPeer(member.peerId, canonicalBytes(credential)))!
    for (const [sender, bytes] of [
      [founders[0].peerId, canonicalBytes({ some: 'thing' })],
      [inviter.peerId, next],
      [founders[0].peerId, canonicalBytes({ ...parseBytes(next) as Certificate, name: 'North' })]
    ] as const) {
      expect(await own.renewals.learn(sender, bytes).catch((error: unknown) => error)).to.be.instanceOf(ProtocolError)
    }
    // Signed by its bearer, but not what follows, or by nobody who may.
    await own.renewals.learn(founders[0].peerId, canonicalBytes(await certify(founders[0], 3_000)))
    const forged = await certify(inviter, 685, { from: iso(320) })
    await own.renewals.learn(inviter.peerId, canonicalBytes(forged))
    expect(own.validTo).to.equal(iso(365))
  })
})
