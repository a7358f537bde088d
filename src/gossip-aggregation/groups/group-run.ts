import { ProtocolError } from '../../errors.ts'
import type { LogEntry } from '../exchange/exchange-log.ts'
import { sumOfSquares } from '../vectors/arithmetic.ts'
import type { CommittedGroup, GroupCrypto, GroupPlan, GroupReport, GroupSide, Party } from './group-types.ts'
import { mostMembers } from './sealed-delta.ts'

/** Numbers in a chunk of 256 KiB. */
const CHUNK = 65_536
const KEY_BYTES = 32
/** In the log: a leader's own decision. */
export const DECIDED_HERE = 'leader'

type GroupPhase = 'joined' | 'open' | 'masked' | 'summed' | 'sealing' | 'ready' | 'closed'

interface Incoming {
  readonly digest: ReturnType<GroupCrypto['digest']>
  numbers: number
  hex?: string
}

/**
 * One masked group at one member (docs/spec/gossip.md#masked-groups): joined → open → masked → summed → sealing →
 * (ready → sealing →) closed. Every member sends every other its delta under masks that cancel in the sum; the leader alone decides,
 * by a durable record, and until then x and u are as they were.
 */
export class GroupRun {
  readonly id: string
  readonly leader: string
  readonly self: string
  readonly #side: GroupSide
  readonly #crypto: GroupCrypto
  #phase: GroupPhase = 'joined'
  #parties: readonly Party[] = []
  #codes: Int32Array = new Int32Array(0)
  #masked: Int32Array = new Int32Array(0)
  #sum: Int32Array = new Int32Array(0)
  readonly #incoming = new Map<string, Incoming>()
  #mean = new Float32Array(0)
  #norm = 0
  #digest = ''
  #hex: string | undefined
  readonly #ending = Promise.withResolvers<void>()

  constructor (side: GroupSide, { id, leader, self }: GroupPlan, crypto: GroupCrypto) {
    this.#side = side
    this.#crypto = crypto
    this.id = id
    this.leader = leader
    this.self = self
  }

  get phase (): GroupPhase {
    return this.#phase
  }

  get isLeader (): boolean {
    return this.leader === this.self
  }

  /** What this site states when it joins. */
  get party (): Party {
    return { id: this.self, key: this.#crypto.publicKey, mass: this.#side.mass }
  }

  /** In the order that all members know. */
  get members (): readonly string[] {
    return this.#parties.map(({ id }) => id)
  }

  /** Resolves when it is closed. */
  get ended (): Promise<void> {
    return this.#ending.promise
  }

  /** Bytes of each chunk of a vector. */
  get chunks (): readonly number[] {
    const { size } = this.#side
    return Array.from({ length: Math.ceil(size / CHUNK) }, (_, index) => 4 * Math.min(CHUNK, size - index * CHUNK))
  }

  /** The leader says who takes part. @throws ProtocolError for a group that must not be */
  open (parties: readonly Party[]): void {
    this.#expect('joined')
    checkParties(parties, this.#side)
    const own = parties.find(({ id }) => id === this.self)
    if (own == null || own.mass !== this.#side.mass || own.key.some((byte, index) => byte !== this.#crypto.publicKey[index])) {
      throw new ProtocolError('the leader of the group does not say what this site stated')
    }
    if (parties.every(({ id }) => id !== this.leader)) throw new ProtocolError('the leader is not in its own group')
    for (const { id } of parties) if (id !== this.self) this.#incoming.set(id, { digest: this.#crypto.digest(), numbers: 0 })
    this.#parties = parties
    this.#phase = 'open'
  }

  /** Before the first byte of this site's vector may leave. */
  async use (): Promise<void> {
    this.#expect('open')
    await this.#side.use()
  }

  /** Puts this site's delta under its masks; iterate it to its end before `outgoing`. */
  * mask (): Generator<void, void> {
    this.#expect('open')
    const { size, mass } = this.#side
    this.#codes = this.#side.codes()
    this.#masked = new Int32Array(size)
    this.#sum = new Int32Array(size)
    const others = this.#parties.filter(({ id }) => id !== this.self)
    const streams = others.map(({ id, key }) => ({ sign: this.self < id ? 1 : -1, next: this.#crypto.stream(key) }))
    for (let begin = 0; begin < size; begin += CHUNK) {
      const part = this.#masked.subarray(begin, begin + CHUNK)
      for (let i = 0; i < part.length; i++) part[i] = Math.imul(mass, this.#codes[begin + i]!)
      for (const { sign, next } of streams) {
        addTo(part, sign, wordsOf(next(part.byteLength)))
        yield
      }
      addTo(this.#sum.subarray(begin, begin + CHUNK), 1, part)
    }
    this.#phase = 'masked'
  }

  /** Bytes of chunk `index` of what is sent; not to be changed. */
  outgoing (index: number): Uint8Array {
    const part = this.#masked.subarray(index * CHUNK, (index + 1) * CHUNK)
    if (this.#phase !== 'masked' || part.length === 0) throw new ProtocolError('the group streams before its vector is masked')
    return bytesOf(part)
  }

  /** Of what is sent, hex. */
  get ownDigest (): string {
    if (this.#hex == null) {
      const digest = this.#crypto.digest()
      digest.update(bytesOf(this.#masked))
      this.#hex = digest.hex()
    }
    return this.#hex
  }

  /** The next chunk of a member's vector, in order. @throws ProtocolError for one too many, or of another length */
  receive (from: string, bytes: Uint8Array): void {
    this.#expect('masked')
    const incoming = this.#incoming.get(from)
    if (incoming == null) throw new ProtocolError(`${from} is not in the group`)
    const part = this.#sum.subarray(incoming.numbers, incoming.numbers + CHUNK)
    if (part.length === 0 || bytes.length !== part.byteLength) {
      throw new ProtocolError(`a chunk of ${bytes.length} bytes where the schema says ${part.byteLength}`)
    }
    incoming.digest.update(bytes)
    addTo(part, 1, wordsOf(bytes))
    incoming.numbers += part.length
  }

  /** A member's vector is complete; its digest. @throws ProtocolError where it is not, or ends twice */
  end (from: string): string {
    this.#expect('masked')
    const incoming = this.#incoming.get(from)
    if (incoming == null || incoming.hex != null || incoming.numbers < this.#side.size) {
      throw new ProtocolError(`the vector of ${from} is not whole`)
    }
    incoming.hex = incoming.digest.hex()
    return incoming.hex
  }

  /** All vectors are here: the masks are gone, and what is left is the mean. @throws ProtocolError for one that is too long */
  * sum (): Generator<void, void> {
    this.#expect('masked')
    if ([...this.#incoming.values()].some(({ hex }) => hex == null)) throw new ProtocolError('the group sums before all vectors are here')
    const { size, scale, reach } = this.#side
    const unit = scale * this.#mass
    const digest = this.#crypto.digest()
    this.#mean = new Float32Array(size)
    let squares = 0
    for (let begin = 0; begin < size; begin += CHUNK) {
      const [codes, part] = [this.#sum.subarray(begin, begin + CHUNK), this.#mean.subarray(begin, begin + CHUNK)]
      for (let i = 0; i < part.length; i++) part[i] = codes[i]! / unit
      squares += sumOfSquares(part)
      digest.update(bytesOf(codes))
      yield
    }
    this.#norm = Math.sqrt(squares)
    if (this.#norm > reach()) {
      throw new ProtocolError(`the mean of the group is ${this.#norm.toPrecision(3)} long, farther than training explains`)
    }
    this.#digest = digest.hex()
    this.#phase = 'summed'
  }

  /** What this member saw, for all others to compare with. */
  get report (): GroupReport {
    if (this.#digest === '') throw new ProtocolError('the group reports before it has summed')
    return { mean: this.#digest, vectors: this.#parties.map(({ id }) => id === this.self ? this.ownDigest : this.#incoming.get(id)!.hex!) }
  }

  /** Member: durable when it resolves; from here on the leader alone knows what becomes of it. */
  async ready (): Promise<void> {
    if (this.isLeader) throw new ProtocolError('the leader decides, and waits for nobody')
    await this.#seal('pending')
    this.#phase = 'ready'
  }

  /**
   * All members saw the same: applies the mean, durably. The leader before it says so, which is the decision; a member when it hears so.
   * @throws ProtocolError where a member gave different vectors to different members
   */
  async commit (reports: readonly GroupReport[]): Promise<CommittedGroup> {
    this.#expect(this.isLeader ? 'summed' : 'ready')
    const own = canonical(this.report)
    if (reports.length !== this.#parties.length || reports.some((each) => canonical(each) !== own)) {
      throw new ProtocolError('the members of the group did not all see the same vectors')
    }
    if (this.isLeader) await this.#seal('committed')
    else await this.#settle()
    const { steps, scale, apply } = this.#side
    const outcome = { id: this.id, leader: this.leader, members: this.members, mass: this.#mass, norm: this.#norm, steps }
    apply(this.id, this.#mean, ownPart(this.#codes, scale), steps)
    this.#close('committed')
    return outcome
  }

  /** At whatever point, unless it is being made durable; a member that is ready ends in doubt. Safe to call again. */
  abort (): void {
    if (this.#phase === 'closed' || this.#phase === 'sealing') return
    this.#close(this.#phase === 'ready' ? 'doubt' : 'aborted')
  }

  get #others (): string[] {
    return [...this.#incoming.keys()]
  }

  get #mass (): number {
    return this.#parties.reduce((sum, { mass }) => sum + mass, 0)
  }

  async #seal (state: 'pending' | 'committed'): Promise<void> {
    this.#expect('summed')
    this.#phase = 'sealing'
    const { size, scale, steps, begin } = this.#side
    let entry: LogEntry | undefined
    try {
      entry = await begin(state === 'pending'
        ? { exchangeId: this.id, partner: this.leader, role: 'initiator', size: 2 * size }
        : { exchangeId: this.id, partner: DECIDED_HERE, role: 'responder', size: 2 * size, members: this.#others })
      await entry.append(this.#mean)
      await entry.append(ownPart(this.#codes, scale))
      await entry.seal(state, { factor: 1, steps })
    } catch (error) {
      await entry?.discard().catch(() => {})
      this.#close('aborted')
      throw error
    }
  }

  async #settle (): Promise<void> {
    this.#phase = 'sealing'
    try {
      await this.#side.settle(this.id)
    } catch (error) {
      this.#close('doubt')
      throw error
    }
  }

  #close (end: 'committed' | 'aborted' | 'doubt'): void {
    this.#phase = 'closed'
    this.#side.closed(end)
    this.#ending.resolve()
  }

  #expect (phase: GroupPhase): void {
    if (this.#phase !== phase) throw new ProtocolError(`the group is ${this.#phase}, not ${phase}`)
  }
}

/** @throws ProtocolError for too few or too many, one named twice, or terms that no honest site states */
function checkParties (parties: readonly Party[], { secure, maxMass }: Pick<GroupSide, 'secure' | 'maxMass'>): void {
  const { minimum } = secure
  const most = mostMembers(secure)
  if (parties.length < minimum || parties.length > most) {
    throw new ProtocolError(`a group of ${parties.length} sites where ${minimum} to ${most} may be one`)
  }
  if (new Set(parties.map(({ id }) => id)).size < parties.length) throw new ProtocolError('a group that names a site twice')
  for (const { mass, key } of parties) {
    if (!Number.isInteger(mass) || mass < 1 || mass > maxMass) throw new ProtocolError(`a member of the group states the mass ${mass}`)
    if (key.length !== KEY_BYTES) throw new ProtocolError('a member of the group stated a key that is none')
  }
}

/** What the group takes out of u: whole parts of the grid, so that the rest stays. */
function ownPart (codes: Int32Array, scale: number): Float32Array {
  return Float32Array.from(codes, (code) => code / scale)
}

/** into ← into + sign · words, modulo 2³². */
function addTo (into: Int32Array, sign: number, words: Int32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = into[i]! + sign * words[i]!
}

/** A copy: what comes from the network is neither aligned nor ours. */
function wordsOf (bytes: Uint8Array): Int32Array {
  return new Int32Array(new Uint8Array(bytes).buffer)
}

function bytesOf (words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}

function canonical ({ mean, vectors }: GroupReport): string {
  return [mean, ...vectors].join()
}
