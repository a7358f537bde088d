import type { Adapter } from '../../adapter/adapter.ts'
import type { PrivateSet } from '../../adapter/private-set.ts'
import type { Schema } from '../../adapter/schema.ts'
import type { Random } from '../../common/random.ts'
import type { CompiledStep, Engine, HostRecord } from '../../compute/index.ts'
import { toImages, type Fitted, type LabelMap, type Scored } from '../../dataset/index.ts'
import { TrainerError } from '../../errors.ts'
import type { GlobalGroup, TrainPhase } from '../../settings/method.ts'
import type { Mode, ModelSettings } from '../../settings/model.ts'
import { LEAST_SHARE, type TrainSettings } from '../../settings/training.ts'
import { balanced } from '../classes/balance.ts'
import { evaluation, type Evaluation } from '../classes/evaluation.ts'
import { classesTrained, targetFeeds } from '../classes/feeds.ts'
import { restoreCodes } from '../classes/restore.ts'
import { withPasses } from '../classes/passes.ts'
import { componentsOf, type Component } from '../components/index.ts'
import { GlobalVector } from '../parameters/global-vector.ts'
import { ratesOf, trainedIn } from '../parameters/groups.ts'
import { createLayout, type Layout } from '../parameters/layout.ts'
import { fromPrivateSet, initialExpertState, toPrivateSet, type PrivateLayouts, type PrivateState } from '../parameters/private-state.ts'
import type { EmbeddingCache } from '../predict/embedding-cache.ts'
import { Segmenter } from '../predict/segmenter.ts'
import { lowResSide, type SamConfig } from '../sam/build-sam.ts'
import type { Weights } from '../sam/weights.ts'
import { forwardStep, type StepContext } from '../steps.ts'
import { batchesFrom, batchesOfEpochs, paddedChunks, stepsPerEpoch, type Batch, type Stretch } from './batches.ts'
import { maskBoxes } from './box-prompts.ts'
import { FrozenFeatures, type CacheLimits } from './frozen-features.ts'
import { breathe, floatsHash, vector } from './host-records.ts'
import { decline, stepScalars, warmup } from './optimiser.ts'
import { phaseStep } from './phase-step.ts'
import { runPhase, type PhaseRun, type Trained } from './run-phase.ts'

export interface LearnerInit {
  readonly engine: Engine
  readonly config: SamConfig
  readonly weights: Weights
  readonly baseHash: string
  readonly model: ModelSettings
  readonly train: TrainSettings
  /** Groups of the global parameters that stay at the site; none if not given. */
  readonly keeps?: readonly GlobalGroup[] | undefined
  /** The federation's classes; one, everything above 0, if not given. */
  readonly labels?: LabelMap | undefined
  /** Of the whole training, for a schedule that falls; no end if not given. */
  readonly rounds?: number
  /** The federation's: Γ and Λ at the start. */
  readonly seed: number
  /** This site's: order and augmentation of its images. */
  readonly siteSeed: number
  /** Where the features that frozen blocks make of unaltered images are kept; by default 256 MiB of memory. */
  readonly cache?: CacheLimits
}

export interface PhaseArgs {
  readonly adapter: Adapter
  readonly samples: readonly Fitted[]
  /** From 1. */
  readonly round: number
  /** Whose learning rate it has; that of `round` if not given. */
  readonly asRound?: number
  /** Where one learner serves several sites in turn: whose order and augmentation; its own if not given. */
  readonly siteSeed?: number
  /** Stands for this many sites, whose images it has together: a round of `stepsPerRound` has as many steps as theirs. 1 if not given. */
  readonly sites?: number
  /** Steps of phase G that this site has trained before; by default as many as its earlier rounds had. */
  readonly done?: number
  /** Part of the round's steps that is trained, above 0 to 1; all of them if not given. */
  readonly share?: number
  /** Asked after each step: a phase that has trained enough ends, though not before `LEAST_SHARE` of its steps. */
  readonly isEnough?: () => boolean
  readonly onProgress?: (progress: { readonly step: number, readonly steps: number }) => void
  /** Checked before every step; a phase that ends early changes nothing. */
  readonly signal?: AbortSignal
}

const EVALUATION_BATCH = 8
const DEFAULT_CACHE: CacheLimits = { memoryBytes: 256 * 2 ** 20 }

/**
 * One site's model: the frozen base, the adapter that comes and goes, and the private parameters that stay
 * (docs/spec/pfedsam.md#the-round).
 */
export class Learner {
  readonly schema: Schema
  readonly inputSize: number
  readonly #init: LearnerInit
  readonly #components: readonly Component[]
  readonly #global: GlobalVector
  readonly #layouts: PrivateLayouts
  readonly #steps: Readonly<Record<'forward' | TrainPhase, CompiledStep>>
  readonly #rates: Readonly<Record<TrainPhase, HostRecord>>
  readonly #frozenFeatures: FrozenFeatures | undefined
  readonly #context: StepContext
  /** The base, and what of Γ never changes. */
  readonly #weights: Weights
  readonly #initialKept: Float32Array
  #state: PrivateState

  private constructor (init: LearnerInit) {
    const { engine, config, model, train, seed, labels } = init
    this.#init = init
    this.inputSize = config.imageSize
    const classes = labels?.names.length ?? 1
    const weights = withPasses(init.weights, config, classes)
    this.#components = componentsOf({ ...init, classes })
    const groups = this.#components.flatMap((component) => component.groups ?? [])
    const global = this.#global = new GlobalVector({ ...init, weights, groups, classes })
    this.schema = global.schema
    const experts = trainedIn('L', groups)
    this.#layouts = { experts: createLayout(experts), kept: global.kept }
    this.#initialKept = global.initialKept()
    this.#state = { experts: initialExpertState(this.#layouts.experts, experts, seed), kept: this.#initialKept }
    this.#weights = { ...weights, ...global.fixed }
    this.#context = { ...contextOf(init, global.layout, this.#layouts.experts), classes }
    this.#steps = {
      forward: engine.compile(forwardStep(this.#context), this.#weights),
      G: this.#compile('G'),
      L: this.#compile('L')
    }
    const { firstAdapted: blocks } = this.#context
    if (blocks > 0) {
      this.#frozenFeatures = new FrozenFeatures({
        engine,
        config,
        weights: init.weights,
        blocks,
        pixels: model.pixels,
        limits: init.cache ?? DEFAULT_CACHE
      })
    }
    const rates = (layout: Layout, phase: TrainPhase): HostRecord => {
      const { rate, decay } = ratesOf(layout, trainedIn(phase, groups), train)
      return { '@rate': vector(rate), '@decay': vector(decay) }
    }
    this.#rates = { G: rates(global.layout, 'G'), L: rates(this.#layouts.experts, 'L') }
  }

  /** @throws InputError when the settings do not fit the model. */
  static create (init: LearnerInit): Learner {
    return new Learner(init)
  }

  /** Γ at the start, as it travels: the same at every site of a federation. */
  initialAdapter (): Adapter {
    return this.#global.initialAdapter()
  }

  /** The site keeps global parameters of its own, which phase G changes beside the adapter. */
  get keepsGlobal (): boolean {
    return this.#layouts.kept.size > 0
  }

  /**
   * Trains one phase: G fits the global parameters, L the experts, each with the other fixed. Resolves with the adapter, which only G
   * changes, the mean loss, and how many steps it took; without experts L does nothing. @throws TrainerError without images.
   */
  async train (
    phase: TrainPhase,
    args: PhaseArgs
  ): Promise<{ readonly adapter: Adapter, readonly loss: number, readonly steps: number }> {
    if (args.samples.length === 0) throw new TrainerError('there are no training images: add some and start again')
    return phase === 'G' ? await this.#trainGlobal(args) : await this.#trainExperts(args)
  }

  async #trainGlobal (args: PhaseArgs): ReturnType<Learner['train']> {
    const done = args.done ?? (args.round - 1) * this.#stepsOf('G', args)
    const factor = this.#rateFactor('G', args, done)
    const gamma = this.#global.join(args.adapter, this.#state.kept)
    const start = { value: gamma, first: new Float32Array(gamma.length), second: new Float32Array(gamma.length) }
    const { trained, loss, steps } = await this.#run('G', args, { start, done }, (step, value) => ({
      '@gamma': vector(value),
      '@scalars': vector(stepScalars(step, factor(step)))
    }))
    const { adapter, kept } = this.#global.part(trained.value)
    this.#state = { ...this.#state, kept }
    return { adapter, loss, steps }
  }

  async #trainExperts (args: PhaseArgs): ReturnType<Learner['train']> {
    const { adapter } = args
    if (this.#layouts.experts.size === 0) return { adapter, loss: 0, steps: 0 }
    const { values: value, first, second, step: before } = this.#state.experts
    const gamma = vector(this.#global.join(adapter, this.#state.kept))
    const factor = this.#rateFactor('L', args, before)
    const { trained, loss, steps } = await this.#run('L', args, { start: { value, first, second }, done: before }, (step, lambda) => ({
      '@gamma': gamma,
      '@lambda': vector(lambda),
      '@scalars': vector(stepScalars(before + step, factor(step)))
    }))
    const experts = { values: trained.value, first: trained.first, second: trained.second, step: before + steps }
    this.#state = { ...this.#state, experts }
    return { adapter, loss, steps }
  }

  async #run (
    phase: TrainPhase,
    args: PhaseArgs,
    { start, done }: { start: Trained, done: number },
    inputs: PhaseRun['inputs']
  ): ReturnType<typeof runPhase> {
    const steps = this.#stepsOf(phase, args)
    const labels = classesTrained(args.samples, this.#init.labels, this.#init.train.emptyShare)
    const gamma = this.#global.join(args.adapter, this.#state.kept)
    const said = this.#components.map((component) =>
      component.inputs?.(phase, { round: args.round, gamma, experts: this.#state.experts.values }) ?? {})
    return await runPhase({
      ...args,
      phase,
      step: this.#steps[phase],
      batches: this.#batches(phase, args, { from: done, steps }),
      length: { most: shareOf(steps, args.share ?? 1), least: shareOf(steps, LEAST_SHARE), isEnough: args.isEnough },
      start,
      fixed: Object.assign({}, this.#rates[phase], ...said) as HostRecord,
      feeds: async (batch, random) => await this.#batch(batch, random, phase, labels),
      inputs
    })
  }

  /** Of a whole round. */
  #stepsOf (phase: TrainPhase, { samples, sites = 1 }: PhaseArgs): number {
    const { stepsPerRound, batchSize } = this.#init.train
    return stepsPerRound != null
      ? sites * stepsPerRound
      : this.#epochs(phase) * stepsPerEpoch(samples.length, batchSize)
  }

  #epochs (phase: TrainPhase): number {
    const { epochsG = 1, epochsL = 1 } = this.#init.train
    return phase === 'G' ? epochsG : epochsL
  }

  #batches (phase: TrainPhase, args: PhaseArgs, stretch: Stretch): Iterable<Batch> {
    const { round, siteSeed = this.#init.siteSeed } = args
    const samples = balanced(args.samples, this.#init.labels)
    const { stepsPerRound, batchSize, augment } = this.#init.train
    const source = { samples, batchSize, siteSeed, phase, augment }
    return stepsPerRound == null ? batchesOfEpochs(source, { round, epochs: this.#epochs(phase) }) : batchesFrom(source, stretch)
  }

  /**
   * Of the learning rate, by step from 1 on. The warm-up goes by what whole rounds would have had by now, where the site itself trained
   * less before: a site of short phases would spend all of them on it.
   */
  #rateFactor (phase: TrainPhase, args: PhaseArgs, done: number): (step: number) => number {
    const { round, asRound = round } = args
    const { warmupSteps, schedule } = this.#init.train
    const before = Math.max(done, (round - 1) * this.#stepsOf(phase, args))
    const declined = schedule === 'poly' ? decline(asRound, this.#init.rounds ?? Infinity) : 1
    return (step) => warmup(before + step, warmupSteps) * declined
  }

  /** Scores masks at the original size; Dice is the mean over images. */
  async evaluate ({ adapter, samples, mode }: { adapter: Adapter, samples: readonly Scored[], mode: Mode }): Promise<Evaluation> {
    return evaluation(samples, await this.segment({ adapter, samples, mode }), { labels: this.#init.labels, mode })
  }

  /**
   * Masks as scoring sees them: with the prompts of training, at the original size, row-major; codes of the federation's labels
   * (label-map.ts), of 0 and 1 where it has one class.
   */
  async segment (args: { adapter: Adapter, samples: readonly Fitted[], mode: Mode }): Promise<Uint8Array[]> {
    return await this.#masks(args, this.#init.train.prompt === 'box' ? maskBoxes : () => ({}))
  }

  /** The same without prompts. */
  async predict (args: { adapter: Adapter, samples: readonly Fitted[], mode: Mode }): Promise<Uint8Array[]> {
    return await this.#masks(args, () => ({}))
  }

  /**
   * The model in one mode, for any number of prompts; every image is encoded once. Dispose of it when done; it does not follow later
   * training.
   */
  segmenter ({ adapter, mode, cache }: { adapter: Adapter, mode: Mode, cache: EmbeddingCache }): Segmenter {
    const { engine, config, baseHash, model: { pixels } } = this.#init
    const { experts, kept } = this.#state
    const own = [experts.values, ...(this.keepsGlobal ? [kept] : [])].map(floatsHash)
    const parts = [
      this.schema.model,
      baseHash,
      mode,
      ...(mode === 'frozen' ? [] : [adapter.digest()]),
      ...(mode === 'personal' ? own : [])
    ]
    return new Segmenter({
      engine,
      config,
      pixels,
      context: this.#context,
      labels: this.#init.labels,
      weights: this.#weights,
      adapted: this.#adapted(adapter, mode),
      identity: parts.join(),
      cache
    })
  }

  /** What the forward step needs beside the base in this mode. What a method keeps belongs to the personal model. */
  #adapted (adapter: Adapter, mode: Mode): HostRecord {
    if (mode === 'frozen') return {}
    const { experts, kept } = this.#state
    return {
      '@gamma': vector(this.#global.join(adapter, mode === 'personal' ? kept : this.#initialKept)),
      ...(mode === 'personal' && experts.values.length > 0 ? { '@lambda': vector(experts.values) } : {})
    }
  }

  async #masks (
    { adapter, samples, mode }: { adapter: Adapter, samples: readonly Fitted[], mode: Mode },
    prompts: (chunk: readonly Fitted[]) => HostRecord
  ): Promise<Uint8Array[]> {
    const side = lowResSide(this.#init.config)
    const masks: Uint8Array[] = []
    for (const { chunk, count } of paddedChunks(samples, EVALUATION_BATCH)) {
      const { logits } = await this.#steps.forward.run({
        ...this.#adapted(adapter, mode),
        ...await this.#inputs(chunk),
        ...prompts(chunk)
      })
      const maps = logits!.data as Float32Array
      const size = (this.#context.classes ?? 1) * side * side
      for (let i = 0; i < count; i++) {
        masks.push(restoreCodes(maps.subarray(i * size, (i + 1) * size), side, chunk[i]!, this.#init.labels))
      }
      await breathe()
    }
    return masks
  }

  /** The private parameters and their optimiser state, for this site's private store. */
  exportPrivate (): Promise<PrivateSet> {
    return Promise.resolve(toPrivateSet(this.#layouts, this.#state))
  }

  /** @throws SchemaError when the set is not of this model. */
  importPrivate (set: PrivateSet): void {
    this.#state = fromPrivateSet(this.#layouts, set)
  }

  async dispose (): Promise<void> {
    await Promise.all([...Object.values(this.#steps), ...(this.#frozenFeatures == null ? [] : [this.#frozenFeatures])].map(async (each) => {
      await each.dispose()
    }))
  }

  #compile (phase: TrainPhase): CompiledStep {
    const terms = this.#components.flatMap((component) => component.terms?.[phase] ?? [])
    return this.#init.engine.compile(phaseStep(this.#context, phase, terms), this.#weights)
  }

  /** The images, or what the frozen blocks make of them where they come again unaltered. */
  async #inputs (batch: readonly Fitted[], altered = false): Promise<HostRecord> {
    if (this.#frozenFeatures != null && !altered) return await this.#frozenFeatures.tokens(batch)
    const shape = [batch.length, this.inputSize, this.inputSize, 3]
    return { '@images': { shape, data: toImages(batch, this.#init.model.pixels) } }
  }

  async #batch (batch: readonly Fitted[], random: Random, phase: TrainPhase, labels: LabelMap | undefined): Promise<HostRecord> {
    const side = lowResSide(this.#init.config)
    const boxes = this.#init.train.prompt === 'box' ? maskBoxes(batch, random) : {}
    return {
      ...await this.#inputs(batch, this.#init.train.augment),
      ...targetFeeds(batch, side, labels),
      ...boxes,
      ...Object.assign({}, ...this.#components.map((component) => component.feeds?.(phase, batch, random) ?? {})) as HostRecord
    }
  }
}

/** At least one step. */
function shareOf (steps: number, share: number): number {
  return Math.max(1, Math.ceil(share * steps))
}

function contextOf ({ config, model, train }: LearnerInit, adapter: Layout, experts: Layout): StepContext {
  const { lora, moe, encoder = 'lora' } = model
  return {
    config,
    options: { loraScale: lora.alpha / lora.rank, topK: moe.topK, gate: moe.gate },
    adapter,
    experts,
    firstExpert: Math.min(...moe.blocks),
    firstAdapted: encoder === 'lora' ? Math.min(...lora.blocks, ...moe.blocks, config.depth) : 0,
    adaptsEmbedding: encoder === 'full',
    clipNorm: train.clipNorm
  }
}
