import type { MemberView } from '../federation/membership/members-view.ts'
import type { RoundRecord } from '../home/metrics-log.ts'
import type { Fact, SiteFacts, SiteRow, WarningFacts } from '../report/site-page.ts'
import type { PeerView, SitePhase, SiteStatus } from '../rounds/status.ts'
import { WARNING_ADVICE } from '../rounds/warning-advice.ts'
import { WARNING_KINDS } from '../rounds/warning-kinds.ts'
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

function nowFacts ({ federation, isRunning, at, status, members, records }: Known, round: number): SiteFacts['now'] {
  const name = status?.name ?? members[0]?.name ?? 'This hospital'
  const stale = isRunning
    ? undefined
    : at == null
      ? 'The daemon of this site does not answer, and nothing of an earlier run is kept: “consilium start” starts it.'
      : `The daemon of this site does not answer. This is what it said last, on ${minute(at)}; “consilium start” starts it again.`
  const rounds = status?.rounds
  const begun = round === 0 ? 'No round has begun' : `Round ${round}${rounds == null ? '' : ` of ${rounds}`}`
  return {
    name,
    federation,
    headline: status == null ? `${begun}.` : `${begun}: ${isRunning ? '' : 'when it was last heard, '}${DOES[status.phase]}.`,
    lines: status == null ? [] : linesOf(status),
    ...(stale == null ? {} : { stale }),
    tiles: tilesOf(status, records.at(-1))
  }
}

function linesOf ({ trainer, progress, pace, reads, waitsFor }: SiteStatus): string[] {
  return [
    ...(progress == null ? [] : [`Step ${progress.step} of ${progress.steps} of this phase.`]),
    ...(trainer === 'restarting' ? ['The process that trains has ended and starts again.'] : []),
    ...(pace < 1 ? [`It trains ${Math.round(100 * pace)} % of a round's steps, to keep up.`] : []),
    ...(reads === true ? ['It has images and no outlines: it reads the shared model, moves nobody, and has no Dice.'] : []),
    ...(waitsFor == null ? [] : [`It waits for ${waitsFor.length} other ${waitsFor.length === 1 ? 'hospital' : 'hospitals'} to finish.`])
  ]
}

function tilesOf (status: SiteStatus | undefined, last: RoundRecord | undefined): [string, string][] {
  const dice = status?.dice ?? last?.dice
  const range = (status?.intervals ?? last?.intervals)?.personal
  const steps = status?.steps ?? last?.steps
  const figure = (value: number | undefined): string => value == null || !Number.isFinite(value) ? '–' : value.toFixed(3)
  const within = range == null ? '' : `, 95 % between ${range[0].toFixed(3)} and ${range[1].toFixed(3)}`
  return [
    [figure(dice?.personal), `Dice of this hospital's own model${within}`],
    [figure(dice?.global), 'Dice of the shared model'],
    [figure(dice?.frozen), 'Dice before any training'],
    [status == null ? '–' : String(status.peers), 'other hospitals connected'],
    [steps == null ? '–' : `${steps.arrived} of ${steps.trained}`, 'steps of training that reached another hospital'],
    [status == null ? '–' : size(status.bytesSent), 'sent in exchanges'],
    [status == null ? '–' : size(status.bytesReceived), 'received in exchanges'],
    [status == null ? '–' : String(status.exchanges), 'exchanges']
  ]
}

function warningFacts ({ status, peers, members }: Known, named: (text: string) => string): WarningFacts[] {
  const said = (status?.conditions ?? []).map(({ kind, sentence, since }): WarningFacts => ({
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

function siteRow (member: MemberView, { peers, status, records, isRunning, ledger }: Known, round: number): SiteRow {
  const peer = peers.find(({ peerId }) => peerId === member.peerId)
  const name = member.isSelf === true ? `${status?.name ?? member.name} (this hospital)` : member.name
  const registered = registeredFact(member)
  if (member.isSelf === true) {
    const last = records.at(-1)?.round ?? 0
    const training = { round: status?.round ?? last, phase: status?.phase, last }
    const trained = status?.reads === true ? fact('it reads', 'plain') : trainedFact(training, round)
    return { name, registered, connected: fact('–', 'plain'), trained, exchanged: fact('–', 'plain') }
  }
  const times = ledger.exchanged.get(member.peerId) ?? 0
  return {
    name,
    registered,
    connected: connectedFact(member, peer, isRunning),
    trained: peer?.reads === true || member.reads === true
      ? fact('it reads', 'plain')
      : trainedFact({ round: peer?.round, phase: peer?.phase, last: member.lastRound }, round),
    exchanged: times > 0
      ? fact(times === 1 ? 'yes' : `yes, ${times} times`, 'good')
      : fact(member.lastExchange == null ? 'not yet' : `no; last on ${minute(member.lastExchange)}`, 'plain')
  }
}

function registeredFact ({ standing, role, validTo }: MemberView): Fact {
  if (standing !== 'member') return fact(standing, standing === 'invited' ? 'missed' : 'bad')
  return fact(`${role}${validTo == null ? '' : `, until ${validTo.slice(0, 10)}`}`, 'good')
}

function connectedFact ({ lastSeen }: MemberView, peer: PeerView | undefined, isRunning: boolean): Fact {
  if (isRunning && peer?.connected === true) {
    const suspect = peer.suspect ? '; its adapter is far off again and again' : ''
    return fact(`yes${peer.reach == null ? '' : `, ${peer.reach}`}${suspect}`, peer.suspect ? 'bad' : 'good')
  }
  const seen = peer?.lastSeen ?? lastSeen
  const gone = peer?.phase === 'done' ? 'no, it has finished' : peer?.phase === 'stopped' ? 'no, it was stopped' : 'no'
  return fact(seen == null ? 'never seen' : `${gone}; last seen ${minute(seen)}`, peer?.absent === true ? 'bad' : 'missed')
}

interface Training {
  /** Of its latest announcement. */
  readonly round: number | undefined
  readonly phase: string | undefined
  /** The last that it is known to have finished. */
  readonly last: number | undefined
}

const AFTER_G = new Set(['exchange', 'L', 'cool-down', 'done'])

function trainedFact ({ round: theirs, phase, last = 0 }: Training, round: number): Fact {
  if (theirs == null) return fact(last >= round && round > 0 ? 'yes' : last === 0 ? 'not heard yet' : `no; last in round ${last}`, 'plain')
  if (theirs > round || last >= round || (theirs === round && AFTER_G.has(phase ?? ''))) {
    return fact(theirs > round ? `yes; now in round ${theirs}` : 'yes', 'good')
  }
  if (theirs === round && phase === 'G') return fact('training now', 'missed')
  return fact(theirs === round ? 'not yet' : `not yet; in round ${theirs}`, 'missed')
}

function curveFacts ({ records, status }: Known): SiteFacts['curves'] {
  const scored = thinned(records.filter(({ dice }) => dice != null))
  const known = thinned(records.filter(({ consensus }) => consensus != null))
  const hasIntervals = scored.filter(({ intervals }) => intervals != null).length > 1
  return {
    frozen: status?.dice?.frozen ?? scored.at(-1)?.dice?.frozen ?? null,
    history: scored.map(({ round, dice, intervals }) => ({ round, global: dice!.global, personal: dice!.personal, intervals })),
    consensus: known.map(({ round, consensus }) => ({ round, distance: consensus! })),
    without: hasIntervals || scored.length === 0
      ? ''
      : 'No intervals: fewer than five patients are among the validation images, or fewer than two rounds have been scored with them.'
  }
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
