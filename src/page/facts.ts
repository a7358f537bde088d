import type { MemberView } from '../federation/membership/members-view.ts'
import type { RoundRecord } from '../home/metrics-log.ts'
import type { Fact, SiteFacts, SiteRow, WarningFacts } from '../report/site-page.ts'
import type { ConditionView, PeerView, SitePhase, SiteStatus } from '../rounds/status.ts'
import { WARNING_ADVICE } from '../rounds/warning-advice.ts'
import { TOLD_KINDS, WARNING_KINDS } from '../rounds/warning-kinds.ts'
import type { LedgerTail } from '../audit/tail.ts'
import { entryInWords, minute, size } from './words.ts'

/** What is known of a site, of its daemon or of its files. */
export interface Known {
  readonly federation: string
  /** The daemon answers. */
  readonly isRunning: boolean
  /** When the daemon, or the last one, said the next two; ISO 8601. Undefined where none ever did. */
  readonly at: string | undefined
  readonly status: SiteStatus | undefined
  readonly peers: readonly PeerView[]
  /** This site's own line first. */
  readonly members: readonly MemberView[]
  readonly records: readonly RoundRecord[]
  readonly ledger: LedgerTail
}

const LEDGER_LINES = 12
const BYTES_ROUNDS = 8
const POINTS = 120

const DOES: Readonly<Record<SitePhase, string>> = {
  starting: 'it loads the model and the images',
  waiting: 'it waits for the other hospitals',
  reading: 'it reads the shared model of the others',
  G: 'it trains the part of the model that all share',
  exchange: 'it averages with the other hospitals',
  L: 'it fits its own part of the model and scores it',
  'cool-down': 'its rounds are over; it goes on averaging until the others have finished',
  done: 'it has finished',
  stopped: 'it has stopped'
}

/** All parts of the page. */
export function factsOf (known: Known): SiteFacts {
  const round = known.status?.round ?? known.records.at(-1)?.round ?? 0
  const names = namesOf(known.members)
  return {
    now: nowFacts(known, round),
    warnings: warningFacts(known, names),
    figures: tilesOf(known.status, known.records.at(-1)),
    sites: { round, rows: known.members.map((each) => siteRow(each, known, round)) },
    curves: curveFacts(known),
    traffic: {
      bytes: known.records.slice(-BYTES_ROUNDS).map(({ round: number, bytesSent, bytesReceived }) =>
        ({ name: `round ${number}`, bytesSent, bytesReceived }))
    },
    ledger: known.ledger.entries.slice(-LEDGER_LINES).toReversed().map((entry) => [minute(entry.t), entryInWords(entry, names)])
  }
}

/** Peer ids by the names of their sites; an id that nobody knows stays, cut short. */
function namesOf (members: readonly MemberView[]): (text: string) => string {
  const names = new Map(members.map(({ peerId, name }) => [peerId, name]))
  return (text) => text.replaceAll(/\b(12D3KooW|Qm|16Uiu2)[1-9A-HJ-NP-Za-km-z]{20,}/g, (id) => names.get(id) ?? `…${id.slice(-8)}`)
}

function nowFacts ({ federation, isRunning, at, status, members }: Known, round: number): SiteFacts['now'] {
  return {
    name: status?.name ?? members[0]?.name ?? 'This hospital',
    federation,
    headline: headlineOf(status, isRunning, round),
    lines: status == null ? [] : linesOf(status),
    ...(isRunning ? {} : { stale: staleSince(at) })
  }
}

function headlineOf (status: SiteStatus | undefined, isRunning: boolean, round: number): string {
  const begun = round === 0 ? 'No round has begun' : `Round ${round}${status == null ? '' : ` of ${status.rounds}`}`
  return status == null ? `${begun}.` : `${begun}: ${isRunning ? '' : 'when it was last heard, '}${DOES[status.phase]}.`
}

function staleSince (at: string | undefined): string {
  return at == null
    ? 'The daemon of this site does not answer, and nothing of an earlier run is kept: “consilium start” starts it.'
    : `The daemon of this site does not answer. This is what it said last, on ${minute(at)}; “consilium start” starts it again.`
}

function linesOf ({ trainer, progress, pace, reads, unscored, waitsFor, labelFree }: SiteStatus): string[] {
  return [
    ...(labelFree === true && reads !== true
      ? ['This round looks at no outline: it learns from all images alike, and Dice says little yet.']
      : []),
    ...(progress == null ? [] : [`Step ${progress.step} of ${progress.steps} of this phase.`]),
    ...(trainer === 'restarting' ? ['The process that trains has ended and starts again.'] : []),
    ...(pace < 1 ? [`It trains ${Math.round(100 * pace)} % of a round's steps, to keep up.`] : []),
    ...(reads === true ? ['It has images and no outlines: it reads the shared model, moves nobody, and has no Dice.'] : []),
    ...(unscored === true ? ['No image of it that is held back has a whole mask: it trains, and has no Dice.'] : []),
    ...(waitsFor == null ? [] : [`It waits for ${waitsFor.length} other ${waitsFor.length === 1 ? 'hospital' : 'hospitals'} to finish.`])
  ]
}

type Tile = readonly [value: string, name: string]

function tilesOf (status: SiteStatus | undefined, last: RoundRecord | undefined): Tile[] {
  const { dice, intervals, steps } = { ...last, ...status }
  const reached: Tile[] = steps == null ? [] : [[`${steps.arrived} of ${steps.trained}`, 'steps of training that reached another hospital']]
  return [...diceTiles(dice, intervals?.personal), ...reached, ...(status == null ? [] : trafficTiles(status))]
}

function diceTiles (dice: SiteStatus['dice'], range: readonly [number, number] | undefined): Tile[] {
  if (dice == null) return []
  const within = range == null ? '' : `, 95 % between ${range[0].toFixed(3)} and ${range[1].toFixed(3)}`
  const figure = (value: number): string => Number.isFinite(value) ? value.toFixed(3) : '–'
  return [
    [figure(dice.personal), `Dice of this hospital's own model${within}`],
    [figure(dice.global), 'Dice of the shared model'],
    [figure(dice.frozen), 'Dice before any training']
  ]
}

function trafficTiles ({ peers, bytesSent, bytesReceived, exchanges }: SiteStatus): Tile[] {
  return [
    [String(peers), 'other hospitals connected'],
    [size(bytesSent), 'sent in exchanges'],
    [size(bytesReceived), 'received in exchanges'],
    [String(exchanges), 'exchanges']
  ]
}

/** What a person must hear of stands before the rest; of either the oldest first. */
function warningFacts ({ status, peers, members }: Known, named: (text: string) => string): WarningFacts[] {
  const all = status?.conditions ?? []
  const isTold = ({ kind }: ConditionView): boolean => kind != null && TOLD_KINDS.has(kind)
  const said = [...all.filter(isTold), ...all.filter((each) => !isTold(each))].map(({ kind, sentence, since }): WarningFacts => ({
    title: capital(kind == null ? 'something that a person should know' : WARNING_KINDS[kind].means),
    sentence: capital(named(sentence)) + '.',
    todo: kind == null ? 'read the sentence above' : WARNING_ADVICE[kind],
    since: minute(since)
  }))
  return [...said, ...peers.filter(({ absent }) => absent === true).map((peer) => absence(peer, members))]
}

/** No condition of this site: nothing here is wrong. */
function absence ({ peerId, lastSeen, round = 0 }: PeerView, members: readonly MemberView[]): WarningFacts {
  const name = members.find((each) => each.peerId === peerId)?.name ?? `…${peerId.slice(-8)}`
  return {
    title: 'A hospital that trained is gone without a farewell',
    sentence: `${name} was in round ${round} when it was heard last.`,
    todo: 'ask the people there whether their site runs; this one goes on with the others',
    since: lastSeen == null ? 'its start' : minute(lastSeen)
  }
}

const READS: Fact = { text: 'it reads', mark: 'plain' }
const OWN: Fact = { text: '–', mark: 'plain' }

function siteRow (member: MemberView, known: Known, round: number): SiteRow {
  const registered = registeredFact(member)
  if (member.isSelf === true) return { ...ownRow(member, known, round), registered }
  const peer = known.peers.find(({ peerId }) => peerId === member.peerId)
  const reads = [peer?.reads, member.reads].includes(true)
  return {
    name: member.name,
    registered,
    connected: connectedFact(member, peer, known.isRunning),
    trained: reads ? READS : trainedFact({ round: peer?.round, phase: peer?.phase, last: member.lastRound }, round),
    exchanged: exchangedFact(known.ledger.exchanged.get(member.peerId) ?? 0, member.lastExchange)
  }
}

function ownRow ({ name }: MemberView, { status, records, isRunning }: Known, round: number): Omit<SiteRow, 'registered'> {
  const last = records.at(-1)?.round ?? 0
  const phase = phaseOf(status, isRunning)
  const trained = status?.reads === true ? READS : trainedFact({ round: status?.round ?? last, phase, last }, round)
  return { name: `${status?.name ?? name} (this hospital)`, connected: OWN, trained, exchanged: OWN }
}

/** What has stopped in the middle of its training trains no more. */
function phaseOf (status: SiteStatus | undefined, isRunning: boolean): SitePhase | undefined {
  return !isRunning && status?.phase === 'G' ? undefined : status?.phase
}

function exchangedFact (times: number, last: string | undefined): Fact {
  if (times > 0) return fact(times === 1 ? 'yes' : `yes, ${times} times`, 'good')
  return fact(last == null ? 'not yet' : `no; last on ${minute(last)}`, 'plain')
}

function registeredFact ({ standing, role, validTo }: MemberView): Fact {
  if (standing !== 'member') return fact(standing, standing === 'invited' ? 'missed' : 'bad')
  return fact(`${role}${validTo == null ? '' : `, until ${validTo.slice(0, 10)}`}`, 'good')
}

function connectedFact ({ lastSeen }: MemberView, peer: PeerView | undefined, isRunning: boolean): Fact {
  if (isRunning && peer?.connected === true) return linkFact(peer)
  const seen = peer?.lastSeen ?? lastSeen
  if (seen == null) return fact('never seen', 'missed')
  const why = FAREWELLS[peer?.phase ?? ''] ?? 'no'
  return fact(`${why}; last seen ${minute(seen)}`, peer?.absent === true ? 'bad' : 'missed')
}

const FAREWELLS: Readonly<Record<string, string>> = { done: 'no, it has finished', stopped: 'no, it was stopped' }

function linkFact ({ reach, suspect }: PeerView): Fact {
  const by = reach == null ? 'yes' : `yes, ${reach}`
  return suspect ? fact(`${by}; its adapter is far off again and again`, 'bad') : fact(by, 'good')
}

interface Training {
  /** Of its latest announcement. */
  readonly round: number | undefined
  readonly phase: string | undefined
  /** The last that it is known to have finished. */
  readonly last: number | undefined
}

const AFTER_G = new Set(['exchange', 'L', 'cool-down', 'done'])

function trainedFact ({ round: theirs, phase = '', last = 0 }: Training, round: number): Fact {
  if (theirs == null) return unheardFact(last, round)
  if (theirs > round) return fact(`yes; now in round ${theirs}`, 'good')
  if (last >= round) return fact('yes', 'good')
  if (theirs < round) return fact(`not yet; in round ${theirs}`, 'missed')
  return AFTER_G.has(phase) ? fact('yes', 'good') : fact(phase === 'G' ? 'training now' : 'not yet', 'missed')
}

function unheardFact (last: number, round: number): Fact {
  if (last === 0) return fact('not heard yet', 'plain')
  return fact(last >= round ? 'yes' : `no; last in round ${last}`, 'plain')
}

function curveFacts ({ records, status }: Known): SiteFacts['curves'] {
  const scored = thinned(records.filter(({ dice }) => dice != null))
  const known = thinned(records.filter(({ consensus }) => consensus != null))
  const hasIntervals = scored.filter(({ intervals }) => intervals != null).length > 1
  return {
    frozen: status?.dice?.frozen ?? scored.at(-1)?.dice?.frozen ?? null,
    history: scored.map(({ round, dice, intervals }) => ({ round, global: dice!.global, personal: dice!.personal, intervals })),
    consensus: known.map(({ round, consensus }) => ({ round, distance: consensus! })),
    without: scored.length === 0 ? noCurve(status) : hasIntervals ? '' : NO_INTERVALS
  }
}

const NO_INTERVALS =
  'No intervals: fewer than five patients are among the validation images, or fewer than two rounds have been scored with them.'

/** Why there will be none; nothing where there may be one yet. */
function noCurve (status: SiteStatus | undefined): string {
  if (status?.reads === true) return 'Nothing to draw: this site has no labels to score by.'
  return status?.unscored === true ? 'Nothing to draw: no image that is held back has a whole mask to score by.' : ''
}

/** At most so many, the last one among them. */
function thinned<T> (all: readonly T[]): T[] {
  const step = Math.ceil(all.length / POINTS)
  return all.filter((_, i) => (all.length - 1 - i) % step === 0)
}

function fact (text: string, mark: Fact['mark']): Fact {
  return { text, mark }
}

function capital (text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
