import { fromString } from 'uint8arrays/from-string'
import { breather, runInSlices } from '../../common/slices.ts'
import { ProtocolError } from '../../errors.ts'
import type { Frames } from '../shared/frames.ts'
import { within } from '../shared/within.ts'
import { decodeTrailer, encodeOpening, encodeTrailer, MAX_GROUP_BYTES, type Signed } from './messages.ts'
import type { GroupReport, OpenGroup, Party, Signer } from './port.ts'

/** Milliseconds. */
export interface GroupLimits {
  readonly dialMs: number
  /** Of every wait for another member. */
  readonly stepMs: number
}

export interface SessionInit {
  readonly federationId: string
  readonly run: OpenGroup
  readonly self: string
  readonly signer: Signer
  readonly limits: GroupLimits
  /** A fresh stream to another member. */
  readonly dial: (member: string) => Promise<Frames>
  /** Has a valid certificate, as far as this site knows once it has reached it. */
  readonly isMember: (peer: string) => boolean
  readonly signal: AbortSignal
}

/** One run at one member: who signed what, and the vectors of all to all. */
export class GroupSession {
  readonly init: SessionInit
  readonly #masked = Promise.withResolvers<void>()
  readonly #arrived = new Map<string, ReturnType<typeof Promise.withResolvers<void>>>()
  readonly #incoming = new Set<string>()

  constructor (init: SessionInit) {
    this.init = init
    this.#masked.promise.catch(() => {})
  }

  get run (): OpenGroup {
    return this.init.run
  }

  async signedParty (): Promise<Signed<Party>> {
    const { party } = this.run
    return { ...party, signature: await this.init.signer.sign(this.#partyBytes(party)) }
  }

  async signedReport (): Promise<Signed<GroupReport>> {
    const { report } = this.run
    return { ...report, signature: await this.init.signer.sign(this.#reportBytes(report)) }
  }

  /** @throws ProtocolError where one did not sign what is said of it */
  async checkParties (parties: readonly Signed<Party>[]): Promise<void> {
    for (const party of parties) await this.#check(party.id, this.#partyBytes(party), party.signature)
  }

  /** In the order of the members. @throws ProtocolError where one did not sign what is said of it */
  async checkReports (reports: readonly Signed<GroupReport>[]): Promise<void> {
    for (const [index, report] of reports.entries()) {
      await this.#check(this.run.members[index] ?? '', this.#reportBytes(report), report.signature)
    }
  }

  /** Masks, sends to all, takes from all, and sums. */
  async average (parties: readonly Party[]): Promise<void> {
    const { run, signal, limits: { stepMs: ms }, self } = this.init
    run.open(parties)
    const others = run.members.filter((id) => id !== self)
    const streams = await this.#reach(others)
    await run.use()
    signal.throwIfAborted()
    await runInSlices(run.mask(), { signal })
    this.#masked.resolve()
    await Promise.all(streams.flatMap(([id, frames]) => [
      this.#send(frames),
      within(this.#arrival(id).promise, { ms, what: `vector of ${id}`, signal })
    ]))
    await runInSlices(run.sum(), { signal })
  }

  /** Another member's vector comes on this stream. */
  async take (from: string, frames: Frames): Promise<void> {
    try {
      await this.#take(from, frames)
      this.#arrival(from).resolve()
    } catch (error) {
      this.#arrival(from).reject(error)
      throw error
    }
  }

  /** Whoever waits for a vector waits no more. */
  fail (error: Error): void {
    this.run.abort()
    this.#masked.reject(error)
    for (const { reject } of this.#arrived.values()) reject(error)
  }

  async #take (from: string, frames: Frames): Promise<void> {
    if (this.#incoming.has(from)) throw new ProtocolError(`${from} sends its vector twice`)
    this.#incoming.add(from)
    const { run, signal, limits: { stepMs: ms } } = this.init
    await within(this.#masked.promise, { ms, what: 'start of the group', signal })
    const breathe = breather()
    for (const bytes of run.chunks) {
      run.receive(from, await frames.read(bytes, { ms, what: 'chunk', signal }))
      await breathe()
    }
    if (decodeTrailer(await frames.read(MAX_GROUP_BYTES, { ms, what: 'trailer', signal })) !== run.end(from)) {
      throw new ProtocolError('the digest does not match the words that came')
    }
  }

  /** Before anything is shown: whoever cannot be reached, or is no member, ends the group without harm. */
  async #reach (others: readonly string[]): Promise<[id: string, frames: Frames][]> {
    const { run, dial, isMember, signal, limits: { stepMs: ms } } = this.init
    return await Promise.all(others.map(async (id): Promise<[string, Frames]> => {
      const frames = await dial(id)
      if (!isMember(id)) throw new ProtocolError(`the leader of the group counts ${id} in, who is no member`)
      await frames.write(encodeOpening({ kind: 'VECTOR', groupId: run.id }), { ms, what: 'room for the opening', signal })
      return [id, frames]
    }))
  }

  async #send (frames: Frames): Promise<void> {
    const { run, signal, limits: { stepMs: ms } } = this.init
    const limit = { ms, what: 'room for the next chunk', signal }
    try {
      const breathe = breather()
      for (const index of run.chunks.keys()) {
        await frames.write(run.outgoing(index), limit)
        await breathe()
      }
      await frames.write(encodeTrailer(run.ownDigest), limit)
      frames.finish(ms)
    } catch (error) {
      frames.abort(error as Error)
      throw error
    }
  }

  #arrival (id: string): ReturnType<typeof Promise.withResolvers<void>> {
    const arrival = this.#arrived.get(id) ?? Promise.withResolvers<void>()
    arrival.promise.catch(() => {})
    this.#arrived.set(id, arrival)
    return arrival
  }

  async #check (id: string, bytes: Uint8Array, signature: Uint8Array): Promise<void> {
    if (!await this.init.signer.verify(id, bytes, signature)) throw new ProtocolError(`what is said of ${id} was not signed by it`)
  }

  #partyBytes ({ id, key, mass }: Party): Uint8Array {
    return this.#bound('join', id, Buffer.from(key).toString('hex'), String(mass))
  }

  #reportBytes ({ mean, vectors }: GroupReport): Uint8Array {
    return this.#bound('report', ...this.run.members, mean, ...vectors)
  }

  #bound (...parts: readonly string[]): Uint8Array {
    return fromString(JSON.stringify(['consilium/group-average/1', this.init.federationId, this.run.id, ...parts]))
  }
}
