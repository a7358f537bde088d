import { RefusedError, UnreachableError } from '../errors.ts'
import type { CommittedExchange } from '../gossip-aggregation/exchange/exchange-types.ts'
import type { Exchange } from '../gossip-aggregation/exchange/exchange.ts'
import type { VirtualClock } from './virtual-clock.ts'
import type { VirtualSite } from './virtual-site.ts'

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

/** What a site takes over changes Σw·x, and nothing else of an exchange does. */
function took ({ averager: { values }, moved }: VirtualSite, before: Float32Array): void {
  moved?.forEach((sum, index) => { moved[index] = sum + values[index]! - before[index]! })
}
