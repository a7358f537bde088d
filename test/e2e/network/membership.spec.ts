import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { expect } from 'chai'
import { loadIdentity, readPeerId } from '../../../src/federation/identity.ts'
import { issueCertificate } from '../../../src/federation/membership/certificate.ts'
import type { KeyRing } from '../../../src/federation/membership/key-ring.ts'
import type { MemberView } from '../../../src/federation/membership/members-view.ts'
import { readKeyRing, writeKeyRing } from '../../../src/federation/membership/network-key.ts'
import { mergeIntoConfigFile } from '../../../src/home/config/load.ts'
import { writeJson } from '../../../src/home/files.ts'
import { fetchControl } from '../../../src/node/control/client.ts'
import type { PeerView } from '../../../src/rounds/status.ts'
import { Sites } from '../../integration/node/sites.ts'
import { consiliumJson } from '../cli.ts'
import { fixture, PATIENCE_MS, POLL_MS, SiteProcess as Site } from './site-process.ts'

describe('only members, with real processes', function () {
  this.timeout(1_800_000)
  let homes: Sites
  let sites: Site[]

  const bySite = (name: string): Site => sites.find((each) => each.name === name)!

  async function found (names: readonly string[]): Promise<void> {
    homes = await Sites.create(names, { rounds: 10_000 })
    sites = names.map((name) => new Site(name, homes.paths(name).home))
  }

  /** The first one up is the bootstrap node of the others. */
  async function startAll (): Promise<void> {
    const [first, ...others] = sites
    first!.start()
    const { addresses } = await first!.until('it listens', (status) => status.addresses.length > 0)
    for (const each of others) {
      await mergeIntoConfigFile(homes.paths(each.name).config, { bootstrap: addresses })
      each.start()
    }
  }

  afterEach(async () => {
    await Promise.all(sites.map(async (each) => { await each.end('SIGKILL') }))
    await homes.remove()
  })

  it('strangers, and sites whose certificate is missing, expired, revoked or foreign, get nowhere', async () => {
    await found(['victim', 'stranger', 'bare', 'expired', 'revoked', 'foreign', 'early', 'forged'])
    const victim = bySite('victim')
    const founder = await loadIdentity(homes.paths('victim').identity)
    const { id: federation } = await consiliumJson<{ id: string }>(['federation', 'show', '--home', victim.home])
    const certify = async (name: string, over: object, key = founder): Promise<void> => {
      const peerId = await readPeerId(homes.paths(name).identity)
      const certificate = await issueCertificate({
        federation,
        peerId,
        name,
        role: 'member',
        from: '2020-01-01T00:00:00.000Z',
        to: '2120-01-01T00:00:00.000Z',
        ...over
      }, key)
      await writeJson(homes.paths(name).certificate, { certificate, handovers: [] })
    }
    await writeKeyRing(homes.paths('stranger').networkKey, { current: randomBytes(32).toString('hex'), previous: [] })
    await writeJson(homes.paths('bare').certificate, { handovers: [] })
    await certify('expired', { to: '2021-01-01T00:00:00.000Z' })
    await certify('foreign', { federation: 'ab'.repeat(32) })
    await certify('early', { from: '2110-01-01T00:00:00.000Z' })
    await certify('forged', {}, await generateKeyPair('Ed25519'))
    await consiliumJson(['revoke', await readPeerId(homes.paths('revoked').identity), '--yes', '--home', victim.home])
    victim.start()
    const { addresses } = await victim.until('it serves exchanges', ({ trainer, round }) => trainer === 'ready' && round > 0)

    const expected = {
      stranger: [/^handshake refused, outbound$/, /has no or another network key/],
      bare: [/^them: NONE: this site has no certificate/, /showed no certificate/],
      expired: [/^them: EXPIRED: this site's certificate has expired/, /its certificate has expired/],
      revoked: [/^them: REVOKED: this site's certificate was revoked/, /its certificate was revoked/],
      foreign: [/^them: WRONG_FEDERATION: this site's certificate is of another federation/, /its certificate is of another federation/],
      early: [/^them: NOT_YET_VALID: .*check the clock/, /is not valid yet/],
      forged: [/^them: WRONG_SIGNER: /, /not signed by those who may admit/]
    } as const
    await Promise.all(
      Object.entries(expected).map(async ([name, [theirs, ours]]) => {
        const child = spawn(process.execPath, [fixture('hostile'), homes.paths(name).home, addresses[0]!, federation], {
          stdio: ['ignore', 'pipe', 'inherit']
        })
        let out = ''
        child.stdout.on('data', (chunk: Buffer) => {
          out += chunk.toString()
        })
        await once(child, 'close')
        const { told } = JSON.parse(out) as { told: string[] }
        expect(told.length, name).to.be.at.least(1)
        for (const each of told) expect(each, name).to.match(theirs)
        // What it told is read from another pipe, and may be here first.
        await victim.untilLogged(ours)
      })
    )

    const { streams, peers, exchanges, refusedCertificates, refusedHandshakes } = await victim.until('it answers', () => true)
    expect({ peers, exchanges }).to.deep.equal({ peers: 0, exchanges: 0 })
    expect(refusedCertificates).to.be.at.least(6)
    expect(refusedHandshakes).to.be.at.least(1)
    const names = Object.keys(streams).map((protocol) => protocol.split('/').slice(-2).join('/'))
    expect(names).to.include.members(['adapter-exchange/1.0.0', 'outcome/1.0.0', 'meshsub/1.2.0'])
    // No member has reached it yet: it does not serve the DHT. That one which does tells a stranger nothing: integration/node/relay.
    expect(names).to.not.include('kad/1.0.0')
    expect(Object.values(streams).map(({ handled }) => handled), 'handlers that ran').to.deep.equal(names.map(() => 0))
    for (const name of ['adapter-exchange', 'meshsub']) {
      const [, counts] = Object.entries(streams).find(([protocol, { reset }]) => protocol.includes(name) && reset > 0) ?? []
      expect(counts?.reset, name).to.be.at.least(1)
    }
  })

  it('a new site needs one command; a revocation reaches all, also who was away; a new key leaves the revoked behind', async () => {
    await found(['a', 'b', 'c', 'd', 'e', 'f', 'i', 'j', 'g'])
    await startAll()
    const founder = bySite('a')
    await Promise.all(sites.map(async (each) => { await each.until('it has met four others', ({ peers }) => peers >= 4) }))

    await admitOne()
    const h = bySite('h')
    const g = bySite('g')
    const present = sites.filter((each) => each !== g && each !== h)
    expect(present).to.have.length(8)
    await Promise.all(sites.map(async (each) => { await each.until('it has met six others', ({ peers }) => peers >= 6) }))
    const revoked = await readPeerId(homes.paths('h').identity)

    // g goes to sleep and h is revoked.
    await g.end('SIGTERM')
    await consiliumJson(['revoke', revoked, '--home', founder.home])
    const begun = Date.now()
    await Promise.all(present.map(async (each) => {
      const knows = async (): Promise<boolean> =>
        (await fetchControl<MemberView[]>(each.home, '/members')).find(({ peerId }) => peerId === revoked)?.standing === 'revoked' &&
        (await fetchControl<PeerView[]>(each.home, '/peers')).find(({ peerId }) => peerId === revoked)?.connected !== true
      while (!await knows().catch(() => false)) await sleep(POLL_MS)
    }))
    await h.untilLogged(/this site's certificate was revoked/)
    const tookMs = Date.now() - begun
    expect(tookMs, 'milliseconds until all knew').to.be.below(120_000)
    await h.until('nobody talks to it', ({ peers }) => peers === 0)

    // The first address that g tries on its return is the revoked site's.
    const before = (await entries('g')).length
    await mergeIntoConfigFile(homes.paths('g').config, { bootstrap: (await h.until('it answers', () => true)).addresses })
    g.start()
    await g.until('it is back among the others', ({ peers }) => peers >= 4)
    const members = await fetchControl<MemberView[]>(g.home, '/members')
    expect(members.find(({ peerId }) => peerId === revoked)).to.include({ standing: 'revoked', connected: false })

    await rotate(present, revoked)
    const since = (await entries('g')).slice(before)
    expect(since.some(({ event, peer }) => event === 'certified' && peer !== revoked)).to.equal(true)
    expect(since.filter(({ event, peer }) => event === 'certified' && peer === revoked)).to.deep.equal([])
    expect(since.filter(({ kind, partner }) => kind === 'exchange' && partner === revoked)).to.deep.equal([])

    const leaving = present.at(-2)!
    const left = await readPeerId(homes.paths(leaving.name).identity)
    expect(await consiliumJson(['leave', '--home', leaving.home])).to.include({ peerId: left, effective: true })
    await leaving.exited(PATIENCE_MS)
    expect(await seenBy('a', left, ({ standing }) => standing === 'left')).to.include({ standing: 'left' })
  })

  /** Done when 2. */
  async function admitOne (): Promise<void> {
    const secrets = async (): Promise<string[]> =>
      await Promise.all(
        sites.flatMap((
          { name }
        ) => [homes.paths(name).identity, homes.paths(name).networkKey, ...(name === 'a' ? [] : [homes.paths(name).certificate])]).map(
          async (path) =>
            (await readFile(path)).toString('base64')
        )
      )
    const [before, pids] = [await secrets(), sites.map(({ pid }) => pid)]
    const home = homes.paths('h').home
    const { peerId } = await consiliumJson<{ peerId: string }>(['init', '--home', home])
    const { invitation } = await consiliumJson<{ invitation: string }>([
      'invite',
      peerId,
      '--home',
      bySite('a').home,
      '--name',
      'Hope',
      '--ttl',
      '1h'
    ])
    expect(invitation.length).to.be.below(4_096)
    await consiliumJson(['join', invitation, '--home', home])
    expect(await secrets()).to.deep.equal(before)
    const h = new Site('h', home)
    h.start()
    await h.until('it has exchanged', ({ peers, exchanges }) => peers >= 4 && exchanges >= 1)
    expect(sites.map(({ pid }) => pid)).to.deep.equal(pids)
    for (const each of sites) expect((await each.until('it answers', () => true)).trainer, each.name).to.equal('ready')
    expect(await secrets()).to.deep.equal(before)
    sites.push(h)
    const seen = await seenBy('a', peerId, ({ connected }) => connected)
    expect(seen).to.include({ name: 'Hope', role: 'member', standing: 'member', connected: true })
    expect(seen).to.include.keys('lastSeen', 'validTo')
  }

  /** What a site knows about another, once that holds. */
  async function seenBy (site: string, peerId: string, holds: (seen: MemberView) => boolean): Promise<MemberView | undefined> {
    for (const begun = performance.now(); ;) {
      const seen = (await consiliumJson<MemberView[]>(['members', '--home', bySite(site).home])).find((each) => each.peerId === peerId)
      if ((seen != null && holds(seen)) || performance.now() - begun > PATIENCE_MS) return seen
    }
  }

  /** Done when 3. */
  async function rotate (present: readonly Site[], revoked: string): Promise<void> {
    const first = await Promise.all(present.map(async (each) => (await each.until('it answers', () => true)).exchanges))
    await consiliumJson(['federation', 'rotate-key', '--overlap', '2s', '--home', present[0]!.home])
    const { current } = await readKeyRing(homes.paths('a').networkKey)
    const during = await growing(present, first)
    for (const { name } of present) expect(await ringAfterOverlap(name, current), name).to.deep.include({ current, previous: [] })
    await growing(present, during)
    expect((await readKeyRing(homes.paths('h').networkKey)).current).not.to.equal(current)
    // One that restarts has only the new key to connect with.
    const back = present.at(-1)!
    await back.end('SIGTERM')
    back.start()
    await back.until('it is back under the new key', ({ peers }) => peers >= 3)
    // So has the revoked one, which has none.
    const h = bySite('h')
    await h.end('SIGTERM')
    h.start()
    await h.untilLogged(/refused the handshake|was refused in the handshake/)
    await h.until('it is alone', ({ peers }) => peers === 0)
    expect((await back.until('it answers', () => true)).peers).to.be.at.least(3)
    expect((await fetchControl<PeerView[]>(back.home, '/peers')).filter(({ peerId, connected }) => peerId === revoked && connected)).to.deep
      .equal([])
  }

  /** A site's ring once it has this key, and has dropped those of before. */
  async function ringAfterOverlap (name: string, current: string): Promise<KeyRing> {
    for (const begun = performance.now(); ; await sleep(POLL_MS)) {
      const ring = await readKeyRing(homes.paths(name).networkKey)
      if ((ring.current === current && ring.previous.length === 0) || performance.now() - begun > PATIENCE_MS) return ring
    }
  }

  /** Waits until every site has made a further exchange. */
  async function growing (among: readonly Site[], since: readonly number[]): Promise<number[]> {
    return await Promise.all(
      among.map(async (each, i) => (await each.until('it has exchanged again', ({ exchanges }) => exchanges > since[i]!)).exchanges)
    )
  }

  interface Line { kind: string, event?: string, peer?: string, partner?: string }

  /** The audit ledger of a site, from the beginning. */
  async function entries (name: string): Promise<Line[]> {
    const folder = homes.paths(name).audit
    const files = (await readdir(folder)).filter((file) => file.endsWith('.jsonl')).sort()
    const texts = await Promise.all(files.map(async (file) => await readFile(join(folder, file), 'utf8')))
    return texts.join('').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Line)
  }
})
