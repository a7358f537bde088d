import type { Adapter } from '../adapter/adapter.ts'
import type { PrivateSet } from '../adapter/private-set.ts'
import type { Fitted, Scored } from '../dataset/index.ts'
import type { SampleScore } from '../model/classes/evaluation.ts'
import type { Received } from '../model/components/component.ts'
import type { Learner } from '../model/train/learner.ts'
import { MemoryPool, type OnMade, type PoolStore } from '../model/pseudo/pool.ts'
import type { Choice, PhaseArgs, PhaseResult } from '../model/train/learner-args.ts'
import { relationsTo } from '../model/train/related.ts'
import type { Serves, TrainPhase } from '../settings/method.ts'
import type { Mode } from '../settings/model.ts'

interface TrainedSiteInit {
  readonly learner: Learner
  readonly adapter: Adapter
  readonly samples: readonly Fitted[]
  readonly choice?: Choice | undefined
  readonly siteSeed: number
  /** How many sites' images these are, pooled; 1 if not given. */
  readonly sites?: number
  /** What it shows to the others of its images. */
  readonly shown?: readonly Received[]
  /** What it announces of its images from the start. */
  readonly facts?: PhaseResult['facts']
  /** By which name it shows the adapter as it has trained it; it does not if not given. */
  readonly showsCoreAs?: string
}

/**
 * One site's adapter and experts on a learner that it shares with the other sites of a run, which take turns: compiled once for all of
 * them.
 */
export class TrainedSite {
  readonly samples: readonly Fitted[]
  readonly #choice: Choice | undefined
  readonly #learner: Learner
  readonly #siteSeed: number
  readonly #sites: number
  readonly #shown: readonly Received[]
  readonly #showsCoreAs: string | undefined
  readonly #pool: PoolStore = new MemoryPool()
  #core: Float32Array | undefined
  /** What it announces, where its method asks it. */
  facts: PhaseResult['facts']
  #adapter: Adapter
  #private: PrivateSet

  private constructor (
    { learner, adapter, samples, choice, siteSeed, sites = 1, shown = [], facts, showsCoreAs }: TrainedSiteInit,
    own: PrivateSet
  ) {
    this.#learner = learner
    this.#adapter = adapter
    this.#private = own
    this.#siteSeed = siteSeed
    this.#sites = sites
    this.#shown = shown
    this.#showsCoreAs = showsCoreAs
    this.facts = facts
    this.samples = samples
    this.#choice = choice
  }

  /** With the experts that the learner holds now: those at the start, as long as nothing was trained. */
  static async create (init: TrainedSiteInit): Promise<TrainedSite> {
    return new TrainedSite(init, await init.learner.exportPrivate())
  }

  /** What it shows to the others. */
  get shown (): readonly Received[] {
    const [peer, values] = [this.#showsCoreAs, this.#core]
    return peer == null || values == null ? this.#shown : [...this.#shown, { kind: 'core-adapter', peer, values }]
  }

  get adapter (): Adapter {
    return this.#adapter
  }

  /** What it takes of its own core and of those of other sites, by the names that they show theirs by; undefined where it learns none. */
  relationsTo (names: readonly string[]): ReturnType<typeof relationsTo> | undefined {
    this.#learner.importPrivate(this.#private)
    const { relations } = this.#learner
    return relations == null ? undefined : relationsTo(relations, names)
  }

  get experts (): PrivateSet {
    return this.#private
  }

  /** Trains one phase on the adapter that it has, and keeps what comes of it. */
  async train (
    phase: TrainPhase,
    round: number,
    { received = [], signal, ...told }: Pick<PhaseArgs, 'masses' | 'threshold' | 'siteVectors'> & {
      readonly received?: readonly Received[],
      readonly signal?: AbortSignal | undefined
    } = {}
  ): Promise<void> {
    this.#learner.importPrivate(this.#private)
    const { adapter, facts } = await this.#learner.train(phase, { ...this.#args(round, signal), received, ...told })
    if (facts != null) this.facts = { ...this.facts, ...facts }
    this.#adapter = adapter
    if (phase === 'G') this.#core = this.#learner.core
    this.#private = await this.#learner.exportPrivate()
  }

  /** Makes a round's pseudo-masks, into this pool alone. */
  async guess (round: number, pool: PoolStore, onMade: OnMade): Promise<void> {
    this.#learner.importPrivate(this.#private)
    await this.#learner.guessed({ ...this.#args(round, undefined), pool, onMade })
  }

  /** Takes over what came of mixing. */
  take (adapter: Adapter): void {
    this.#adapter = adapter
  }

  async evaluate (samples: readonly Scored[], mode: Mode): Promise<{ dice: number, perSample: SampleScore[] }> {
    this.#learner.importPrivate(this.#private)
    return await this.#learner.evaluate({ adapter: this.#adapter, samples, mode })
  }

  /** What the site would have without the others, and what it serves; where the method has a choice. */
  async evaluateAlone (samples: readonly Scored[]): Promise<{ readonly aloneDice?: number, readonly serves?: Serves }> {
    this.#learner.importPrivate(this.#private)
    const alone = await this.#learner.evaluateAlone(samples)
    const { serves } = this.#learner
    return { ...(alone == null ? {} : { aloneDice: alone.dice }), ...(serves == null ? {} : { serves }) }
  }

  async predict (samples: readonly Fitted[], mode: Mode): Promise<Uint8Array[]> {
    this.#learner.importPrivate(this.#private)
    return await this.#learner.predict({ adapter: this.#adapter, samples, mode })
  }

  #args (round: number, signal: AbortSignal | undefined): PhaseArgs {
    const common = { round, siteSeed: this.#siteSeed, sites: this.#sites, ...(signal == null ? {} : { signal }) }
    return { adapter: this.#adapter, samples: this.samples, choice: this.#choice, pool: this.#pool, ...common }
  }
}
