import type { Connection, PeerId, PrivateKey, Stream, StreamHandler } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import type { AveragerInit, AveragerState } from '../../src/gossip-aggregation/averager-types.ts'
import { Averager } from '../../src/gossip-aggregation/averager.ts'
import { NO_STEPS } from '../../src/gossip-aggregation/unmixed.ts'
import { groupPort, signerOf } from '../../src/node/network/group-port.ts'
import { GroupAverageService } from '../../src/protocol/group-average/group-average.ts'
import { DiskLog, emptyDisk, type Disk } from './disk.ts'
import { Fate } from './mortal-site.ts'
import { SECURE } from './run-group.ts'
import { arriveLate, streamPair } from './stream-pair.ts'

type Checkpoint = Omit<AveragerState, 'unmixed' | 'sealed'> & { readonly u: Float32Array }

/** A site that seals its training, whose process dies and starts again from its disk; it runs the service of the daemon. */
export class SealedMortalSite {
  readonly id: string
  readonly #peerId: PeerId
  readonly #key: PrivateKey
  readonly #groups: Disk
  averager!: Averager
  isAlive = false
  fate = new Fate()
  /** Training in a checkpoint, and in none. */
  readonly trained: number[]
  readonly unsaved: number[]
  #checkpoint: Checkpoint
  #used = 0
  #service!: GroupAverageService
  #onStream: StreamHandler = () => {}
  readonly #init: AveragerInit
  readonly #streams = new Set<Stream>()
  readonly #others: () => readonly SealedMortalSite[]
  #life = 0

  constructor (key: PrivateKey, init: AveragerInit, others: () => readonly SealedMortalSite[]) {
    this.#key = key
    this.#peerId = peerIdFromPrivateKey(key)
    this.id = this.#peerId.toString()
    this.#init = init
    this.#others = others
    const learnt = { clip: { radius: init.settings.clipRadius, recent: [] }, distance: null }
    const { round, mass } = init
    const values = init.values.slice()
    this.#checkpoint = { values, round, mass, included: [], learnt, steps: NO_STEPS, u: new Float32Array(values.length) }
    this.#groups = emptyDisk({ values, round, mass, included: [], learnt, steps: NO_STEPS })
    this.trained = Array.from(values, () => 0)
    this.unsaved = [...this.trained]
  }

  die (): void {
    if (!this.isAlive) return
    this.isAlive = false
    this.#life++
    this.unsaved.fill(0)
    for (const stream of this.#streams) stream.abort(new Error('the process died'))
    this.#streams.clear()
  }

  /** Starts the process, unless it runs; it may die at that. */
  async start (): Promise<void> {
    if (this.isAlive) return
    this.isAlive = true
    const life = this.#life
    const { values, round, included, steps, u } = this.#checkpoint
    const log = new DiskLog(this.#groups, async (change) => { await this.#write(life, change) })
    const save = async (until: number): Promise<void> => { await this.#write(life, () => { this.#used = until }) }
    const sealed = { secure: SECURE, values: u, log, used: { until: this.#used, save } }
    const memory = new DiskLog(emptyDisk({ ...this.#checkpoint }), async (change) => { change() })
    try {
      this.averager = await Averager.recover({ ...this.#init, values, round, included, steps, sealed, log: memory })
    } catch {
      this.die()
      return
    }
    this.#service = new GroupAverageService({
      peerId: this.#peerId,
      registrar: {
        handle: (_protocol, handler) => {
          this.#onStream = handler
          return Promise.resolve()
        },
        unhandle: () => Promise.resolve()
      },
      connectionManager: { openStream: async (peer) => this.#open(peer as PeerId) }
    }, {
      federationId: 'f'.repeat(64),
      port: groupPort(this.averager),
      signer: signerOf(this.#key),
      isMember: () => true,
      size: values.length,
      limits: { stepMs: 1_000, dialMs: 1_000 }
    })
    await this.#service.start()
  }

  train (step: number): void {
    const before = this.averager.snapshot()
    const after = before.map((value, index) => value + step * (1 + index % 3))
    this.averager.land(before, after, this.averager.round + 1, 2)
    after.forEach((value, index) => { this.unsaved[index]! += Math.fround(value - before[index]!) })
  }

  async save (): Promise<void> {
    const { unmixed: _, sealed, ...state } = this.averager.state
    const checkpoint: Checkpoint = { ...state, values: state.values.slice(), u: sealed!.reveal().slice() }
    const landed = [...this.unsaved]
    await this.#write(this.#life, () => {
      this.#checkpoint = checkpoint
      landed.forEach((value, index) => {
        this.unsaved[index]! -= value
        this.trained[index]! += value
      })
    })
    await this.averager.saved(checkpoint.included, checkpoint.steps.trained)
  }

  /** True when it was committed as far as the leader knows. */
  async lead (members: readonly SealedMortalSite[]): Promise<boolean> {
    return await this.#service.lead(members.map(({ id }) => id)).then(() => true, () => false)
  }

  async settleAll (): Promise<void> {
    for (const leader of this.averager.sealing!.doubts.keys()) await this.#service.settle(peerIdFromString(leader)).catch(() => {})
  }

  receiveLate (): void {
    for (const stream of this.#streams) arriveLate(stream)
  }

  #open (peer: PeerId): Stream {
    const other = this.#others().find(({ id }) => id === peer.toString())!
    if (!this.isAlive || !other.isAlive) throw new Error('nobody is there')
    const [mine, theirs] = streamPair([() => this.#delivers(other), () => other.#delivers(this) === true])
    this.#streams.add(mine)
    other.#streams.add(theirs)
    Promise.resolve(other.#onStream(theirs, { remotePeer: this.#peerId } as Connection)).catch(() => {})
    return mine
  }

  #delivers (receiver: SealedMortalSite): boolean | 'late' {
    const fault = this.fate.next()
    if (fault === 'first') this.die()
    if (fault === 'last') receiver.die()
    return fault === 'late' ? 'late' : fault == null
  }

  async #write (life: number, change: () => void): Promise<void> {
    await Promise.resolve()
    if (life !== this.#life) throw new Error('the process is dead')
    const fate = this.fate.next()
    const fault = fate === 'late' ? undefined : fate
    if (fault === 'harmless') throw new Error('the disk is full')
    if (fault === 'first') this.die()
    else change()
    if (fault === 'last') this.die()
    if (fault != null) throw new Error('the process is dead')
  }
}
