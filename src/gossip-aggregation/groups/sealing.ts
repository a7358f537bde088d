import { RefusedError } from '../../errors.ts'
import type { Decision, GroupLog } from '../exchange/exchange-log.ts'
import { MemoryExchangeLog } from '../exchange/memory-log.ts'
import { DECIDED_HERE, GroupRun } from './group-run.ts'
import type { GroupCrypto, GroupPlan, SecureSettings } from './group-types.ts'
import { gridScale, SealedDelta } from './sealed-delta.ts'

/** What a site that seals its training starts from. */
export interface SealedInit {
  readonly secure: SecureSettings
  /** u; nothing when missing. */
  readonly values?: Float32Array | undefined
  /** In memory when missing. */
  readonly log?: GroupLog | undefined
  /** Steps up to which u was in a group that may have been seen, and makes a later number durable. */
  readonly used?: { readonly until: number, readonly save: (until: number) => Promise<void> } | undefined
}

/** What sealing needs of its averager. */
interface SealingSite {
  readonly schema: { readonly size: number }
  readonly mass: number
  readonly settings: { readonly maxMass: number }
  readonly steps: { readonly trained: number }
  /** Either, and no group is begun or joined. */
  readonly paused: boolean
  readonly withheld: boolean
}

interface SealingEffects {
  /** Largest ‖ū‖ that is taken in. */
  readonly reach: () => number
  /** x ← x + mean, at once; this site's training up to `steps` is at others now. */
  readonly apply: (id: string, mean: Float32Array, steps: number) => void
}

/** Runs that this site took part in, by their end. */
export interface GroupCounts {
  committed: number
  aborted: number
}

const REMEMBERED = 64

/**
 * What a site trained and no group has carried yet, and its part in groups: at most one at a time, and u is in no second one before
 * there is new training in it, since what differs between two groups is known to whoever was in both.
 */
export class Sealing {
  readonly secure: SecureSettings
  readonly counts: GroupCounts = { committed: 0, aborted: 0 }
  readonly #site: SealingSite
  readonly #effects: SealingEffects
  readonly #u: SealedDelta
  readonly #log: GroupLog
  readonly #scale: number
  readonly #saveUsed: (until: number) => Promise<void>
  /** Members who may still ask what became of a group that this site led. */
  readonly #unheard = new Map<string, Set<string>>()
  readonly #settling = new Map<string, Promise<void>>()
  readonly #known = new Set<string>()
  #used: number
  #durable: number
  #run: GroupRun | undefined

  constructor (site: SealingSite, { secure, values, log = new MemoryExchangeLog(), used }: SealedInit, effects: SealingEffects) {
    this.secure = secure
    this.#site = site
    this.#effects = effects
    this.#u = new SealedDelta(values ?? new Float32Array(site.schema.size))
    this.#log = log
    this.#scale = gridScale(secure, site.settings.maxMass)
    this.#used = used?.until ?? 0
    this.#saveUsed = used?.save ?? (() => Promise.resolve())
    this.#durable = site.steps.trained
    for (const id of log.unacknowledged(DECIDED_HERE)) this.#unheard.set(id, new Set(log.head(id)?.members))
  }

  /** Groups that were committed since the checkpoint are carried out again. */
  async recover (included: readonly string[]): Promise<void> {
    for (const { exchangeId, steps } of this.#log.committed()) {
      if (!included.includes(exchangeId)) await this.#redo(exchangeId, steps ?? 0)
    }
    await this.#log.absorb(included)
  }

  /** u. */
  get delta (): SealedDelta {
    return this.#u
  }

  /** A checkpoint with u in it is durable: `included` groups may be dropped from the log. */
  async saved (included: readonly string[], trained: number): Promise<void> {
    this.#durable = trained
    await this.#log.absorb(included)
  }

  holds (id: string): boolean {
    return this.#log.committed().some(({ exchangeId }) => exchangeId === id)
  }

  /** There is training that no group has carried or may have shown, on disk, and nothing is open or in doubt. */
  get isFresh (): boolean {
    const { paused, withheld, steps: { trained } } = this.#site
    if (paused || withheld || this.#run != null || this.#log.pending().length > 0) return false
    return trained > this.#used && trained === this.#durable
  }

  /** A run is open. */
  get isOpen (): boolean {
    return this.#run != null
  }

  /** Takes part in a group from here on. @throws RefusedError with reason BUSY_HERE or NOT_READY_HERE */
  join (plan: GroupPlan, crypto: GroupCrypto): GroupRun {
    if (this.#run != null) throw new RefusedError('BUSY_HERE')
    if (!this.isFresh || this.#known.has(plan.id) || this.#log.head(plan.id) != null) throw new RefusedError('NOT_READY_HERE')
    this.#remember(plan.id)
    const { schema: { size }, mass, settings: { maxMass }, steps: { trained: steps } } = this.#site
    let mayBeSeen = false
    const run = this.#run = new GroupRun({
      size,
      mass,
      maxMass,
      reach: this.#effects.reach,
      steps,
      secure: this.secure,
      scale: this.#scale,
      codes: () => this.#u.codes(this.#scale, this.secure.bound),
      use: async () => {
        mayBeSeen = true
        this.#used = steps
        await this.#saveUsed(steps)
      },
      begin: async (head) => await this.#log.begin(head),
      settle: async (id) => { await this.#log.settle(id, 'committed') },
      apply: (id, mean, own, carried) => { this.#apply(id, mean, own, carried) },
      closed: (end) => {
        if (this.#run === run) this.#run = undefined
        if (end === 'committed') this.counts.committed++
        else if (mayBeSeen) this.counts.aborted++
        if (end === 'committed' && run.isLeader) this.#unheard.set(run.id, new Set(this.#log.head(run.id)?.members))
      }
    }, plan, crypto)
    return run
  }

  /** In doubt: leader → group id. */
  get doubts (): ReadonlyMap<string, string> {
    const inDoubt = this.#log.pending().filter(({ exchangeId }) => exchangeId !== this.#run?.id)
    return new Map(inDoubt.map(({ partner, exchangeId }) => [partner, exchangeId]))
  }

  /** The leader said what became of it. Once, however often it is asked for. */
  async settle (id: string, verdict: Decision): Promise<void> {
    const running = this.#settling.get(id) ?? this.#settle(id, verdict).finally(() => { this.#settling.delete(id) })
    this.#settling.set(id, running)
    await running
  }

  /** A member asks; what is open here is aborted, bindingly, and of what was not committed nothing is kept: aborted. */
  async decide (id: string): Promise<Decision> {
    const run = this.#run
    if (run?.id === id && run.isLeader) {
      run.abort()
      await run.ended
    }
    return this.#log.outcome(id, DECIDED_HERE) ?? 'aborted'
  }

  /** Groups that this site led, and of which this member may still ask. */
  unheard (member: string): string[] {
    return [...this.#unheard].filter(([, members]) => members.has(member)).map(([id]) => id)
  }

  /** Not in doubt here, and never will be: its leader may forget it. */
  isSettled (id: string): boolean {
    return this.#run?.id !== id && !this.#log.pending().some(({ exchangeId }) => exchangeId === id)
  }

  /** This member has these settled: what all members know of is forgotten. */
  async acknowledged (ids: readonly string[], member: string): Promise<void> {
    const heard = ids.filter((id) => {
      const members = this.#unheard.get(id)
      return members?.delete(member) === true && members.size === 0
    })
    if (heard.length === 0) return
    await this.#log.forget(heard, DECIDED_HERE)
    for (const id of heard) this.#unheard.delete(id)
  }

  async #settle (id: string, verdict: Decision): Promise<void> {
    const head = this.#log.pending().find(({ exchangeId }) => exchangeId === id)
    if (head == null) return
    const parts = verdict === 'committed' ? await this.#parts(id) : undefined
    await this.#log.settle(id, verdict)
    if (parts != null) this.#apply(id, ...parts, head.steps ?? 0)
    this.counts[verdict]++
  }

  async #redo (id: string, steps: number): Promise<void> {
    this.#apply(id, ...await this.#parts(id), steps)
  }

  async #parts (id: string): Promise<[mean: Float32Array, own: Float32Array]> {
    const both = await this.#log.read(id)
    const { size } = this.#site.schema
    return [both.subarray(0, size), both.subarray(size)]
  }

  #apply (id: string, mean: Float32Array, own: Float32Array, steps: number): void {
    this.#u.add(-1, own)
    this.#effects.apply(id, mean, steps)
  }

  #remember (id: string): void {
    this.#known.add(id)
    if (this.#known.size > REMEMBERED) this.#known.delete(this.#known.values().next().value!)
  }
}

/** Undefined where nothing is sealed. */
export function sealingOf (...[site, init, effects]: [SealingSite, SealedInit | undefined, SealingEffects]): Sealing | undefined {
  return init == null ? undefined : new Sealing(site, init, effects)
}
