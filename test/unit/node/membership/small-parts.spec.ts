import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseDuration } from '../../../../src/cli/duration.ts'
import { isProtected, loadIdentity, loadOrCreateIdentity, readPeerId, writeIdentity } from '../../../../src/federation/identity.ts'
import { CatchUp } from '../../../../src/federation/membership/catch-up.ts'
import { appendEvent, readEvents, takeEvents, type MembershipChange } from '../../../../src/federation/membership/events.ts'
import { MemberBook } from '../../../../src/federation/membership/member-book.ts'
import { viewMembers } from '../../../../src/federation/membership/members-view.ts'
import { signRevocation, Standing } from '../../../../src/federation/membership/statements.ts'
import { RefusedPeers } from '../../../../src/node/network/limits/refused-peers.ts'
import { federationOf, NOW, people, type Person } from './federations.ts'

async function settled (work: Promise<void>): Promise<boolean> {
  return await Promise.race([work.then(() => true), new Promise<boolean>((resolve) => { setImmediate(() => { resolve(false) }) })])
}

describe('catching up after a start', () => {
  it('waits for somebody else\'s word before anybody is let in', async () => {
    const catchUp = new CatchUp(['a', 'b'])
    const first = catchUp.after('a')
    expect(await settled(first)).to.equal(false)
    expect(await settled(catchUp.after('b'))).to.equal(true)
    expect(await settled(first)).to.equal(true)
    expect(await settled(catchUp.after('c'))).to.equal(true)
  })

  it('waits for nobody where nobody else is known, and not beyond the grace time', async () => {
    expect(await settled(new CatchUp([]).after('a'))).to.equal(true)
    expect(await settled(new CatchUp(['a']).after('a'))).to.equal(true)
    const catchUp = new CatchUp(['a', 'b'], 5)
    const waiting = catchUp.after('a')
    catchUp.start()
    await waiting
    catchUp.stop()
  })
})

describe('back-off after refusals', () => {
  it('grows, ends, and is shorter for those who come by themselves', () => {
    let now = 0
    const shunned = new RefusedPeers(() => now)
    shunned.add('x', true)
    expect([shunned.deniesDial('x'), shunned.deniesInbound('x'), shunned.deniesDial('y')]).to.deep.equal([true, true, false])
    now = 10_000
    expect([shunned.deniesDial('x'), shunned.deniesInbound('x')]).to.deep.equal([false, false])
    for (let i = 0; i < 6; i++) shunned.add('x', true)
    now += 60_000
    expect([shunned.deniesDial('x'), shunned.deniesInbound('x')]).to.deep.equal([true, false])
    shunned.forgive('x')
    expect(shunned.deniesDial('x')).to.equal(false)
    shunned.add('z', false)
    expect([shunned.deniesDial('z'), shunned.deniesInbound('z')], 'who refused this site may come').to.deep.equal([true, false])
  })

  it('remembers 1,024 peers', () => {
    const shunned = new RefusedPeers(() => 0)
    for (let i = 0; i <= 1_024; i++) shunned.add(`peer ${i}`, true)
    expect([shunned.deniesDial('peer 0'), shunned.deniesDial('peer 1024')]).to.deep.equal([false, true])
  })
})

describe('the book of members', () => {
  let folder: string
  let founder: Person
  let site: Person

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'));
    [founder, site] = await people(2) as [Person, Person]
  })

  afterEach(async () => { await rm(folder, { recursive: true }) })

  it('keeps four different facts over a restart', async () => {
    let now = NOW
    const path = join(folder, 'members.json')
    const book = await MemberBook.open(path, () => now)
    book.met({ peerId: site.peerId, name: 'Mercy', role: 'member', to: '2026-07-01T00:00:00.000Z' })
    now += 1_000
    book.trained(site.peerId, 3)
    now += 1_000
    book.exchanged(site.peerId)
    now += 1_000
    book.trained(site.peerId, 3)
    book.trained('nobody', 1)
    await book.save()
    const federation = await federationOf([founder])
    const standing = new Standing(federation)
    const again = await MemberBook.open(path, () => now)
    const views = viewMembers({ federation, standing }, again.entries, (peerId) => peerId === site.peerId, now)
    expect(views.find(({ peerId }) => peerId === site.peerId)).to.deep.equal({
      peerId: site.peerId,
      name: 'Mercy',
      role: 'member',
      standing: 'member',
      connected: true,
      validTo: '2026-07-01T00:00:00.000Z',
      lastSeen: '2026-06-01T00:00:03.000Z',
      lastRound: 3,
      lastRoundAt: '2026-06-01T00:00:01.000Z',
      lastExchange: '2026-06-01T00:00:02.000Z'
    })
    expect(views.find(({ peerId }) => peerId === founder.peerId)).to.include({ role: 'founder', connected: false })
    await standing.learn([await signRevocation(federation.id, site.peerId, founder.key)])
    expect(viewMembers({ federation, standing }, again.entries, () => false)[0]).to.include({ standing: 'revoked' })
  })

  it('says who was invited and never came, and whose time is over', async () => {
    const federation = await federationOf([founder])
    const book = await MemberBook.open(join(folder, 'members.json'), () => NOW)
    book.invited(site.peerId, 'Mercy', 'inviter')
    const view = (now: number): string =>
      viewMembers({ federation, standing: new Standing(federation) }, book.entries, () => false, now).find(({ peerId }) =>
        peerId === site.peerId
      )!.standing
    expect(view(NOW)).to.equal('invited')
    book.met({ peerId: site.peerId, name: 'Mercy', role: 'inviter', to: '2026-07-01T00:00:00.000Z' })
    expect([view(NOW), view(Date.parse('2026-08-01T00:00:00.000Z'))]).to.deep.equal(['member', 'expired'])
  })

  it('keeps an invited founder a founder', async () => {
    const federation = await federationOf([founder, site])
    const book = await MemberBook.open(join(folder, 'members.json'), () => NOW)
    book.invited(site.peerId, 'Mercy', 'member')
    expect(viewMembers({ federation, standing: new Standing(federation) }, book.entries, () => false, NOW).map(({ role }) => role)).to.deep
      .equal(['founder', 'founder'])
  })

  it('events of commands wait for the daemon once', async () => {
    const path = join(folder, 'pending.jsonl')
    const event: MembershipChange = { kind: 'membership', event: 'invited', peer: site.peerId, detail: 'member Mercy' }
    expect(await takeEvents(path)).to.deep.equal([])
    await appendEvent(path, event)
    await writeFile(path, '{"kind":"nonsense"}\n', { flag: 'a' })
    expect(await readEvents(path)).to.deep.equal([event])
    expect(await takeEvents(path)).to.deep.equal([event])
    expect(await takeEvents(path)).to.deep.equal([])
  })
})

describe('a protected key', () => {
  let folder: string
  const { env } = process

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    process.env = { ...env, CONSILIUM_PASSPHRASE: 'correct horse' }
  })

  afterEach(async () => {
    process.env = env
    await rm(folder, { recursive: true })
  })

  it('opens with its passphrase only, names its peer id without, and is unreadable on disk', async () => {
    const path = join(folder, 'identity.key')
    const key = await loadOrCreateIdentity(path)
    expect(await isProtected(path)).to.equal(true)
    expect((await readFile(path)).includes(Buffer.from(key.raw.subarray(0, 16)))).to.equal(false)
    expect((await loadIdentity(path)).equals(key)).to.equal(true)
    process.env['CONSILIUM_PASSPHRASE'] = 'wrong'
    const failed = await loadIdentity(path).then(() => '', (error: Error) => error.message)
    expect(failed).to.contain('the passphrase is wrong')
    delete process.env['CONSILIUM_PASSPHRASE']
    expect(await readPeerId(path)).to.match(/^12D3KooW/)
    await writeIdentity(path, key)
    expect((await loadIdentity(path)).equals(key)).to.equal(true)
  })

  it('is refused when its peer id was changed', async () => {
    const path = join(folder, 'identity.key')
    await loadOrCreateIdentity(path)
    const [other] = await people(1) as [Person]
    const file = (await readFile(path, 'utf8')).replace(/12D3KooW\w+/, other.peerId)
    await writeFile(path, file)
    expect(await loadIdentity(path).then(() => '', (error: Error) => error.message)).to.contain('or the file was changed')
  })
})

describe('times on the command line', () => {
  it('are a number and a unit', () => {
    expect(['30d', '12h', '15m', '10s'].map((text) => parseDuration(text, 'ttl'))).to.deep.equal([
      2_592_000_000,
      43_200_000,
      900_000,
      10_000
    ])
    for (const text of ['', '30', 'd', '-1d', '0s', '1w', '999999d', '1.5h']) {
      expect(() => parseDuration(text, 'ttl'), text).to.throw(
        `--ttl must be a time such as 30d, 12h, 15m or 10s, and 3650d at most, not ${text}`
      )
    }
  })
})
