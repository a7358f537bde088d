import { rm } from 'node:fs/promises'
import type { Connection, PeerId, Startable } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { Auditor } from '../../../src/audit/auditor.ts'
import { nextDocument } from '../../../src/federation/amendments/take-up.ts'
import { SiteMembership } from '../../../src/federation/membership/site-membership.ts'
import { beginRestored, endRestored } from '../../../src/home/backup.ts'
import { mergeSettings } from '../../../src/home/config/load.ts'
import { sitePaths, type SitePaths } from '../../../src/home/paths.ts'
import { PeerLimits } from '../../../src/node/network/limits/peer-limits.ts'
import type { KeyedNoise } from '../../../src/node/network/keyed-noise.ts'
import { Members } from '../../../src/node/network/members.ts'
import { recordConnections, recordExchanges } from '../../../src/node/network/record-audit.ts'
import { openAdapter, openSite, withAmendment, type AdapterState, type Site } from '../../../src/node/site.ts'
import { AdapterExchangeService } from '../../../src/protocol/adapter-exchange/adapter-exchange.ts'
import type { Membership } from '../../../src/protocol/membership/index.ts'
import { Arrival } from '../../../src/rounds/arrival.ts'
import type { Clock } from '../../../src/rounds/clock.ts'
import { LabelVotes } from '../../../src/rounds/label-votes.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import { Pace } from '../../../src/rounds/pace.ts'
import { roundPlan } from '../../../src/rounds/plan.ts'
import { takeUp } from '../../../src/rounds/restored.ts'
import { catchUp, trainRound, type RoundSite } from '../../../src/rounds/training-round.ts'
import { SIZE, type Account } from './account.ts'
import { readyOf } from './ready.ts'
import { Plug, type Switchboard } from './switchboard.ts'

/** Steps of a round, and of what lies between a site's numbers and what its images want, the part that a round goes. */
const STEPS = 3
const RATE = 0.05
const GRACE_MS = 200
const NEVER = new AbortController().signal

export interface YearSiteInit {
  readonly name: string
  readonly home: string
  readonly board: Switchboard
  readonly account: Account
  readonly random: () => number
  /** The others that are there now. */
  readonly others: () => readonly YearSite[]
}

/** While a process of this site runs. */
interface Running {
  readonly site: Site
  readonly plug: Plug
  readonly audit: Auditor
  readonly membership: SiteMembership
  readonly members: Members
  readonly service: Membership & Startable
  state: AdapterState
  exchanges: AdapterExchangeService
}

/** The clock is set by the test: whoever waits would wait for ever. */
const CLOCK: Clock = { now: () => Date.now(), sleep: async () => { await new Promise((resolve) => { setImmediate(resolve) }) } }

/**
 * A site with everything that a daemon keeps on disk, and its rounds, exchanges, membership and ledger; in place of its network it has a
 * switchboard, and in place of the trainer's process a few numbers.
 */
export class YearSite {
  readonly name: string
  readonly paths: SitePaths
  readonly images: number
  readonly warnings: string[] = []
  #running: Running | undefined
  readonly #init: YearSiteInit
  readonly #wanted: Float32Array
  #last = { mass: 0, values: new Float32Array(SIZE) }
  /** It has been counted in the sum already. */
  #isCounted = false

  constructor (init: YearSiteInit) {
    this.#init = init
    this.name = init.name
    this.paths = sitePaths(init.home)
    this.images = 5 + Math.floor(20 * init.random())
    this.#wanted = Float32Array.from({ length: SIZE }, () => 10 * init.random() - 5)
  }

  get isUp (): boolean {
    return this.#running != null
  }

  get running (): Running {
    if (this.#running == null) throw new Error(`${this.name} does not run`)
    return this.#running
  }

  get peerId (): string {
    return this.running.site.peerId
  }

  get averager (): AdapterState['averager'] {
    return this.running.state.averager
  }

  /** Of its last process, where none runs. */
  get part (): { readonly mass: number, readonly values: Float32Array } {
    return this.isUp ? { mass: this.averager.mass, values: this.averager.values } : this.#last
  }

  get round (): number {
    return this.averager.round
  }

  /** Digests of the statements and of the documents that it holds. */
  get known (): string {
    const { standing, documents } = this.running.membership
    return [standing, documents].map(({ digest }) => Buffer.from(digest).toString('hex')).join(' ')
  }

  get isFounder (): boolean {
    return this.running.membership.federation.document.founders.includes(this.peerId)
  }

  /** Starts the process. */
  async open (): Promise<void> {
    const config = { ...mergeSettings({ name: this.name, data: this.name, amendments: 'accept', keepRounds: 4 }, {}, {}), data: this.name }
    const site = await openSite({ home: this.paths.home, config, logger: createLogger('silent') })
    const { key, peerId, federation, restored, notices } = site
    const putAside = restored == null || restored.begun === true ? undefined : `the home was restored from a backup of ${restored.made}`
    const audit = new Auditor({
      folder: this.paths.audit,
      key,
      peerId,
      federation: federation.id,
      now: Date.now,
      onFailure: (error) => { throw error as Error },
      ...(putAside == null ? {} : { putAside })
    })
    const membership = await SiteMembership.open({ ...site, graceMs: GRACE_MS, onEvent: (event) => { audit.record(event) } })
    const plug = new Plug(peerIdFromPrivateKey(key))
    const members = new Members({
      site: membership,
      peerId,
      noise: { use: () => {} } as unknown as KeyedNoise,
      limits: new PeerLimits({ onBan: (peer, reason) => { throw new Error(`${this.name} bans ${peer}: it ${reason}`) } }),
      notices,
      logger: site.logger,
      onEvent: (event) => { audit.record(event) },
      versions: { isApart: async () => await Promise.resolve(false) }
    })
    await audit.open()
    if (restored != null) await beginRestored(this.paths, restored)
    const components = { registrar: plug.registrar, connectionManager: plug.connectionManager, events: plug }
    const service = members.service(federation.id)(components as never) as Membership & Startable
    await service.start()
    recordConnections(plug as never, audit)
    const parts = { site, plug, audit, membership, members, service }
    this.#running = { ...parts, ...await this.#load(parts) }
    // A restored home counts once it has taken over what the others have.
    if (restored != null) return
    if (!this.#isCounted) this.#init.account.add(this.averager.mass, this.averager.values)
    this.#isCounted = true
  }

  /** Ends it in order. */
  async close (): Promise<void> {
    const { plug, members, audit, site } = this.running
    await this.#unload()
    plug.pull()
    await members.stop()
    await audit.close('stopped')
    this.#last = { mass: this.averager.mass, values: this.averager.values.slice() }
    this.warnings.push(...site.notices.list)
    this.#running = undefined
  }

  /** Its machine is gone, with all that was on it. */
  async loseDisk (): Promise<void> {
    await this.close()
    await rm(this.paths.home, { recursive: true })
    this.#isCounted = false
  }

  /** It counts no more: this is what it had. */
  discount (values: Float32Array = this.averager.values): void {
    this.#init.account.add(this.averager.mass, values, -1)
    this.#isCounted = false
  }

  /** From x on with the newest document that its founders have signed. */
  async amend (): Promise<void> {
    const running = this.running
    await this.#unload()
    const site = await withAmendment(running.site)
    running.membership.documents.goOnWith(site.federation)
    const parts = { ...running, site }
    this.#running = { ...parts, ...await this.#load(parts) }
  }

  /** What a daemon does every few seconds, and at a round's end. */
  async tend (): Promise<void> {
    const { membership, service } = this.running
    await membership.tend()
    await membership.documents.tend()
    await membership.book.save()
    await service.review()
    if (await nextDocument(this.paths, membership.documents, 'accept') != null) await this.amend()
  }

  /** One round, if its document has another. */
  async train (): Promise<void> {
    const { site, state } = this.running
    const { document } = site.federation
    const next = site.metrics.finishedRounds + 1
    if (next > document.training.rounds) return
    await trainRound({ ...this.#roundSite(site, state) }, next, NEVER)
    const { exchanges, bytesSent, bytesReceived } = site.metrics.records.at(-1)!
    this.running.audit.record({ kind: 'round', round: site.metrics.finishedRounds, exchanges, bytesSent, bytesReceived })
  }

  /** After a backup was restored: as the daemon comes back. */
  async comeBack (): Promise<void> {
    while (!await this.#comeBack()) await this.amend()
    this.#init.account.add(this.averager.mass, this.averager.values)
    this.#isCounted = true
  }

  async #comeBack (): Promise<boolean> {
    const { site, state } = this.running
    await this.settle()
    const own = this.#roundSite(site, state)
    const isThere = await takeUp({
      made: site.restored!.made,
      notices: site.notices,
      clock: CLOCK,
      isMet: () => this.#partners().length > 0 && !this.#partners().some(({ peerId }) => state.averager.doubts.has(peerId)),
      isBehind: () => (this.#median() ?? 0) > state.averager.round,
      isAtEnd: () => state.averager.round >= site.federation.document.training.rounds,
      catchUp: async () => { await catchUp(own, { ...own.others!, staleness: 0 }, NEVER) }
    }, NEVER)
    await state.checkpoint.save()
    if (isThere) await endRestored(this.paths)
    return isThere
  }

  /** Asks what became of exchanges in doubt, where the partner is there. */
  async settle (): Promise<void> {
    const { exchanges } = this.running
    for (const partner of [...this.averager.doubts.keys()]) {
      if (this.#partners().some(({ peerId }) => peerId === partner)) await exchanges.settle(peerIdFromString(partner)).catch(() => {})
    }
  }

  /** False where it was lost, refused or is in doubt. */
  async exchange (other: YearSite, options: { catchUp?: boolean, upTo?: number } = {}): Promise<boolean> {
    const { exchanges } = this.running
    const before = this.averager.values.slice()
    const done = await exchanges.exchange(peerIdFromString(other.peerId), options).then(() => true, () => false)
    if (options.catchUp === true && done && this.#isCounted) {
      this.#init.account.add(this.averager.mass, this.averager.values)
      this.#init.account.add(this.averager.mass, before, -1)
    }
    return done
  }

  async connect (other: YearSite): Promise<boolean> {
    const [mine, theirs] = [this.running, other.running]
    const connection = this.#init.board.connect(mine.plug, theirs.plug)
    const inbound = (): Connection | undefined => theirs.plug.getConnections().find(({ id }) => id === connection.id)
    return await Promise.all([
      mine.members.admissions.whenEstablished(connection),
      theirs.members.admissions.whenEstablished(inbound() ?? connection)
    ]).then(() => true, () => false)
  }

  /** Established on both sides. */
  isWith (other: YearSite): boolean {
    const [mine, theirs] = [this.running, other.running]
    return mine.members.admissions.isEstablished(idOf(other)) && theirs.members.admissions.isEstablished(idOf(this))
  }

  #partners (): YearSite[] {
    return this.#init.others().filter((each) => each !== this && this.isWith(each))
  }

  #median (): number | undefined {
    const rounds = this.#partners().map(({ round }) => round).sort((a, b) => a - b)
    return rounds[Math.floor(rounds.length / 2)]
  }

  async #load (
    { site, audit, plug, membership, members }: Omit<Running, 'state' | 'exchanges' | 'service'>
  ): Promise<Pick<Running, 'state' | 'exchanges'>> {
    const state = await openAdapter(site, readyOf(site, this.images), audit, {
      rootOf: (partner) => membership.rootOf(partner),
      mostRounds: () => membership.documents.mostRounds
    })
    const { peerId, registrar, connectionManager } = plug
    const components = members.certifiedOnly.components({ peerId, registrar, connectionManager })
    const init = { federationId: site.federation.id, averaging: state.averager, offersPerSecond: 1e6 }
    const exchanges = new AdapterExchangeService(components, init)
    recordExchanges(exchanges, state.averager, audit)
    exchanges.addEventListener('exchange', ({ detail }) => {
      site.record.count(detail)
      membership.book.exchanged(detail.partner)
      state.checkpoint.exchanged()
    })
    exchanges.addEventListener('settled', () => { state.checkpoint.exchanged() })
    await exchanges.start()
    return { state, exchanges }
  }

  async #unload (): Promise<void> {
    const { exchanges, state } = this.running
    state.averager.paused = true
    while (state.averager.busy) await CLOCK.sleep(1, NEVER)
    await exchanges.stop()
    await state.checkpoint.settled()
    await state.checkpoint.save()
    await state.log.close()
  }

  #roundSite (site: Site, state: AdapterState): RoundSite {
    const { account, random } = this.#init
    const { federation: { document }, metrics, record, notices } = site
    const dice = { frozen: 0.5, global: 0.6, personal: 0.7 }
    const step = (each: number, i: number): number => each + RATE * (this.#wanted[i]! - each + random() - 0.5)
    return {
      ...state,
      trainer: {
        call: async (name: 'train' | 'score', { adapter, phase }: { adapter: Float32Array, phase?: string }) => {
          await Promise.resolve()
          if (name === 'score') return { dice }
          if (phase !== 'G') return { loss: 0.2, steps: STEPS }
          const after = adapter.map(step)
          account.add(state.averager.mass, after)
          account.add(state.averager.mass, adapter, -1)
          return { adapter: after, loss: 0.5, steps: STEPS }
        },
        shorten: () => {}
      },
      plan: roundPlan(document),
      rounds: document.training.rounds,
      metrics,
      record,
      notices,
      clock: CLOCK,
      onPhase: () => {},
      others: {
        gossip: {
          initiate: async ({ count }: { count: number }) => await this.#initiate(count),
          catchUp: async ({ ahead, upTo }: { ahead: () => string[], upTo: number }) => await this.#catchUp(ahead(), upTo),
          trouble: undefined
        } as never,
        peers: {
          medianRound: () => this.#median(),
          medianBelow: () => undefined,
          medianAhead: () => this.#median(),
          farAhead: (round: number, staleness: number, upTo: number) =>
            this.#partners().filter((each) => each.round - round > staleness && each.round <= upTo).map(({ peerId }) => peerId),
          onRound: () => () => {},
          finishedForMs: () => 0,
          believedInMs: () => 0,
          areHalfSlow: () => false,
          labelFits: () => new Map()
        },
        pace: new Pace(record.pace),
        arrival: new Arrival(notices),
        company: { beforeRound: async () => { await Promise.resolve() }, ended: () => {} },
        labelVotes: new LabelVotes(site.peerId),
        distance: () => undefined,
        turnsPerRound: 2,
        stayMs: 120_000,
        staleness: document.averaging.staleness,
        closeness: document.averaging.coolDown.distance
      }
    }
  }

  /** Asks so many others, drawn anew each time. */
  async #initiate (count: number): Promise<number> {
    let done = 0
    for (let turn = 0; turn < count; turn++) {
      const partners = this.#partners()
      if (partners.length === 0) return done
      done += Number(await this.exchange(partners[Math.floor(this.#init.random() * partners.length)]!))
    }
    return done
  }

  async #catchUp (ahead: readonly string[], upTo: number): Promise<string | undefined> {
    for (const other of this.#partners().filter(({ peerId }) => ahead.includes(peerId))) {
      if (await this.exchange(other, { catchUp: true, upTo })) return other.peerId
    }
    return undefined
  }
}

function idOf (site: YearSite): PeerId {
  return site.running.plug.peerId
}
