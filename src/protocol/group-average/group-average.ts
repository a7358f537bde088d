import { randomBytes } from 'node:crypto'
import { TypedEventEmitter, type Connection, type PeerId, type Startable, type Stream, type TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager, Registrar } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { RateLimit } from '../../common/rate-limit.ts'
import { ProtocolError, RefusedError, TimeoutError, UnreachableError } from '../../errors.ts'
import { openStream } from '../shared/dial.ts'
import { Frames } from '../shared/frames.ts'
import { protocolId, type Protocols } from '../versions.ts'
import { answerMember, askLeader, follow } from './follow.ts'
import { lead, type Leading } from './lead.ts'
import { decodeOpening, encodeAnswer, MAX_GROUP_BYTES, type GroupRefusal } from './messages.ts'
import type { CommittedGroup, Decision, GroupPort, Signer } from './port.ts'
import { GroupSession, type GroupLimits } from './session.ts'

/** Per connection: an invitation, vectors, and a question. */
const MAX_STREAMS = 4
const OPENINGS_PER_SECOND = 5
const OPENING_BURST = 40
const ID_BYTES = 16
const LIMITS: GroupLimits = { dialMs: 10_000, stepMs: 20_000 }
const LEAST_TOTAL_MS = 60_000
/** Of a slow line, in bytes per millisecond: 1 Mbit/s. A run may take four times what it predicts. */
const SLOW_RATE = 125
const PATIENCE = 4

/** A committed group; bytes include length prefixes. */
interface GroupDone extends CommittedGroup {
  readonly bytesSent: number
  readonly bytesReceived: number
  /** SHA-256 of what was sent, hex. */
  readonly sentDigest: string
}

interface GroupFailure {
  readonly groupId: string
  readonly leader: string
  readonly error: Error
  /** Only its leader knows whether it was committed. */
  readonly inDoubt: boolean
  readonly bytesSent: number
}

export interface GroupAverageEvents {
  group: CustomEvent<GroupDone>
  failure: CustomEvent<GroupFailure>
  /** A group in doubt is so no longer. */
  settled: CustomEvent<{ readonly leader: string, readonly groupId: string, readonly verdict: Decision }>
}

export interface GroupAverageInit {
  readonly federationId: string
  readonly port: GroupPort
  readonly signer: Signer
  /** Has a valid certificate now. */
  readonly isMember: (peer: string) => boolean
  /** Numbers in a vector. */
  readonly size: number
  readonly limits?: Partial<GroupLimits>
  readonly protocols?: Protocols | undefined
}

export interface GroupAverageComponents {
  readonly peerId: PeerId
  readonly registrar: Pick<Registrar, 'handle' | 'unhandle'>
  readonly connectionManager: Pick<ConnectionManager, 'openStream'>
}

export interface GroupAverage extends TypedEventTarget<GroupAverageEvents>, Startable {
  /** Invites these and leads. @throws RefusedError with reason TOO_FEW, BUSY_HERE or NOT_READY_HERE */
  lead (invited: readonly string[], onDeclined?: Leading['onDeclined']): Promise<void>
  /** Asks this leader what became of a group in doubt, and lets it forget what is settled. */
  settle (leader: PeerId): Promise<void>
}

interface Session {
  readonly session: GroupSession
  readonly all: Set<Frames>
  readonly end: () => void
}

/** `group-average/1.0.0`: means of groups, of which nobody sees a part (docs/spec/gossip.md#masked-groups). */
export class GroupAverageService extends TypedEventEmitter<GroupAverageEvents> implements GroupAverage {
  readonly protocol: string
  readonly #components: GroupAverageComponents
  readonly #init: GroupAverageInit
  readonly #limits: GroupLimits
  readonly #openings = new RateLimit({ perSecond: OPENINGS_PER_SECOND, burst: OPENING_BURST, now: () => performance.now() })
  /** One, as a rule: the run that is open here. */
  readonly #sessions = new Map<string, Session>()
  #stopping = new AbortController()

  constructor (components: GroupAverageComponents, init: GroupAverageInit) {
    super()
    this.#components = components
    this.#init = init
    this.#limits = { ...LIMITS, ...init.limits }
    this.protocol = protocolId(init.federationId, 'group-average', init.protocols)
  }

  async start (): Promise<void> {
    this.#stopping = new AbortController()
    const options = { maxInboundStreams: MAX_STREAMS, maxOutboundStreams: MAX_STREAMS, runOnLimitedConnection: false }
    await this.#components.registrar.handle(this.protocol, async (stream, connection) => {
      await this.#onStream(stream, connection)
    }, options)
  }

  async stop (): Promise<void> {
    await this.#components.registrar.unhandle(this.protocol)
    this.#stopping.abort(new UnreachableError('this node is stopping'))
  }

  async lead (invited: readonly string[], onDeclined?: Leading['onDeclined']): Promise<void> {
    const { port } = this.#init
    await this.#run({ id: randomBytes(ID_BYTES).toString('hex'), leader: this.#self }, async (session) =>
      await lead(session, { invited, port, ...(onDeclined == null ? {} : { onDeclined }) }))
  }

  async settle (leader: PeerId): Promise<void> {
    const frames = await this.#open(leader.toString())
    const { stepMs: ms } = this.#limits
    try {
      const settled = await askLeader(this.#init.port, leader.toString(), { frames, ms, signal: this.#stopping.signal })
      frames.finish(ms)
      if (settled != null) this.dispatchEvent(new CustomEvent('settled', { detail: { leader: leader.toString(), ...settled } }))
    } catch (error) {
      frames.abort(error as Error)
      throw error
    }
  }

  get #self (): string {
    return this.#components.peerId.toString()
  }

  async #open (member: string): Promise<Frames> {
    const { connectionManager } = this.#components
    const stream = await openStream({
      connectionManager,
      protocol: this.protocol,
      peerId: peerIdFromString(member),
      ms: this.#limits.dialMs,
      maxOutboundStreams: MAX_STREAMS,
      signals: [this.#stopping.signal]
    })
    return new Frames(stream)
  }

  async #onStream (stream: Stream, { remotePeer }: Connection): Promise<void> {
    const partner = remotePeer.toString()
    const frames = new Frames(stream)
    try {
      await this.#serve(partner, frames)
      frames.finish(this.#limits.stepMs)
    } catch (error) {
      frames.abort(error as Error)
    }
  }

  async #serve (partner: string, frames: Frames): Promise<void> {
    const { stepMs: ms } = this.#limits
    const { signal } = this.#stopping
    if (!this.#init.isMember(partner)) throw new RefusedError('NOT_MEMBER')
    if (this.#openings.take(partner) > 0) throw new RefusedError('RATE_LIMITED')
    const opening = decodeOpening(await frames.read(MAX_GROUP_BYTES, { ms, what: 'opening of a group', signal }))
    if (opening.kind === 'ASK') await answerMember(this.#init.port, partner, opening.groupId, { frames, ms, signal })
    else if (opening.kind === 'VECTOR') await this.#take(partner, opening.groupId, frames)
    else await this.#invited(partner, opening, frames)
  }

  async #take (partner: string, groupId: string, frames: Frames): Promise<void> {
    const running = this.#sessions.get(groupId)
    if (running == null) throw new ProtocolError('a vector for a group that there is not')
    running.all.add(frames)
    try {
      await running.session.take(partner, frames)
    } catch (error) {
      // What one member sends wrong ends the group here, and so everywhere.
      running.session.fail(error as Error)
      throw error
    }
  }

  async #invited (leader: string, { groupId, schemaHash }: { groupId: string, schemaHash: string }, frames: Frames): Promise<void> {
    const { port } = this.#init
    if (schemaHash !== port.schemaHash) return await this.#refuse('SCHEMA', frames)
    try {
      await this.#run({ id: groupId, leader }, async (session, all) => {
        all.add(frames)
        return await follow(session, frames)
      })
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error
      await this.#refuse(error.reason === 'BUSY_HERE' ? 'BUSY' : 'NOT_READY', frames)
    }
  }

  async #refuse (refused: GroupRefusal, frames: Frames): Promise<void> {
    await frames.write(encodeAnswer({ refused }), { ms: this.#limits.stepMs, what: 'room for the answer', signal: this.#stopping.signal })
  }

  /** Within the time limit of a run; says how it ended. */
  async #run (
    plan: { readonly id: string, readonly leader: string },
    work: (session: GroupSession, all: Set<Frames>) => Promise<CommittedGroup>
  ): Promise<void> {
    const running = this.#begin(plan)
    const { session, all } = running
    const sum = (what: 'bytesSent' | 'bytesReceived'): number => [...all].reduce((total, frames) => total + frames[what], 0)
    try {
      const committed = await work(session, all)
      const detail = { ...committed, bytesSent: sum('bytesSent'), bytesReceived: sum('bytesReceived'), sentDigest: session.run.ownDigest }
      this.dispatchEvent(new CustomEvent('group', { detail }))
    } catch (error) {
      const inDoubt = session.run.phase === 'ready'
      session.fail(error as Error)
      for (const frames of all) frames.abort(error as Error)
      const detail = { groupId: plan.id, leader: plan.leader, error: error as Error, inDoubt, bytesSent: sum('bytesSent') }
      this.dispatchEvent(new CustomEvent('failure', { detail }))
      throw error
    } finally {
      running.end()
    }
  }

  #begin (plan: { readonly id: string, readonly leader: string }): Session {
    const { federationId, port, signer, isMember } = this.#init
    const run = port.join({ ...plan, self: this.#self })
    const ending = new AbortController()
    const timer = setTimeout(() => { ending.abort(new TimeoutError('the group did not end in time')) }, this.#totalMs)
    const all = new Set<Frames>()
    const session = new GroupSession({
      federationId,
      run,
      self: this.#self,
      signer,
      isMember,
      limits: this.#limits,
      dial: async (member) => {
        const frames = await this.#open(member)
        all.add(frames)
        return frames
      },
      signal: AbortSignal.any([this.#stopping.signal, ending.signal])
    })
    const end = (): void => {
      clearTimeout(timer)
      this.#sessions.delete(plan.id)
    }
    const begun = { session, all, end }
    this.#sessions.set(plan.id, begun)
    return begun
  }

  get #totalMs (): number {
    const { size, port: { secure } } = this.#init
    return Math.max(LEAST_TOTAL_MS, PATIENCE * 4 * size * 2 * secure.size / SLOW_RATE)
  }
}
