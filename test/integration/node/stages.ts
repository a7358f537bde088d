import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readAccount } from '../../../src/audit/account.ts'
import { Auditor } from '../../../src/audit/auditor.ts'
import { exportBundle } from '../../../src/audit/bundle.ts'
import { reconcile as compare } from '../../../src/audit/reconcile.ts'
import { askSite } from '../../../src/cli/ask-site.ts'
import { federationId, readFederation } from '../../../src/federation/document.ts'
import { loadIdentity, readPeerId } from '../../../src/federation/identity.ts'
import { issueCertificate } from '../../../src/federation/membership/certificate.ts'
import { readCredential } from '../../../src/federation/membership/files.ts'
import { writeJson } from '../../../src/home/files.ts'
import { askControl, fetchControl } from '../../../src/node/control/client.ts'
import type { Daemon } from '../../../src/node/daemon.ts'
import { PageServer } from '../../../src/page/server.ts'
import type { PeerView } from '../../../src/rounds/status.ts'
import { WARNING_KINDS, type WarningKind } from '../../../src/rounds/warning-kinds.ts'
import { Liar } from './attacks/liar.ts'
import { Sites } from './sites.ts'

const POLL_MS = 250
/** Of a crowded machine; what never comes is a failure of its test, and then it says what came instead. */
const PATIENCE_MS = 400_000
const DAY_MS = 86_400_000
const NOBODY = '/ip4/127.0.0.1/tcp/9/p2p/12D3KooWMDnCnkdDCKNgkgeZcyNNDHiXnMw5ReQbZ2vM28d2fATZ'
const LONG = { rounds: 10_000 }
const USUAL = { delayMs: 200 }
/** What a crowded machine makes any site say, and rightly. */
const CROWDED: readonly WarningKind[] = ['slow', 'behind', 'ahead']
export const CROWDED_TITLES: readonly string[] = CROWDED.map(titleOf)

/** What one site says while something holds. */
export interface Scene {
  readonly name: string
  /** What /metrics answers. */
  readonly metrics: string
}

/** One federation in which something fails. */
export class Stage {
  readonly sites: Sites
  readonly #runs: { readonly daemon: Daemon, readonly run: Promise<unknown> }[] = []
  readonly #liars: Liar[] = []
  readonly #pages: PageServer[] = []
  #isClosed = false

  private constructor (sites: Sites) {
    this.sites = sites
  }

  static async of (names: readonly string[]): Promise<Stage> {
    return new Stage(await Sites.create(names, LONG))
  }

  /** Runs on, with aims that it never reaches. */
  run (name: string, over: Parameters<Sites['daemon']>[1] = {}): void {
    const daemon = this.sites.daemon(name, { waitFor: 1, aloneRounds: 1_000, manners: USUAL, ...over })
    this.#runs.push({ daemon, run: daemon.run().catch(() => undefined) })
  }

  /** Once every daemon has ended by itself. */
  async ended (): Promise<void> {
    await Promise.all(this.#runs.map(async ({ run }) => { await run }))
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

  /**
   * What /metrics of a site says as soon as each of these metrics is as large and it warns of these kinds, and of no others; what it said
   * last where that never comes.
   */
  async scene (name: string, least: Readonly<Record<string, number>>, kinds: readonly WarningKind[] = []): Promise<Scene> {
    let metrics = ''
    for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await sleep(POLL_MS)) {
      metrics = await this.#metricsOf(name) ?? metrics
      const isLarge = Object.entries(least).every(([metric, value]) => valueIn(metrics, metric) >= value)
      if (isLarge && kindsIn(metrics).join() === [...kinds].sort().join()) break
    }
    return { name, metrics }
  }

  async #metricsOf (name: string): Promise<string | undefined> {
    const control = await readFile(this.sites.paths(name).control, 'utf8').catch(() => undefined)
    if (control == null) return undefined
    const { url, token } = JSON.parse(control) as { url: string, token: string }
    const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } }).catch(() => undefined)
    return await answer?.text()
  }

  /** Whether a site knows what another one trains. */
  async hasHeard (name: string, peerId: string): Promise<boolean> {
    const peers = await fetchControl<PeerView[]>(this.sites.paths(name).home, '/peers').catch(() => [])
    return peers.some((each) => each.peerId === peerId && each.round != null)
  }

  /** Serves the page of a site as "consilium page" does. */
  async page (name: string, onFailure: (sentence: string) => void): Promise<PageServer> {
    const { home } = this.sites.paths(name)
    const page = await PageServer.start({ home, port: 0, ask: askSite(home), onFailure })
    this.#pages.push(page)
    return page
  }

  async close (): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const { daemon } of this.#runs) daemon.requestStop()
    await this.ended()
    await Promise.all(this.#liars.map(async (liar) => { await liar.close() }))
    await Promise.all(this.#pages.map(async (page) => { await page.stop() }))
    await this.sites.remove()
  }
}

/** NaN where it is not said. */
function valueIn (metrics: string, name: string): number {
  return Number(new RegExp(`^consilium_${name} (\\S+)$`, 'm').exec(metrics)?.[1])
}

/** Kinds of the warnings that hold, in the order of the alphabet. */
function kindsIn (metrics: string): string[] {
  const all = [...metrics.matchAll(/^consilium_warning\{kind="(\w+)"\} [1-9]/gm)].map(([, kind = '']) => kind)
  return all.filter((kind) => !(CROWDED as readonly string[]).includes(kind)).sort()
}

/** As the page has it. */
function titleOf (kind: WarningKind): string {
  const { means } = WARNING_KINDS[kind]
  return means.slice(0, 1).toUpperCase() + means.slice(1)
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

/** A ledger that is whole and signed by a site's key, and knows of no exchange: what somebody writes who wants none to have been. */
async function exportRewritten (sites: Sites, name: string): Promise<string> {
  const paths = sites.paths(name)
  const folder = await mkdtemp(join(tmpdir(), 'consilium-'))
  const key = await loadIdentity(paths.identity)
  const owner = { peerId: await readPeerId(paths.identity), federation: (await readFederation(paths.federation)).id }
  const audit = new Auditor({ folder, key, ...owner, now: Date.now, onFailure: () => {} })
  await audit.open()
  await audit.close('stopped')
  const out = join(sites.folder, `${name}.bundle`)
  await exportBundle(out, { folder, expected: owner, key, credential: await readCredential(paths.certificate), now: Date.now })
  await rm(folder, { recursive: true })
  return out
}

/** What "consilium audit reconcile" does, without what it prints, once the entries of the first exchanges are on disk. */
async function reconcile (home: string, bundle: string): Promise<void> {
  for (let differences = 0; differences === 0; await sleep(POLL_MS)) {
    const [own, other] = [await readAccount(home), await readAccount(bundle)]
    differences = compare(own.account, other.account).differences.length
    await askControl(home, '/ledger/reconciled', { peerId: other.account.peerId, differences })
  }
}

export interface Failure {
  readonly names: readonly string[]
  readonly alert: string | undefined
  /** Titles of the warnings on the page of the site that is looked at, in their order. */
  readonly warnings: readonly string[]
  readonly play: (stage: Stage) => Promise<Scene>
}

export const WELL = 'nothing fails'

/** What fails, on which sites, and what the one that is looked at says then. */
export const FAILURES: Readonly<Record<string, Failure>> = {
  [WELL]: {
    names: ['a', 'b'],
    alert: undefined,
    warnings: [],
    play: async (stage) => {
      stage.run('a')
      stage.run('b', { bootstrap: await stage.addressesOf('a') })
      return await stage.scene('b', { exchanges_total: 3, round: 2 })
    }
  },
  'a partner is dead': {
    names: ['a', 'b', 'x'],
    alert: 'ConsiliumPartnerAbsent',
    warnings: ['A hospital that trained is gone without a farewell'],
    play: async (stage) => {
      stage.run('a')
      const bootstrap = await stage.addressesOf('a')
      stage.run('b', { bootstrap })
      const partner = await stage.liar('x', { bootstrap })
      while (!await stage.hasHeard('a', partner.peerId)) await sleep(POLL_MS)
      // Without a farewell.
      await partner.close()
      return await stage.scene('a', { peers_absent: 1 })
    }
  },
  "a partner's clock is off": {
    names: ['a', 'x'],
    alert: 'ConsiliumClockWrong',
    warnings: ["Another site's clock, or this one's, is wrong"],
    play: async (stage) => {
      stage.run('a')
      await stage.liar('x', { bootstrap: await stage.addressesOf('a'), aheadMs: 1_800_000 })
      return await stage.scene('a', { round: 2 }, ['clock_of_peer'])
    }
  },
  'the disk refuses': {
    names: ['a'],
    alert: 'ConsiliumDiskFull',
    warnings: ['The audit ledger cannot be written'],
    play: async (stage) => {
      const { audit } = stage.sites.paths('a')
      stage.run('a', { alone: true })
      await stage.scene('a', { round: 2 })
      await rename(audit, `${audit} away`)
      await writeFile(audit, 'in the way')
      return await stage.scene('a', {}, ['audit'])
    }
  },
  'a certificate ends': {
    names: ['a', 'b'],
    alert: 'ConsiliumCertificateEnds',
    warnings: ["A certificate ends within 30 days: this site's, or at founders another one's"],
    play: async (stage) => {
      await shortCertificate(stage.sites, 'a', 'b')
      // Else it would be renewed at once.
      stage.run('a', { settings: { renewCertificates: false } })
      stage.run('b', { bootstrap: await stage.addressesOf('a') })
      return await stage.scene('b', { exchanges_total: 3 }, ['certificate_end'])
    }
  },
  'a site is alone': {
    names: ['a', 'b'],
    alert: 'ConsiliumAlone',
    warnings: ['No other site can be reached, or none exchanges', 'A bootstrap address does not answer'],
    play: async (stage) => {
      stage.run('b', { bootstrap: [NOBODY], foundWithinMs: 0, aloneRounds: 2 })
      return await stage.scene('b', { round: 2 }, ['alone', 'bootstrap'])
    }
  },
  'its steps do not arrive': {
    names: ['a', 'x'],
    alert: 'ConsiliumStepsNotArriving',
    warnings: ["This site's training reaches no other site"],
    play: async (stage) => {
      stage.run('a')
      const partner = await stage.liar('x', { bootstrap: await stage.addressesOf('a') })
      partner.averager.paused = true
      return await stage.scene('a', { round: 2 }, ['steps'])
    }
  },
  'a partner lies': {
    names: ['a', 'b', 'x'],
    alert: 'ConsiliumLiarNamed',
    warnings: ["A site's adapter is far off again and again: it is named and asked last"],
    play: async (stage) => {
      stage.run('a')
      const bootstrap = await stage.addressesOf('a')
      stage.run('b', { bootstrap })
      const liar = await stage.liar('x', { bootstrap, values: new Float32Array(8).fill(3_000) })
      for (let isNamed = false; !isNamed; await sleep(POLL_MS)) {
        const { round, suspects } = await stage.sites.statusOf('a', () => true)
        isNamed = suspects.length > 0
        // Of the rounds of those that it lies to, or it would be asked no more.
        liar.averager.pass(round)
      }
      // What it sends would become like theirs, exchange by exchange, and it would be trusted again.
      liar.averager.paused = true
      return await stage.scene('a', { peers_suspect: 1 }, ['liar'])
    }
  },
  'ledgers disagree': {
    names: ['a', 'b'],
    alert: 'ConsiliumLedgersDisagree',
    warnings: ["This site's ledger and another one's differ"],
    play: async (stage) => {
      stage.run('a')
      stage.run('b', { bootstrap: await stage.addressesOf('a') })
      await stage.scene('a', { exchanges_total: 3 })
      await reconcile(stage.sites.paths('a').home, await exportRewritten(stage.sites, 'b'))
      return await stage.scene('a', {}, ['ledger'])
    }
  },
  'the trainer crashes in a loop': {
    names: ['a'],
    alert: 'ConsiliumTrainerCrashLoop',
    warnings: ['The trainer process ended'],
    play: async (stage) => {
      stage.run('a', { alone: true, manners: { dieIn: 'phaseG' }, trainerBackOff: { firstMs: 5_000, lastMs: 600_000 } })
      return await stage.scene('a', { trainer_deaths_in_row: 2 }, ['trainer'])
    }
  }
}
