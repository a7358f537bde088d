import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { mock } from 'node:test'
import { shuffled } from '../../../src/common/random.ts'
import { amend, type Wanted } from '../../../src/federation/amendments/amend.ts'
import { Amendments } from '../../../src/federation/amendments/amendments.ts'
import { createIdentity } from '../../../src/federation/create-identity.ts'
import { readFederation, signFederation } from '../../../src/federation/document.ts'
import { loadIdentity } from '../../../src/federation/identity.ts'
import { countersign } from '../../../src/federation/membership/certificate.ts'
import { decodeInvitation, encodeInvitation } from '../../../src/federation/membership/invitation.ts'
import { inviteSite } from '../../../src/federation/membership/invite-site.ts'
import { joinFederation } from '../../../src/federation/membership/join-federation.ts'
import { rotateIdentity } from '../../../src/federation/membership/rotate-identity.ts'
import { restoreBackup, writeBackup } from '../../../src/home/backup.ts'
import { leave } from '../../../src/node/leave.ts'
import { Sites } from '../../integration/node/sites.ts'
import { seeded } from '../site.ts'
import { Account } from './account.ts'
import { Switchboard } from './switchboard.ts'
import { YearSite } from './year-site.ts'

export const MONTHS = 12
const DAY_MS = 86_400_000
export const WEEKS = 4
const MONTH_MS = 365 * DAY_MS / MONTHS
const CERTIFICATE_DAYS = 120
const RENEWED_BEFORE_DAYS = 40
const FOUNDERS = ['a', 'b', 'c']
const FIRST_MEMBERS = ['d', 'e', 'f', 'g']
/** Messages of exchanges that never arrive. */
const LOSS = 0.01
const KEPT_BACKUPS = 3

/** What happens to a site, or in the federation, once in a month. */
export const EVENTS = ['join', 'leave', 'lose', 'restore', 'rotateIdentity', 'rotateKey', 'revoke', 'away', 'found'] as const
export type Event = typeof EVENTS[number]

/** Every event at least once, those of plain members twice, in the order of the seed; a backup is older than a month. */
export function schedule (random: () => number): readonly (readonly Event[])[] {
  const twice: Event[] = ['join', 'join', 'restore', 'lose', 'rotateIdentity', 'away', 'rotateKey']
  const events = shuffled([...EVENTS, ...twice], random)
  const months: Event[][] = Array.from({ length: MONTHS }, () => [])
  events.forEach((event, i) => { months[event === 'restore' ? 4 + i % (MONTHS - 4) : 1 + i % (MONTHS - 1)]!.push(event) })
  return months
}

/** A federation through a year, whose clock this sets. */
export class Year {
  readonly account = new Account()
  readonly board = new Switchboard()
  readonly living: YearSite[] = []
  readonly happened: string[] = []
  /** Documents that the founders signed after the first. */
  amendments = 0
  /** Keys whose disks were lost. */
  readonly lost = new Set<string>()
  readonly random: () => number
  readonly #backups: { readonly name: string, readonly file: string, readonly month: number, readonly round: number }[] = []
  readonly #away: { readonly site: YearSite, weeks: number }[] = []
  #sites!: Sites
  #names = 0
  #now = Date.parse('2026-01-05T08:00:00.000Z')

  constructor (seed: number) {
    this.random = seeded(seed)
  }

  async begin (): Promise<void> {
    mock.timers.enable({ apis: ['Date'], now: this.#now })
    const founders = FOUNDERS
    this.#sites = await Sites.create(founders, { founders, quorum: 2, rounds: WEEKS, codec: 'f32' })
    for (const name of founders) await this.#start(this.#create(name))
    for (const name of FIRST_MEMBERS) await this.#join(name)
    const lost = seeded(77)
    this.board.arrives = (protocol) => !protocol.includes('adapter-exchange') || lost() >= LOSS
  }

  async end (): Promise<void> {
    for (const site of this.living) if (site.isUp) await site.close()
    mock.timers.reset()
    await this.#sites.remove()
  }

  get up (): YearSite[] {
    return this.living.filter(({ isUp }) => isUp)
  }

  /** Four weeks, each with a round, after the month's events and its amendment. */
  async month (month: number, events: readonly Event[]): Promise<void> {
    for (const event of events) await this.#happen(event, month)
    if (month > 0) await this.#amend(month)
    for (let week = 0; week < WEEKS; week++) {
      this.#pass(MONTH_MS / WEEKS)
      await this.#returnThoseDue()
      await this.#renew()
      await this.#connect()
      for (const site of this.up) await site.tend()
      await this.#meet()
      for (const site of shuffled(this.up, this.random)) await site.train()
    }
    await this.#settle()
    await this.#backUp(month)
  }

  /** For the year after. */
  async amendOnceMore (): Promise<void> {
    await this.#amend(MONTHS)
  }

  #pass (ms: number): void {
    this.#now += ms
    mock.timers.setTime(this.#now)
  }

  #create (name: string): YearSite {
    const home = this.#sites.paths(name).home
    const { board, account, random } = this
    const site = new YearSite({ name, home, board, account, random, others: () => this.up })
    this.living.push(site)
    return site
  }

  async #start (site: YearSite): Promise<void> {
    await site.open()
    await this.#connect()
  }

  async #connect (): Promise<void> {
    const { up } = this
    await Promise.all(up.flatMap((one, i) => up.slice(i + 1).map(async (other) => await one.connect(other))))
  }

  get #plain (): YearSite[] {
    return this.up.filter(({ isFounder }) => !isFounder)
  }

  #pick (sites: readonly YearSite[]): YearSite | undefined {
    return sites[Math.floor(this.random() * sites.length)]
  }

  async #happen (event: Event, month: number): Promise<void> {
    const site = event === 'restore' || event === 'join' || event === 'rotateKey' ? undefined : this.#pick(this.#plain)
    const before = this.happened.length
    if (event === 'join') await this.#join(`n${++this.#names}`)
    else if (event === 'rotateKey') await this.#rotateKey()
    else if (event === 'restore') await this.#restore(month)
    else if (site == null || this.#plain.length < 3) return
    else await this.#to(event, site)
    if (this.happened.length === before) this.happened.push(event)
  }

  async #to (event: Event, site: YearSite): Promise<void> {
    if (event === 'leave') await this.#leave(site)
    else if (event === 'lose') await this.#lose(site)
    else if (event === 'rotateIdentity') await this.#rotateIdentity(site)
    else if (event === 'revoke') await this.#revoke(site)
    else if (event === 'away') await this.#goAway(site)
    else await this.#found(site)
  }

  /** Two founders sign, as "invite" and "federation sign" do. */
  async #invitation (name: string, peerId: string): Promise<string> {
    const [one, two] = [this.#sites.paths('a'), this.#sites.paths('b')]
    const { invitation } = await inviteSite({ home: one.home, peerId, name, validMs: CERTIFICATE_DAYS * DAY_MS })
    const decoded = await decodeInvitation(invitation)
    return encodeInvitation({ ...decoded, certificate: await countersign(decoded.certificate!, await loadIdentity(two.identity)) })
  }

  async #join (name: string): Promise<void> {
    const { home } = this.#sites.paths(name)
    const invitation = await this.#invitation(name, await createIdentity(home))
    await joinFederation({ home, invitation })
    await this.#start(this.living.find((each) => each.name === name) ?? this.#create(name))
  }

  /** People invite again those whose certificates are about to end; how they renew by themselves is held by renewed.spec.ts. */
  async #renew (): Promise<void> {
    for (const site of this.#plain) {
      const { validTo } = site.running.membership
      if (validTo == null || Date.parse(validTo) - this.#now > RENEWED_BEFORE_DAYS * DAY_MS) continue
      await this.#renewOf(site)
    }
  }

  async #renewOf (site: YearSite): Promise<void> {
    await joinFederation({ home: site.paths.home, invitation: await this.#invitation(site.name, site.peerId) })
    await site.tend()
    this.happened.push('renew')
  }

  async #leave (site: YearSite): Promise<void> {
    await this.#settle()
    const { averager, running: { members, membership } } = site
    site.discount()
    await leave({
      averager,
      peers: { connectedCount: this.up.length - 1 },
      foundersLeft: [],
      quorum: membership.federation.document.quorum,
      clock: { now: () => Date.now(), sleep: async () => { await Promise.resolve() } },
      quiesce: async () => { await Promise.resolve() },
      depart: async () => await members.depart(async () => { await Promise.resolve() }),
      signal: new AbortController().signal
    }, false)
    await site.close()
    this.#forget(site)
  }

  /** Its last exchange stays in doubt at its partner: what it had then dies with it, and the site begins anew with another key. */
  async #lose (site: YearSite): Promise<void> {
    await this.#settle()
    const partner = this.#pick(this.up.filter((each) => each !== site && each.isWith(site)))
    site.discount(site.averager.values.slice())
    const { arrives } = this.board
    if (partner != null) {
      let messages = 0
      this.board.arrives = (protocol) => !protocol.includes('adapter-exchange') || ++messages < 6
      await partner.exchange(site)
      this.board.arrives = arrives
    }
    this.lost.add(site.peerId)
    await site.loseDisk()
    this.#forgetBackupsOf(site)
    await this.#join(site.name)
  }

  async #restore (month: number): Promise<void> {
    const backup = this.#backups.find(({ name, month: made }) => made < month - 1 && this.up.some((each) => each.name === name))
    if (backup == null) return
    const site = this.up.find(({ name }) => name === backup.name)!
    const reached = site.running.site.metrics.finishedRounds
    site.discount()
    await site.close()
    await rm(site.paths.home, { recursive: true })
    await restoreBackup(backup.file, site.paths.home)
    // Its certificate may have ended since.
    await this.#start(site)
    await site.tend()
    await this.#renew()
    await this.#connect()
    await site.comeBack()
    this.happened.push(`restore of round ${backup.round}, ${reached} had been reached, now ${site.round}`)
    if (site.round < reached) throw new Error(`${site.name} trains rounds again that it had trained: ${this.happened.at(-1)}`)
    this.#forgetBackupsOf(site)
  }

  async #rotateIdentity (site: YearSite): Promise<void> {
    await this.#settle()
    if (site.averager.doubts.size > 0) return
    await site.close()
    await rotateIdentity(site.paths, { now: Date.now(), passphrase: undefined })
    this.#forgetBackupsOf(site)
    await this.#start(site)
    // A certificate of which so much was handed over cannot be renewed for the new key; the next invitation names it.
    await this.#renewOf(site)
  }

  async #rotateKey (): Promise<void> {
    await this.up.find(({ name }) => name === 'b')!.running.members.rotateKey(7 * DAY_MS)
  }

  async #revoke (site: YearSite): Promise<void> {
    await this.#settle()
    const { peerId } = site
    site.discount()
    for (const name of ['a', 'b']) await this.up.find((each) => each.name === name)!.running.members.publishRevocation(peerId)
    await site.close()
    this.#forget(site)
  }

  async #goAway (site: YearSite): Promise<void> {
    await site.close()
    this.#away.push({ site, weeks: 6 })
  }

  async #returnThoseDue (): Promise<void> {
    for (const each of this.#away) if (--each.weeks === 0) await this.#start(each.site)
  }

  async #found (site: YearSite): Promise<void> {
    const { founders } = (await this.#amendments('a')).newest.document
    await this.#sign({ founders: [...founders, site.peerId] })
  }

  async #amend (month: number): Promise<void> {
    await this.#connect()
    await this.#sign({ settings: { training: { rounds: WEEKS * (month + 1), lrLora: 1e-3 / (month + 1) } } })
    for (const site of this.up) await site.tend()
  }

  async #amendments (name: string): Promise<Amendments> {
    const paths = this.#sites.paths(name)
    return await Amendments.open(paths, await readFederation(paths.federation))
  }

  /** As "federation amend" at one founder and "federation agree" at another. */
  async #sign (wanted: Wanted): Promise<void> {
    const [a, b] = ['a', 'b'].map((name) => this.up.find((each) => each.name === name)!) as [YearSite, YearSite]
    const { standing } = a.running.membership
    const revoked = wanted.founders == null ? [] : standing.revokedByFounders
    const key = await loadIdentity(a.paths.identity)
    const one = await this.#amendments('a')
    await one.leave(await amend(one.newest, wanted, { key, now: new Date().toISOString(), revoked }))
    await a.tend()
    await this.#until(async () => (await this.#amendments('b')).drafts.length > 0)
    const two = await this.#amendments('b')
    await two.leave(await signFederation(two.drafts[0]!, await loadIdentity(b.paths.identity)))
    await b.tend()
    this.amendments++
    const { created } = two.newest.document
    await this.#until(() => this.up.every(({ running }) => running.membership.federation.document.created >= created))
  }

  /** News are told in the background. */
  async #until (holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < 20_000; turn++) {
      if (await holds()) return
      await new Promise((resolve) => { setTimeout(resolve, 1) })
    }
    throw new Error(`it was never told: ${this.happened.at(-1)}`)
  }

  /** All know the same statements and documents, and let each other in. */
  get isTogether (): boolean {
    const isWithAll = (one: YearSite): boolean => this.up.every((other) => other === one || one.isWith(other))
    return new Set(this.up.map(({ known }) => known)).size === 1 && this.up.every(isWithAll)
  }

  /** Those that let one another go for a new certificate greet again, as daemons do within seconds. */
  async #meet (): Promise<void> {
    await this.#until(async () => {
      await this.#connect()
      return this.isTogether
    })
  }

  async #settle (): Promise<void> {
    await this.#meet()
    for (let turn = 0; turn < 3; turn++) for (const site of this.up) await site.settle()
  }

  async #backUp (month: number): Promise<void> {
    const site = this.#pick(this.#plain)
    if (site == null) return
    const { metrics } = site.running.site
    await site.close()
    const file = join(this.#sites.folder, `backup-${month}.tar.gz`)
    await writeBackup(site.paths.home, file, new Date())
    this.#backups.push({ name: site.name, file, month, round: metrics.finishedRounds })
    for (const { file: old } of this.#backups.splice(0, Math.max(0, this.#backups.length - KEPT_BACKUPS))) await rm(old)
    await this.#start(site)
  }

  /** They are of a key, or a disk, that it has no more. */
  #forgetBackupsOf (site: YearSite): void {
    const kept = this.#backups.filter(({ name }) => name !== site.name)
    this.#backups.splice(0, this.#backups.length, ...kept)
  }

  #forget (site: YearSite): void {
    this.living.splice(this.living.indexOf(site), 1)
    this.#forgetBackupsOf(site)
  }
}
