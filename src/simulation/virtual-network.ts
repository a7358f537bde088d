import { RefusedError, UnreachableError } from '../errors.ts'
import type { CommittedExchange } from '../gossip-aggregation/exchange/exchange-types.ts'
import type { Exchange } from '../gossip-aggregation/exchange/exchange.ts'
import type { GroupRun } from '../gossip-aggregation/groups/group-run.ts'
import { cryptoOf } from '../privacy/group-secrets.ts'
import type { VirtualClock } from './virtual-clock.ts'
import type { VirtualSite } from './virtual-site.ts'

/** Whoever does not take part in a group, and why. */
type OnDeclined = (member: string, reason: string) => void

export interface NetworkInit {
  readonly clock: VirtualClock
  readonly random: () => number
  /** Share of messages that never arrive. */
  readonly loss: number
  /** Mean milliseconds that a message takes. */
  readonly delay: number
  /** Messages to and from slow sites take so many times as long. */
  readonly slowness?: number
}

/** A message that has not come after this many mean delays never will. */
const PATIENCE = 8
const RETRY_MS = 50

/** What the wire protocol does between two sites, without wires: messages take time, and some are lost. */
export class VirtualNetwork {
  readonly #init: NetworkInit
  loss: number
  #exchanges = 0
  /** Groups that were committed, and that broke off after they had begun. */
  readonly groups = { formed: 0, broken: 0 }

  constructor (init: NetworkInit) {
    this.#init = init
    this.loss = init.loss
  }

  /** One exchange, as `initiate` and `respond` of the protocol have it; errors are theirs. */
  async exchange (
    initiator: VirtualSite,
    responder: VirtualSite,
    { catchUp = false, upTo }: { catchUp?: boolean, upTo?: number | undefined } = {}
  ): Promise<CommittedExchange> {
    await this.settle(initiator, responder)
    const { exchange, offer } = initiator.averager.offer(responder.id, this.#nextId(), { catchUp, ...(upTo == null ? {} : { upTo }) })
    let theirs: Exchange | undefined
    try {
      await this.#deliver(initiator, responder)
      const answer = responder.averager.answer({ self: responder.id, partner: initiator.id, offer })
      if ('exchange' in answer) theirs = answer.exchange
      await this.#deliver(responder, initiator)
      if (exchange.phase !== 'offered') throw new RefusedError('YIELDED')
      if ('refused' in answer) throw new RefusedError(answer.refused, RETRY_MS + 2 * this.#init.delay)
      exchange.open(answer.exchange.terms, answer.exchange.codec)
      await this.#swap([initiator, exchange], [responder, answer.exchange])
      return await this.#commit([initiator, exchange], [responder, answer.exchange])
    } catch (error) {
      exchange.abort()
      theirs?.abort()
      throw error
    }
  }

  /** One masked group, as `lead` and `follow` of the protocol have it, without signatures, since nobody here forges any. */
  async group (leader: VirtualSite, invited: readonly VirtualSite[], onDeclined: OnDeclined): Promise<void> {
    const id = this.#nextId()
    const lead: Member = [leader, joinGroup(leader, id, leader)]
    const asked = await Promise.all(invited.map(async (site) => await this.#invite(site, id, leader, onDeclined)))
    const members = asked.filter((each) => each != null)
    try {
      if (members.length + 1 < leader.averager.sealing!.secure.minimum) throw new RefusedError('TOO_FEW')
      await this.#average([lead, ...members])
    } catch (error) {
      if (!(error instanceof RefusedError)) this.groups.broken++
      throw error
    } finally {
      for (const [, run] of [lead, ...members]) run.abort()
    }
  }

  async #invite (site: VirtualSite, id: string, leader: VirtualSite, onDeclined: OnDeclined): Promise<Member | undefined> {
    let run: GroupRun | undefined
    try {
      await this.#deliver(leader, site)
      run = joinGroup(site, id, leader)
      await this.#deliver(site, leader)
      return [site, run]
    } catch (error) {
      run?.abort()
      onDeclined(site.id, error instanceof RefusedError ? error.reason : 'UNREACHABLE')
      return undefined
    }
  }

  async #average ([lead, ...members]: readonly [Member, ...Member[]]): Promise<void> {
    const all = [lead, ...members]
    const parties = all.map(([, run]) => run.party)
    await Promise.all(members.map(async ([site]) => { await this.#deliver(lead[0], site) }))
    for (const [, run] of all) {
      run.open(parties)
      await run.use()
      for (const _ of run.mask());
    }
    const pairs = all.flatMap((one) => all.filter((other) => other !== one).map((other) => [one, other] as const))
    await Promise.all(pairs.map(async (pair) => { await this.#sendMasked(...pair) }))
    for (const [, run] of all) for (const _ of run.sum());
    const reports = all.map(([, run]) => run.report)
    await Promise.all(members.map(async ([site, run]) => {
      await run.ready()
      await this.#deliver(site, lead[0])
    }))
    await lead[1].commit(reports)
    this.groups.formed++
    await Promise.all(members.map(async ([site, run]) => {
      await this.#deliver(lead[0], site)
      await run.commit(reports)
      await this.#deliver(site, lead[0])
      await lead[0].averager.sealing!.acknowledged([run.id], site.id)
    }).map(async (told) => { await told.catch(() => {}) }))
  }

  async #sendMasked ([from, sending]: Member, [to, receiving]: Member): Promise<void> {
    for (const bytes of sending.chunks) from.bytesSent += bytes
    await this.#deliver(from, to)
    for (const index of sending.chunks.keys()) receiving.receive(from.id, sending.outgoing(index))
    receiving.end(from.id)
  }

  /** What became of a group in doubt, by its leader. */
  async settleGroup (member: VirtualSite, leader: VirtualSite): Promise<void> {
    const id = member.averager.sealing?.doubts.get(leader.id)
    if (id == null) return
    await this.#deliver(member, leader)
    const verdict = await leader.averager.sealing!.decide(id)
    await this.#deliver(leader, member)
    await member.averager.sealing!.settle(id, verdict)
    await this.#deliver(member, leader)
    await leader.averager.sealing!.acknowledged([id], member.id)
  }

  /** An exchange in doubt with this partner is asked about, settled, and then forgotten by the partner. */
  async settle (initiator: VirtualSite, responder: VirtualSite): Promise<void> {
    const id = initiator.averager.doubts.get(responder.id)
    if (id == null) return
    await this.#deliver(initiator, responder)
    const verdict = await responder.averager.decide(id, initiator.id)
    await this.#deliver(responder, initiator)
    await initiator.averager.settle(id, verdict)
    await this.#deliver(initiator, responder)
    await responder.averager.acknowledged(id, initiator.id)
  }

  async #swap (one: [VirtualSite, Exchange], other: [VirtualSite, Exchange]): Promise<void> {
    for (const [, exchange] of [one, other]) for (const _ of exchange.prepare());
    await Promise.all([this.#stream(one, other), this.#stream(other, one)])
    for (const [, exchange] of [one, other]) exchange.verify()
  }

  /** A stream is one message: whatever is missing, the exchange fails. */
  async #stream ([from, sending]: [VirtualSite, Exchange], [to, receiving]: [VirtualSite, Exchange]): Promise<void> {
    for (const { bytes } of sending.chunks) from.bytesSent += bytes
    await this.#deliver(from, to)
    for (const index of sending.chunks.keys()) receiving.receive(sending.outgoing(index))
  }

  async #commit ([initiator, exchange]: [VirtualSite, Exchange], [responder, theirs]: [VirtualSite, Exchange]): Promise<CommittedExchange> {
    await exchange.committing()
    await this.#deliver(initiator, responder)
    responder.gossip.served(initiator.id, await theirs.commit())
    responder.onServed?.(initiator.id)
    await this.#deliver(responder, initiator)
    const before = exchange.terms.mass === 0 ? initiator.averager.shared() : undefined
    const outcome = await exchange.commit()
    if (before != null) took(initiator, before)
    await this.#deliver(initiator, responder).then(async () => {
      await responder.averager.acknowledged(exchange.id, initiator.id)
    }, () => {})
    return outcome
  }

  /** An announcement, which some do not hear. */
  async publish (from: VirtualSite, to: readonly VirtualSite[], heard: (site: VirtualSite) => void): Promise<void> {
    const { clock, random, delay } = this.#init
    if (delay > 0) await clock.sleep(delay * (0.5 + random()))
    for (const site of to) if (this.#comes(from, site)) heard(site)
  }

  async #deliver (from: VirtualSite, to: VirtualSite): Promise<void> {
    const { clock, random, delay, slowness = 1 } = this.#init
    if (delay > 0) await clock.sleep(delay * (0.5 + random()) * (from.isSlow || to.isSlow ? slowness : 1))
    if (this.#comes(from, to)) return
    if (delay > 0) await clock.sleep(PATIENCE * delay)
    throw new UnreachableError(`no message from ${from.id} comes to ${to.id}`)
  }

  #comes (from: VirtualSite, to: VirtualSite): boolean {
    return !to.isAway && !from.isAway && (this.loss === 0 || this.#init.random() >= this.loss)
  }

  #nextId (): string {
    return (++this.#exchanges).toString(16).padStart(32, '0')
  }
}

type Member = [site: VirtualSite, run: GroupRun]

function joinGroup (site: VirtualSite, id: string, leader: VirtualSite): GroupRun {
  return site.averager.sealing!.join({ id, leader: leader.id, self: site.id }, cryptoOf(id))
}

/** What a site takes over changes Σw·x, and nothing else of an exchange does. */
function took ({ averager: { values }, moved }: VirtualSite, before: Float32Array): void {
  moved?.forEach((sum, index) => { moved[index] = sum + values[index]! - before[index]! })
}
