import type { Adapter } from '../adapter/adapter.ts'
import type { PrivateSet } from '../adapter/private-set.ts'
import type { Fitted, Scored } from '../dataset/index.ts'
import type { Learner, SampleScore } from '../model/train/learner.ts'
import type { Mode } from '../settings/model.ts'

interface SiteModelInit {
  readonly learner: Learner
  readonly adapter: Adapter
  readonly samples: readonly Fitted[]
  readonly siteSeed: number
}

/**
 * One site's adapter and experts on a learner that it shares with the other sites of a run, which take turns: compiled once for all of
 * them.
 */
export class SiteModel {
  readonly samples: readonly Fitted[]
  readonly #learner: Learner
  readonly #siteSeed: number
  #adapter: Adapter
  #experts: PrivateSet

  private constructor ({ learner, adapter, samples, siteSeed }: SiteModelInit, experts: PrivateSet) {
    this.#learner = learner
    this.#adapter = adapter
    this.#experts = experts
    this.#siteSeed = siteSeed
    this.samples = samples
  }

  /** With the experts that the learner holds now: those at the start, as long as nothing was trained. */
  static async create (init: SiteModelInit): Promise<SiteModel> {
    return new SiteModel(init, await init.learner.exportPrivate())
  }

  get adapter (): Adapter {
    return this.#adapter
  }

  get experts (): PrivateSet {
    return this.#experts
  }

  /** Phase G: what it makes of the adapter, which stays as it is. */
  async phaseG (round: number, signal?: AbortSignal): Promise<Adapter> {
    this.#learner.importPrivate(this.#experts)
    return (await this.#learner.phaseG(this.#args(round, signal))).adapter
  }

  take (adapter: Adapter): void {
    this.#adapter = adapter
  }

  /** Takes this adapter over and fits the experts to it. */
  async phaseL (adapter: Adapter, round: number, signal?: AbortSignal): Promise<void> {
    this.take(adapter)
    this.#learner.importPrivate(this.#experts)
    await this.#learner.phaseL(this.#args(round, signal))
    this.#experts = await this.#learner.exportPrivate()
  }

  async evaluate (samples: readonly Scored[], mode: Mode): Promise<{ dice: number, perSample: SampleScore[] }> {
    this.#learner.importPrivate(this.#experts)
    return await this.#learner.evaluate({ adapter: this.#adapter, samples, mode })
  }

  async predict (samples: readonly Fitted[], mode: Mode): Promise<Uint8Array[]> {
    this.#learner.importPrivate(this.#experts)
    return await this.#learner.predict({ adapter: this.#adapter, samples, mode })
  }

  #args (round: number, signal: AbortSignal | undefined): Parameters<Learner['phaseG']>[0] {
    return { adapter: this.#adapter, samples: this.samples, round, siteSeed: this.#siteSeed, ...(signal == null ? {} : { signal }) }
  }
}
