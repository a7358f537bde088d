import type { Averager } from '../gossip-aggregation/averager.ts'
import type { LabelFits } from '../settings/labels.ts'
import { hasFinished, isGone, isPartner, trainingIn, trains, viewOf, type Announced, type PeerEntry } from './peer-entry.ts'
import { reachedByMost } from './reached-by-most.ts'
import type { PeerView } from './status.ts'

export type { Announced } from './peer-entry.ts'

// A site that restarts is back within this time; one that stays away longer is not waited for.
const ABSENT_MS = 20_000
// Others that start together with this site find it within this time.
const FOUND_WITHIN_MS = 20_000
// A connected site whose round has not grown for so long holds nobody up.
const STALLED_MS = 600_000
/**
 * Sites that are remembered; beyond, the one not seen longest is forgotten, never a connected one (as a cache by last use might). More
 * than these are never connected at a time.
 */
const MOST = 1024
// So many are believed at once after a start: those who started with this site, and may not have been found yet, matter less.
const MANY = 5
/** Everything known about the other sites: connected, announced and exchanged are three different facts. */
export class PeerTable {
  readonly #entries = new Map<string, PeerEntry>()
  readonly #now: () => number
  readonly #foundWithinMs: number
  readonly #rootOf: (id: string) => string
  readonly #onRound = new Set<() => void>()
  #aloneFrom: number
  #landings = 0

  /**
   * While nobody is known yet, somebody is expected for `foundWithinMs` from now. `rootOf`: what a site is counted by, whatever key it has
   * at present.
   */
  constructor (now: () => number, foundWithinMs = FOUND_WITHIN_MS, rootOf: (id: string) => string = (id) => id) {
    this.#now = now
    this.#rootOf = rootOf
    this.#foundWithinMs = foundWithinMs
    this.#aloneFrom = now() + foundWithinMs
  }

  /** This site is ready to exchange: others that started with it may be found from now on. */
  ready (): void {
    this.#aloneFrom = this.#now() + this.#foundWithinMs
  }

  connected (id: string, addresses: readonly string[]): void {
    Object.assign(this.#entry(id), { connected: true, addresses, lastSeen: this.#now() })
  }

  disconnected (id: string): void {
    const entry = this.#entries.get(id)
    if (entry != null) Object.assign(entry, { connected: false, lastSeen: this.#now() })
  }

  /** It is a member no more: nobody waits for it. */
  forget (id: string): void {
    this.#entries.delete(id)
  }

  announced (id: string, announced: Announced): void {
    const entry = this.#entry(id)
    entry.lastSeen = this.#now()
    const isNews = announced.reads !== true && this.#moved(entry, announced.round)
    if (hasFinished(announced)) entry.finishedAt ??= this.#now()
    else delete entry.finishedAt
    entry.announced = announced
    entry.announcedAt = this.#now()
    entry.firstRound ??= announced.round
    entry.announcedRound = announced.round
    if (isNews) for (const listener of this.#onRound) listener()
  }

  /** It said so in an exchange: beliefs about rounds do not hang on announcements alone, which a lost connection may keep away. */
  heardRound (id: string, round: number): void {
    const entry = this.#entries.get(id)
    if (entry?.announced == null || !trains(entry) || round <= entry.highest) return
    entry.announced = { ...entry.announced, round }
    this.#moved(entry, round)
    for (const listener of this.#onRound) listener()
  }

  /** Calls whenever another site says that it is in a later round, until what it returns is called. */
  onRound (listener: () => void): () => void {
    this.#onRound.add(listener)
    return () => { this.#onRound.delete(listener) }
  }

  exchanged (id: string): void {
    const entry = this.#entry(id)
    entry.exchanges++
    entry.lastSeen = this.#now()
  }

  /** Its adapter has another schema: it is never asked again. */
  markForeign (id: string): void {
    this.#entry(id).foreign = true
  }

  /** Which software it runs, and whether that and this site's have no common version of a protocol: it is not asked while that is so. */
  runs (id: string, { software, isApart }: { software: string | undefined, isApart: boolean }): void {
    const entry = this.#entries.get(id)
    if (entry == null) return
    entry.apart = isApart
    if (software != null) entry.software = software
  }

  /** Ids of all sites known to train the same model, sorted: what the rule `exponential` counts through. */
  ring (self: string): string[] {
    const ids = [...this.#entries].filter(([, entry]) => isPartner(entry) && entry.announced != null).map(([id]) => id)
    return [...ids, self].sort()
  }

  /** Candidates that announced a round more than `staleness` beyond this one, and no more than that beyond the one that is believed. */
  farAhead (round: number, staleness: number, believed = Infinity): string[] {
    return this.candidates().filter((id) => {
      const theirs = this.#entries.get(id)?.announced?.round ?? round
      return theirs - round > staleness && theirs - believed <= staleness
    })
  }

  /** How often another site's round was seen to grow: training that has landed there. */
  get landings (): number {
    return this.#landings
  }

  /** What it announced last. */
  announcementOf (id: string): Announced | undefined {
    return this.#entries.get(id)?.announced
  }

  /** What it says of its steps and its pace. */
  trainingOf (id: string): Pick<PeerView, 'steps' | 'pace' | 'reads'> {
    return trainingIn(this.#entries.get(id)?.announced ?? {})
  }

  /** How the masks of sites that were heard of lately agree with the federation's model, by site. */
  labelFits (): Map<string, LabelFits> {
    const since = this.#now() - ABSENT_MS
    const lately = [...this.#entries].filter(([, entry]) => trains(entry) && (entry.announcedAt ?? -Infinity) > since)
    return new Map(lately.flatMap(([id, { announced }]) => announced?.labelFits == null ? [] : [[id, announced.labelFits] as const]))
  }

  /**
   * Facts of the other sites that train, as they announced them last, by site; undefined of one that announced none. Who was not heard of
   * lately counts as long as it is no more than `staleness` rounds behind this one.
   */
  facts (round: number, staleness: number): Map<string, Float32Array | undefined> {
    const since = this.#now() - ABSENT_MS
    const counts = (entry: PeerEntry): boolean => entry.announced != null && isPartner(entry) &&
      ((entry.announcedAt ?? -Infinity) > since || round - entry.announced.round <= staleness)
    return new Map([...this.#entries].flatMap(([id, entry]) => counts(entry) ? [[id, entry.announced?.facts] as const] : []))
  }

  /** Of the sites heard of lately one has not trained yet, and told nothing of itself: it may be about to. */
  awaitsFacts (): boolean {
    const since = this.#now() - ABSENT_MS
    return [...this.#entries.values()].some((entry) => isPartner(entry) && (entry.announcedAt ?? -Infinity) > since &&
      entry.announcedRound === 0 && entry.announced?.facts == null)
  }

  /**
   * Connected sites that one may ask for an exchange: those that announced themselves, as long as there is one, since others may still
   * be loading.
   */
  candidates (): string[] {
    const able = [...this.#entries].filter(([, entry]) => entry.connected && isPartner(entry))
    const announced = able.filter(([, entry]) => entry.announced != null)
    return (announced.length > 0 ? announced : able).map(([id]) => id)
  }

  /** Sites that are connected, or were until a moment ago, and have not finished their rounds. */
  unfinished (): string[] {
    return [...this.#entries].filter(([, entry]) =>
      this.#isPresent(entry) && entry.announced != null && !hasFinished(entry.announced)
    ).map(([id]) => id)
  }

  /** Sites that are there, have loaded their data and have not left. */
  presentCount (): number {
    return [...this.#entries.values()].filter((entry) => this.#isPresent(entry) && entry.announced != null && !isGone(entry)).length
  }

  /** One that is there was in its rounds already when this site first heard of it. */
  hadBegun (): boolean {
    return [...this.#entries.values()].some((entry) => this.#isPresent(entry) && (entry.firstRound ?? 0) > 0)
  }

  /** The others have finished and said goodbye, at least one of them, and nobody is there any more: none is to come. */
  haveLeft (): boolean {
    const members = [...this.#entries.values()].filter(trains)
    const isThere = members.some((entry) => this.#isPresent(entry) && !isGone(entry))
    return !isThere && members.some(({ announced }) => announced?.phase === 'done')
  }

  /**
   * Whom a site that has finished waits for: who still trains; where nobody is there, who was. Of several that are there none waits long
   * for one that is not: that one will find nobody, and wait.
   */
  waitedFor (): string[] {
    if (this.expectsSomebody()) return this.unfinished()
    if (this.haveLeft()) return []
    return [...this.#entries].filter(([, entry]) => isPartner(entry) && entry.announced != null).map(([id]) => id)
  }

  /** Half of all sites that are there or more shorten their phases, this one counted as one that does. */
  areHalfSlow (): boolean {
    const others = [...this.#entries.values()].filter((entry) => this.#isPresent(entry) && entry.announced != null)
    const slow = others.filter(({ announced }) => (announced?.pace ?? 1) < 1)
    return 2 * (slow.length + 1) >= others.length + 1
  }

  /** Milliseconds for which the first of the others that are there has finished; 0 while all train. */
  finishedForMs (): number {
    const now = this.#now()
    const there = [...this.#entries.values()].filter((entry) => this.#isPresent(entry))
    return Math.max(0, ...there.map(({ finishedAt = now }) => now - finishedAt))
  }

  /** True while somebody is there, may come back in a moment, or may yet be found because this site has only just come up. */
  expectsSomebody (): boolean {
    const others = [...this.#entries.values()].filter(({ announced }) => announced?.reads !== true)
    if (others.length === 0) return this.#now() < this.#aloneFrom
    return others.some((entry) => this.#isPresent(entry) && !isGone(entry))
  }

  /**
   * Median of the rounds that connected, moving sites announced; undefined without any. Of connected ones alone: pausing and catching
   * up are about partners that this site can ask, who would refuse it as stale, and nobody is to wait for a site that it cannot reach.
   */
  medianRound (): number | undefined {
    const rounds = this.#movingRounds()
    return rounds[Math.floor((rounds.length - 1) / 2)]
  }

  /**
   * The same median with this site counted as one of them, behind all others: what a slow site believes before it gives up its place.
   * Half of a federation alone makes nobody skip rounds; of two sites, the one believes the other. Undefined as long as those who started
   * with this site may not have been found yet, unless others are many.
   */
  medianAhead (): number | undefined {
    const rounds = this.#movingRounds()
    if (this.believedInMs() > 0) return undefined
    return reachedByMost(rounds)
  }

  /**
   * From now on this averager refuses a partner for the rounds between them only where the one behind will catch up: where more than half
   * of all, itself counted, are too far ahead of it.
   */
  guide (averager: Pick<Averager, 'round' | 'settings' | 'willCatchUp'>): void {
    averager.willCatchUp = (round, partner) => {
      const others = [...this.#movingRounds(partner), ...(partner == null ? [] : [averager.round])].sort((a, b) => a - b)
      return (reachedByMost(others) ?? Infinity) - round > averager.settings.staleness
    }
  }

  /** Milliseconds until the rounds of the others are believed. */
  believedInMs (): number {
    return this.#movingRounds().length < MANY ? Math.max(0, this.#aloneFrom - this.#now()) : 0
  }

  /**
   * The same median with this site counted as one of them, ahead of all others: what a fast site waits for. Half of a federation that is
   * slow holds nobody up; of two sites, the one waits for the other.
   */
  medianBelow (): number | undefined {
    const rounds = this.#movingRounds()
    return rounds[Math.min(rounds.length - 1, Math.floor((rounds.length + 1) / 2))]
  }

  /**
   * Sketches of all sites of this schema that were heard of lately: connected or not, since announcements reach the whole federation
   * and connections a few of it. That a site is foreign is otherwise learnt only by asking it.
   */
  sketches (schemaHash: string): Float32Array[] {
    const since = this.#now() - ABSENT_MS
    const lately = [...this.#entries.values()].filter((entry) => trains(entry) && (entry.announcedAt ?? -Infinity) > since)
    return lately.flatMap(({ announced }) => announced?.schemaHash === schemaHash ? [announced.sketch] : [])
  }

  isConnected (id: string): boolean {
    return this.#entries.get(id)?.connected === true
  }

  connectedIds (): string[] {
    return [...this.#entries].filter(([, { connected }]) => connected).map(([id]) => id)
  }

  get connectedCount (): number {
    return [...this.#entries.values()].filter(({ connected }) => connected).length
  }

  /** Of these, those that average what this site does. */
  get partnerCount (): number {
    return [...this.#entries.values()].filter((entry) => entry.connected && trains(entry)).length
  }

  /** Other sites that train the same, and those that only read; of the former, how many said no farewell and are not there. */
  get counts (): { known: number, absent: number, readers: number } {
    const all = [...this.#entries.values()]
    const known = all.filter(trains)
    const readers = all.filter(({ announced }) => announced?.reads === true).length
    return { known: known.length, absent: known.filter((entry) => this.#isAbsent(entry)).length, readers }
  }

  /** `suspects`: sites whose adapters were clipped again and again. `classes`: names of the federation's. */
  view (suspects: readonly string[] = [], classes: readonly string[] = []): PeerView[] {
    return [...this.#entries].map((each) => {
      const view = viewOf(each, { suspect: suspects.includes(each[0]), classes })
      return this.#isAbsent(each[1]) ? { ...view, absent: true as const } : view
    })
  }

  /**
   * Ascending. Of all, not of those alone that this site has exchanged with: these are as fast or as new as it is, and a few liars that
   * come first would be most of them.
   */
  #movingRounds (except?: string): number[] {
    return [...this.#entries]
      .filter(([id, entry]) =>
        id !== except && entry.connected && trains(entry) && !entry.apart && this.#now() - entry.movedAt < STALLED_MS)
      .flatMap(([, { announced, highest }]) => announced == null ? [] : [highest])
      .sort((a, b) => a - b)
  }

  /** Going back and forth is no news: nobody waits for it. */
  #moved (entry: PeerEntry, round: number): boolean {
    if (round <= entry.highest) return false
    entry.highest = round
    entry.movedAt = this.#now()
    this.#landings++
    return true
  }

  /** It trained, said no farewell, and is not there. */
  #isAbsent (entry: PeerEntry): boolean {
    return entry.announced != null && isPartner(entry) && !this.#isPresent(entry)
  }

  #isPresent (entry: PeerEntry): boolean {
    return trains(entry) && !entry.apart && (entry.connected || this.#now() - (entry.lastSeen ?? -Infinity) < ABSENT_MS)
  }

  #entry (id: string): PeerEntry {
    const known = this.#entries.get(id)
    if (known != null) return known
    const { highest = -1, movedAt = this.#now() } = this.#takeFormer(id) ?? {}
    const entry: PeerEntry = { connected: false, addresses: [], highest, movedAt, exchanges: 0, foreign: false, apart: false }
    if (this.#entries.size >= MOST) this.#forgetOne()
    this.#entries.set(id, entry)
    return entry
  }

  /** What is known of the key that this one took over from, which is no site of its own any more. */
  #takeFormer (id: string): PeerEntry | undefined {
    const root = this.#rootOf(id)
    // The first key took over from none.
    if (root === id) return undefined
    const former = [...this.#entries].find(([key, { connected }]) => !connected && this.#rootOf(key) === root)
    if (former != null) this.#entries.delete(former[0])
    return former?.[1]
  }

  #forgetOne (): void {
    const absent = [...this.#entries].filter(([, { connected }]) => !connected)
    const seen = ([, { lastSeen }]: [string, PeerEntry]): number => lastSeen ?? -Infinity
    const oldest = absent.reduce<[string, PeerEntry] | undefined>(
      (least, each) => least == null || seen(each) < seen(least) ? each : least,
      undefined
    )
    if (oldest != null) this.#entries.delete(oldest[0])
  }
}
