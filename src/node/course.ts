import type { Auditor } from '../audit/auditor.ts'
import { endRestored } from '../home/backup.ts'
import { systemClock } from '../rounds/clock.ts'
import { Company } from '../rounds/company.ts'
import { coolDown } from '../rounds/cool-down.ts'
import { Decline } from '../rounds/decline.ts'
import { gather } from '../rounds/gather.ts'
import { Pace } from '../rounds/pace.ts'
import { LabelVotes } from '../rounds/label-votes.ts'
import type { PeerTable } from '../rounds/peer-table.ts'
import { roundPlan } from '../rounds/plan.ts'
import { readAlong } from '../rounds/read-along.ts'
import { takeUp } from '../rounds/restored.ts'
import type { SitePhase } from '../rounds/status.ts'
import { catchUp, trainRound, type OtherSites } from '../rounds/training-round.ts'
import { toldBy, weighing } from '../rounds/weigh.ts'
import { labelFreeTest } from '../settings/pretraining.ts'
import type { AmendmentWatch } from './amendment-watch.ts'
import type { JoinedPeers } from './join-peers.ts'
import type { JoinedPublications } from './join-publications.ts'
import type { AdapterState, Site } from './site.ts'
import type { TrainerProcess } from './trainer-process.ts'
import { takeWithdrawals } from './withdrawals.ts'

export interface CourseInit {
  readonly site: Site
  readonly state: AdapterState
  readonly trainer: TrainerProcess
  readonly audit: Pick<Auditor, 'record'>
  /** Missing in a site that trains alone. */
  readonly joined: JoinedPeers | undefined
  /** Where the federation shares more than the adapter. */
  readonly publications?: JoinedPublications | undefined
  /** Returns once a phase of training may begin, by the site's own policy. */
  readonly mayTrain: (signal: AbortSignal) => Promise<void>
  /** Another document is to be gone on with; missing in a site that trains alone. */
  readonly amendments?: Pick<AmendmentWatch, 'isDue' | 'look'> | undefined
  readonly signal: AbortSignal
}

/**
 * From the first round to the end of the cool-down: waits for the others where a site alone would train for itself only. Ends early, at a
 * round's end, where another document is to be gone on with, or the images are to be read anew since somebody was withdrawn: as `amended`.
 */
export async function followCourse (init: CourseInit): Promise<'finished' | 'amended'> {
  const { joined } = init
  if (joined == null) return await trainRounds(init)
  if (init.site.record.reads) return await read(init, joined)
  const company = companyOf(init, joined)
  await gatherMembers(init, joined)
  const { metrics, federation: { document: { training } } } = init.site
  await comeBack(init, joined)
  const hadFinished = metrics.finishedRounds >= training.rounds
  if (await trainRounds(init, othersOf(init, joined, company)) === 'amended') return 'amended'
  if (!leaves(init)) return await settleDown(init, joined, { company, isOpen: hadFinished })
  await joined.network.quiesce()
  return 'finished'
}

/** ε is spent, and the federation wants nothing more of such a site. */
function leaves ({ state: { privacy } }: CourseInit): boolean {
  return privacy?.isSpent === true && privacy.endsWhenSpent
}

function companyOf ({ site }: CourseInit, { gossip, network: { peers } }: JoinedPeers): Company {
  const { notices, record, config: { aloneRounds }, federation: { document: { training: { rounds } } } } = site
  return new Company({
    gossip,
    peers,
    notices,
    clock: systemClock,
    exchanges: () => record.exchanges,
    aloneRounds,
    rounds,
    before: record.exchangesByRound
  })
}

function othersOf ({ site: { peerId, record, federation } }: CourseInit, joined: JoinedPeers, company: Company): OtherSites {
  const { averaging } = federation.document
  return {
    gossip: joined.gossip,
    peers: joined.network.peers,
    distance: joined.announcer.distance,
    pace: new Pace(record.pace),
    arrival: joined.arrival,
    onScored: (scored) => { joined.best.heard(peerId, scored) },
    labelVotes: new LabelVotes(peerId),
    groups: joined.groups?.loop,
    company,
    turnsPerRound: joined.turnsPerRound,
    staleness: averaging.staleness,
    closeness: averaging.coolDown.distance,
    stayMs: 1_000 * averaging.coolDown.seconds
  }
}

/** Only who has trained nothing yet waits for others to begin with. */
async function gatherMembers (init: CourseInit, { network: { peers } }: JoinedPeers): Promise<void> {
  const { site: { metrics, config, notices }, state: { averager }, signal } = init
  if (metrics.finishedRounds > 0 || averager.round > 0) return
  const onWaiting = (): void => { enter(init, 'waiting', 1) }
  await gather({ peers, notices, clock: systemClock, waitFor: config.waitFor, onWaiting }, signal)
}

/** A restored home is behind what it has committed: before it trains it settles with the others, and takes over what they have by now. */
async function comeBack ({ site, ...init }: CourseInit, joined: JoinedPeers): Promise<void> {
  const { restored, paths, record, notices, federation: { document: { training: { rounds } } } } = site
  if (restored == null) return
  enter({ site, ...init }, 'waiting', record.round)
  const { network: { peers }, gossip, settlement } = joined
  const own = { ...init.state, notices, record, rounds }
  const isThere = await takeUp({
    made: restored.made,
    notices,
    clock: systemClock,
    isMet: () => peers.medianAhead() != null && !settlement.isOpen,
    isBehind: () => (peers.medianAhead() ?? 0) > init.state.averager.round,
    isAtEnd: () => init.state.averager.round >= rounds,
    catchUp: async () => { await catchUp(own, { gossip, peers, staleness: 0 }, init.signal) }
  }, init.signal)
  await init.state.checkpoint.save()
  if (isThere) await endRestored(paths)
}

async function trainRounds (init: CourseInit, others?: OtherSites): Promise<'finished' | 'amended'> {
  const { site, state, trainer, audit, joined, publications, mayTrain, signal } = init
  const { federation: { document }, metrics, record, notices, logger } = site
  const { training: { rounds }, method } = document
  const plan = roundPlan(document)
  const decline = new Decline(notices)
  const { staleness } = document.averaging
  const heard = (at: number): ReadonlyMap<string, Float32Array | undefined> => joined?.network.peers.facts(at, staleness) ?? new Map()
  const { mass } = state.averager
  const weigh = weighing({ settings: document, mass, rounds, heard, parts: metrics.records.findLast(({ parts }) => parts != null)?.parts })
  const told = (at: number): ReturnType<typeof toldBy> => toldBy(document, mass, heard(at))
  for (let round = metrics.finishedRounds + 1; round <= rounds && !leaves(init); round = metrics.finishedRounds + 1) {
    if (await isDue(init)) return 'amended'
    const onPhase = (phase: SitePhase): void => {
      logger.info({ round, phase }, 'phase')
      joined?.announcer.touch()
    }
    await publications?.gather(signal)
    const own = { ...state, trainer, plan, weigh, told, rounds, metrics, record, notices, mayTrain, onPhase }
    const onLanded = async (landed: number): Promise<void> => { await publications?.renew(landed, signal) }
    const parts = { ...own, isLabelFree: labelFreeTest(method), clock: systemClock, received: publications?.received, onLanded }
    await trainRound({ ...parts, ...(others == null ? {} : { others }) }, round, signal)
    decline.ended(metrics.records)
    const { dice, exchanges, bytesSent, bytesReceived, landing } = metrics.records.at(-1)!
    audit.record({ kind: 'round', round: metrics.finishedRounds, exchanges, bytesSent, bytesReceived })
    const consensus = joined?.announcer.distance()
    logger.info({ round: metrics.finishedRounds, rounds, dice, exchanges, landing, consensus }, 'round finished')
  }
  return await isDue(init) ? 'amended' : 'finished'
}

/** All is to be loaded anew before it goes on. */
async function isDue ({ site, audit, amendments }: CourseInit): Promise<boolean> {
  const isWithdrawn = await takeWithdrawals({ ...site, audit })
  return await amendments?.look() === true || isWithdrawn
}

/** The course of a site without labels. */
async function read (init: CourseInit, joined: JoinedPeers): Promise<'finished' | 'amended'> {
  const { site, state, signal } = init
  const { gossip, network: { peers }, announcer } = joined
  if (site.restored != null) await endRestored(site.paths)
  const outcome = await readAlong({
    ...site,
    ...state,
    gossip,
    peers,
    clock: systemClock,
    distance: announcer.distance,
    onPhase: () => { announcer.touch() },
    isAmended: async () => await isDue(init)
  }, signal)
  return outcome === 'amended' ? outcome : await settleDown(init, joined)
}

async function settleDown (
  init: CourseInit,
  joined: JoinedPeers,
  { company, isOpen = false }: { readonly company?: Company, readonly isOpen?: boolean } = {}
): Promise<'finished' | 'amended'> {
  const { site, state, amendments, signal } = init
  const { record, logger, notices, federation: { document: { averaging, training } } } = site
  const { gossip, announcer, network, settlement, groups } = joined
  await company?.atEnd({
    onWaiting: () => { enter(init, 'waiting', record.round) },
    catchUp: async () => {
      const own = { ...state, notices, record, rounds: training.rounds }
      await catchUp(own, { gossip, peers: network.peers, staleness: averaging.staleness }, signal)
    },
    signal
  })
  record.enter('cool-down')
  announcer.touch()
  const { seconds } = averaging.coolDown
  logger.info(
    isOpen
      ? `all rounds were finished before this start: this site stays for ${seconds} s, for those who join late or are not done yet`
      : 'all rounds finished: exchanging only'
  )
  const end = await coolDown({
    gossip,
    peers: network.peers,
    clock: systemClock,
    distance: announcer.distance,
    isInDoubt: () => settlement.isOpen || groups?.loop.mayCarry === true,
    limits: averaging.coolDown,
    isOpen,
    isAmended: () => amendments?.isDue === true,
    onWaiting: (ids) => {
      logger.info(ids.length > 0 ? waitingSentence(ids, network.peers) : 'every site that is there has finished')
    }
  }, signal)
  logger.info({ end, consensus: announcer.distance() }, 'cool-down ended')
  await network.quiesce()
  return end === 'amended' ? 'amended' : 'finished'
}

function waitingSentence (ids: readonly string[], peers: PeerTable): string {
  const what = peers.expectsSomebody() ? 'that still train' : 'that were there and are gone'
  return `waiting for sites ${what}: ${ids.map((id) => `${id} (round ${peers.announcementOf(id)?.round ?? 0})`).join(', ')}`
}

function enter ({ site: { record, logger }, joined }: CourseInit, phase: SitePhase, round: number): void {
  record.enter(phase, round)
  logger.info({ round, phase }, 'phase')
  joined?.announcer.touch()
}
