import { readFile, rename, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { federationId, readFederation } from '../../../src/federation/document.ts'
import { loadIdentity, readPeerId } from '../../../src/federation/identity.ts'
import { issueCertificate } from '../../../src/federation/membership/certificate.ts'
import { writeJson } from '../../../src/home/files.ts'
import { askControl, fetchControl } from '../../../src/node/control/client.ts'
import type { Daemon } from '../../../src/node/daemon.ts'
import type { PeerView } from '../../../src/rounds/status.ts'
import { needPromtool, otherAlerts } from '../../promtool.ts'
import { Liar } from './attacks/liar.ts'
import { Sites } from './sites.ts'

const POLL_MS = 250
const PATIENCE_MS = 180_000
const DAY_MS = 86_400_000
const NOBODY = '/ip4/127.0.0.1/tcp/9/p2p/12D3KooWMDnCnkdDCKNgkgeZcyNNDHiXnMw5ReQbZ2vM28d2fATZ'
const LONG = { rounds: 10_000 }

/** One federation in which something fails. */
class Stage {
  readonly sites: Sites
  readonly #runs: { readonly daemon: Daemon, readonly run: Promise<unknown> }[] = []
  readonly #liars: Liar[] = []

  constructor (sites: Sites) {
    this.sites = sites
  }

  /** Runs on, with aims that it never reaches. */
  run (name: string, over: Parameters<Sites['daemon']>[1] = {}): void {
    const daemon = this.sites.daemon(name, { waitFor: 1, aloneRounds: 1_000, ...over })
    this.#runs.push({ daemon, run: daemon.run().catch(() => undefined) })
  }

  async addressesOf (name: string): Promise<string[]> {
    return (await this.sites.statusOf(name, ({ addresses, trainer }) => addresses.length > 0 && trainer === 'ready')).addresses
  }

  /** A member without a trainer, who trains in words. */
  async liar (name: string, lies: Parameters<typeof Liar.open>[2]): Promise<Liar> {
    const liar = await Liar.open(this.sites, name, lies)
    this.#liars.push(liar)
    liar.announce(() => ({}))
    return liar
  }

  /** What /metrics of a site says as soon as it says this. */
  async page (name: string, holds: RegExp): Promise<string> {
    for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await sleep(POLL_MS)) {
      const control = await readFile(this.sites.paths(name).control, 'utf8').catch(() => undefined)
      if (control == null) continue
      const { url, token } = JSON.parse(control) as { url: string, token: string }
      const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } }).catch(() => undefined)
      const page = await answer?.text() ?? ''
      if (holds.test(page)) return page
    }
    throw new Error(`${name} never said ${holds.source}`)
  }

  /** Whether a site knows what another one trains. */
  async hasHeard (name: string, peerId: string): Promise<boolean> {
    const peers = await fetchControl<PeerView[]>(this.sites.paths(name).home, '/peers')
    return peers.some((each) => each.peerId === peerId && each.round != null)
  }

  async close (): Promise<void> {
    for (const { daemon } of this.#runs) daemon.requestStop()
    await Promise.all(this.#runs.map(async ({ run }) => { await run }))
    await Promise.all(this.#liars.map(async (liar) => { await liar.close() }))
    await this.sites.remove()
  }
}

async function shortCertificate (sites: Sites, founder: string, name: string): Promise<void> {
  const key = await loadIdentity(sites.paths(founder).identity)
  const { document } = await readFederation(sites.paths(name).federation)
  await writeJson(sites.paths(name).certificate, {
    certificate: await issueCertificate({
      federation: federationId(document),
      peerId: await readPeerId(sites.paths(name).identity),
      name,
      role: 'member',
      from: '2026-01-01T00:00:00.000Z',
      to: new Date(Date.now() + 10 * DAY_MS).toISOString()
    }, key),
    handovers: []
  })
}

/** What fails, on which sites, and what the one that is looked at says then. */
const STAGES: Readonly<Record<string, readonly [names: string[], alert: string | undefined, (stage: Stage) => Promise<string>]>> = {
  'nothing fails': [['a', 'b'], undefined, async (stage) => {
    stage.run('a', { manners: { delayMs: 200 } })
    stage.run('b', { manners: { delayMs: 200 }, bootstrap: await stage.addressesOf('a') })
    return await stage.page('b', /^consilium_exchanges_total [3-9]/m)
  }],
  'a partner is dead': [['a', 'b', 'x'], 'ConsiliumPartnerAbsent', async (stage) => {
    stage.run('a', { manners: { delayMs: 200 } })
    const bootstrap = await stage.addressesOf('a')
    stage.run('b', { manners: { delayMs: 200 }, bootstrap })
    const partner = await stage.liar('x', { bootstrap })
    while (!await stage.hasHeard('a', partner.peerId)) await sleep(POLL_MS)
    // Without a farewell.
    await partner.close()
    return await stage.page('a', /^consilium_peers_absent 1/m)
  }],
  "a partner's clock is off": [['a', 'x'], 'ConsiliumClockWrong', async (stage) => {
    stage.run('a', { manners: { delayMs: 200 } })
    await stage.liar('x', { bootstrap: await stage.addressesOf('a'), aheadMs: 1_800_000 })
    return await stage.page('a', /^consilium_warning\{kind="clock_of_peer"\} 1/m)
  }],
  'the disk refuses': [['a'], 'ConsiliumDiskFull', async (stage) => {
    const { audit } = stage.sites.paths('a')
    stage.run('a', { alone: true, manners: { delayMs: 200 } })
    await stage.page('a', /^consilium_round 2/m)
    await rename(audit, `${audit} away`)
    await writeFile(audit, 'in the way')
    return await stage.page('a', /^consilium_warning\{kind="audit"\} 1/m)
  }],
  'a certificate ends': [['a', 'b'], 'ConsiliumCertificateEnds', async (stage) => {
    await shortCertificate(stage.sites, 'a', 'b')
    stage.run('a', { manners: { delayMs: 200 } })
    stage.run('b', { manners: { delayMs: 200 }, bootstrap: await stage.addressesOf('a') })
    return await stage.page('b', /^consilium_exchanges_total [3-9]/m)
  }],
  'a site is alone': [['a', 'b'], 'ConsiliumAlone', async (stage) => {
    stage.run('b', { bootstrap: [NOBODY], foundWithinMs: 0, aloneRounds: 2, manners: { delayMs: 200 } })
    return await stage.page('b', /^consilium_warning\{kind="alone"\} 1/m)
  }],
  'its steps do not arrive': [['a', 'x'], 'ConsiliumStepsNotArriving', async (stage) => {
    stage.run('a', { manners: { delayMs: 200 } })
    const partner = await stage.liar('x', { bootstrap: await stage.addressesOf('a') })
    partner.averager.paused = true
    return await stage.page('a', /^consilium_warning\{kind="steps"\} 1/m)
  }],
  'a partner lies': [['a', 'b', 'x'], 'ConsiliumLiarNamed', async (stage) => {
    stage.run('a', { manners: { delayMs: 200 } })
    const bootstrap = await stage.addressesOf('a')
    stage.run('b', { manners: { delayMs: 200 }, bootstrap })
    stage.run('x', { manners: { delayMs: 200 }, bootstrap, faults: { seed: 1, loss: 0, slow: 1, liar: 1e3, lie: 'noise', apart: [] } })
    return await stage.page('a', /^consilium_warning\{kind="liar"\} 1/m)
  }],
  'ledgers disagree': [['a', 'b'], 'ConsiliumLedgersDisagree', async (stage) => {
    stage.run('a', { alone: true, manners: { delayMs: 200 } })
    await stage.page('a', /^consilium_round 2/m)
    const peerId = await readPeerId(stage.sites.paths('b').identity)
    await askControl(stage.sites.paths('a').home, '/ledger/reconciled', { peerId, differences: 1 })
    return await stage.page('a', /^consilium_warning\{kind="ledger"\} 1/m)
  }],
  'the trainer crashes in a loop': [['a'], 'ConsiliumTrainerCrashLoop', async (stage) => {
    stage.run('a', { alone: true, manners: { dieIn: 'phaseG' }, trainerBackOff: { firstMs: 200, lastMs: 20_000 } })
    return await stage.page('a', /^consilium_trainer_deaths_in_row [2-4]/m)
  }]
}

describe('a site to which something happens', function () {
  this.timeout(300_000)
  const stages: Stage[] = []
  const pages = new Map<string, Promise<string>>()

  before(async function () {
    needPromtool(this)
    // Beside each other, since each waits most of the time.
    for (const [what, [names, , play]] of Object.entries(STAGES)) {
      const stage = new Stage(await Sites.create(names, LONG))
      stages.push(stage)
      pages.set(what, play(stage))
      pages.get(what)!.catch(() => { /* its test says so */ })
    }
  })

  after(async () => { await Promise.all(stages.map(async (stage) => { await stage.close() })) })

  for (const [what, [, alert]] of Object.entries(STAGES)) {
    it(`lights ${alert == null ? 'no alert' : `${alert} and no other`} while ${what}`, async () => {
      expect(otherAlerts(await pages.get(what), alert == null ? [] : [alert])).to.equal('')
    })
  }
})
