import { Adapter } from '../../adapter/adapter.ts'
import type { PrivateSet } from '../../adapter/private-set.ts'
import type { Schema } from '../../adapter/schema.ts'
import type { HostRecord } from '../../compute/index.ts'
import type { Fitted, LabelMap, Scored } from '../../dataset/index.ts'
import { TrainerError } from '../../errors.ts'
import type { Serves, TrainPhase } from '../../settings/method.ts'
import type { Mode } from '../../settings/model.ts'
import { LEAST_SHARE } from '../../settings/training.ts'
import { evaluation, type Evaluation } from '../classes/evaluation.ts'
import { balanced } from '../classes/balance.ts'
import { classesTrained } from '../classes/feeds.ts'
import { withPasses } from '../classes/passes.ts'
import { componentsOf, type Component } from '../components/index.ts'
import { teachingMean } from '../components/mean-teacher.ts'
import { GlobalVector } from '../parameters/global-vector.ts'
import { trainedIn } from '../parameters/groups.ts'
import { createLayout } from '../parameters/layout.ts'
import {
  fromPrivateSet, initialExpertState, toPrivateSet, type CopyState, type PrivateLayouts, type PrivateState
} from '../parameters/private-state.ts'
import { ownParts } from '../parameters/own-parts.ts'
import type { RelationState } from '../parameters/relation-state.ts'
import type { EmbeddingCache } from '../predict/embedding-cache.ts'
import type { Segmenter } from '../predict/segmenter.ts'
import type { PortableSam } from '../portable.ts'
import { guessed } from '../pseudo/guessed.ts'
import { makerOf, type PseudoMaker } from '../pseudo/maker.ts'
import { MemoryPool, type PoolStore } from '../pseudo/pool.ts'
import type { StepContext } from '../steps.ts'
import { ratesInTurn } from './alternation.ts'
import { batchFeeds, type BatchFeeds } from './batch-feeds.ts'
import { compiledSteps, type LearnerSteps } from './compiled-steps.ts'
import { trainGlobal, type Landing } from './global-phase.ts'
import { breathe, vector } from './host-records.ts'
import { LabelFree, labelledAfter } from './label-free.ts'
import type { Slope } from './learn-mix.ts'
import type { EvaluateArgs, LearnerInit, OnMasks, PhaseArgs, PhaseResult } from './learner-args.ts'
import { mixBatches } from './mix-batches.ts'
import { globalScalars } from './host-scalars.ts'
import { stepScalars } from './optimiser.ts'
import { choosingRound } from './own-copy.ts'
import { PhasePlan } from './phase-plan.ts'
import { phaseRates } from './phase-rates.ts'
import { runPrivatePhase } from './private-phase.ts'
import { finite, runPhase, shareOf, type PhaseRun, type Trained } from './run-phase.ts'
import { adaptedBy, portableOf, segmenterOf, type Serving } from './served.ts'
import { masksBy, promptsFor, type PromptsOf } from './scored-masks.ts'
import { ShownImages } from './shown-images.ts'
import { contextOf } from './step-context.ts'
import type { Fit } from './tailored.ts'
import type { Teachers } from './teachers.ts'
import { withFacts, type Telling } from './told-facts.ts'
import { trainCopies } from './train-copies.ts'

/** Fed with every step of a phase beside what components say, and who teaches in it. */
interface Fixed { readonly fixed?: HostRecord, readonly teachers?: Teachers | undefined }

/**
 * One site's model: the frozen base, the adapter that comes and goes, and the private parameters that stay
 * (docs/spec/pfedsam.md#the-round).
 */
export class Learner {
  readonly schema: Schema
  readonly inputSize: number
  /** What the last phase G left, averaged with nobody's: the shared adapter, or the site's own; undefined before one. Not to be changed. */
  core: Float32Array | undefined
  readonly #init: LearnerInit
  readonly #components: readonly Component[]
  readonly #global: GlobalVector
  readonly #layouts: PrivateLayouts
  readonly #steps: LearnerSteps
  readonly #plan: PhasePlan
  readonly #turns: ReturnType<typeof ratesInTurn>
  readonly #rates: Readonly<Record<TrainPhase, HostRecord>>
  readonly #shown: ShownImages
  readonly #maker: PseudoMaker | undefined
  /** Of whoever keeps none. */
  readonly #pool: PoolStore = new MemoryPool()
  readonly #context: StepContext
  readonly #serving: Serving
  readonly #initialKept: Float32Array
  readonly #choosing: number
  readonly #labelFree: LabelFree | undefined
  #state: PrivateState

  private constructor (init: LearnerInit) {
    const { config, model, train, seed, labels, method } = init
    this.#init = init
    this.#plan = new PhasePlan(init)
    this.inputSize = config.imageSize
    const classes = labels?.names.length ?? 1
    const division = { classes, apart: model.classes === 'apart' && classes > 1 }
    const weights = withPasses(init.weights, config, division)
    this.#components = componentsOf({ ...init, keeps: method?.keeps, classes })
    const groups = this.#components.flatMap((component) => component.groups ?? [])
    const global = this.#global = new GlobalVector({ ...init, weights, groups, classes })
    this.schema = global.schema
    const experts = trainedIn('L', groups)
    const { layouts, units, relations, mix, apart } = ownParts(global, createLayout(experts), { method, train, groups })
    this.#layouts = layouts
    this.#initialKept = global.initialKept()
    this.#state = { experts: initialExpertState(this.#layouts.experts, experts, seed), kept: this.#initialKept, copy: this.#initialCopy() }
    this.#choosing = choosingRound(init.rounds, method)
    this.#context = { ...contextOf(init, { adapter: global.layout, experts: this.#layouts.experts, relations }), division }
    const read = { ...weights, ...global.fixed }
    this.#serving = { init, context: this.#context, global, weights: read, initialKept: this.#initialKept, units, relations, mix }
    this.#steps = compiledSteps(init, this.#context, read, this.#components)
    this.#shown = new ShownImages(init, this.#context.firstAdapted)
    this.#maker = makerOf(init, this.#context, read)
    const G = phaseRates(global.layout, 'G', groups, train, apart)
    this.#turns = ratesInTurn(global.layout, G['@rate']!.data as Float32Array, method?.alternate)
    this.#labelFree = LabelFree.of({ serving: this.#serving, plan: this.#plan, groups, rates: G, drift: layouts.drift })
    this.#rates = { G, L: phaseRates(this.#layouts.experts, 'L', groups, train) }
  }

  #initialCopy (): CopyState | undefined {
    if (this.#layouts.copy === 0) return undefined
    const alone = this.#global.join(this.initialAdapter(), this.#initialKept)
    return { alone, own: new Float32Array(alone.length), steps: 0 }
  }

  /** The method has copies of the adapter instead of experts. */
  get #copies (): boolean {
    return this.#layouts.copy > 0
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
    const [{ kept, drift, threshold = false }, { units, relations, mix }] = [this.#layouts, this.#serving]
    return kept.size > 0 || threshold || drift != null || units != null || relations != null || mix != null
  }

  /** What the site has learnt to take of whose cores; undefined before the first phase, and of other methods. */
  get relations (): RelationState | undefined {
    return this.#state.relations
  }

  /**
   * Trains one phase: G fits the global parameters, L the experts, each with the other fixed. Resolves with the adapter, which only G
   * changes, the mean loss, and how many steps it took; without experts L does nothing. @throws TrainerError without images.
   */
  async train (phase: TrainPhase, args: PhaseArgs): Promise<PhaseResult> {
    if (args.samples.length === 0) throw new TrainerError('there are no training images: add some and start again')
    const { round, asRound = round, choice } = args
    if (this.#labelFree?.has(round) === true) return this.#take(await this.#labelFree.train(phase, this.#state, args))
    const known = this.#copies && choice != null && asRound <= this.#choosing ? { ...args, samples: choice.train } : args
    if (phase === 'G') return await withFacts(this.#telling, known, async () => await this.#trainGlobal(await this.guessed(known)))
    return this.#copies ? await this.#trainCopies(known) : await this.#trainExperts(known)
  }

  /** A phase G whose images carry pseudo-masks, where the method makes them. */
  async guessed (args: PhaseArgs): Promise<PhaseArgs> {
    const { pool: store = this.#pool, siteSeed: seed = this.#init.siteSeed } = args
    if (this.#maker == null) return args
    const { generator } = this.#init.method!.pseudo!
    return await guessed(args, { maker: this.#maker, generator, store, seed, adapted: (mode) => this.#adapted(args.adapter, mode) })
  }

  /** What the site may announce is made of. */
  get #telling (): Telling {
    const { copy } = this.#state
    return {
      init: this.#init,
      steps: this.#steps,
      shown: async (chunk, whole) => ({ ...await this.#shown.inputs(chunk, undefined, whole), ...this.#prompts(chunk) }),
      adapted: (adapter, mode) => this.#adapted(adapter, mode),
      own: copy == null ? undefined : { '@gamma': vector(copy.alone) },
      threshold: () => this.#state.threshold ?? 0
    }
  }

  /** What became of a phase G is the site's from now on. */
  #take ({ state, core, result }: Landing): PhaseResult {
    this.#state = state
    if (core != null) this.core = core
    return result
  }

  async #trainGlobal (all: PhaseArgs): Promise<PhaseResult> {
    const labelled = labelledAfter('G', all.samples, this.#init)
    const args = labelled.length === 0 ? all : { ...all, samples: labelled }
    return this.#take(await trainGlobal({
      serving: this.#serving,
      state: this.#state,
      args,
      isMute: labelled.length === 0,
      ofRound: this.#plan.stepsOf('G', args),
      fit: async (values, beside) => await this.#fit(values, { ...args, ...beside }),
      slopes: () => this.#slopes(args)
    }))
  }

  /** On batches of their own. */
  #slopes (args: PhaseArgs): (values: Float32Array) => Promise<Slope> {
    const { labels: names, siteSeed, train: { batchSize, augment, emptyShare } } = this.#init
    const labels = classesTrained(args.samples, names, emptyShare)
    const batches = mixBatches({ siteSeed, ...args, samples: balanced(args.samples, names), batchSize, augment })
    return async (values) => {
      args.signal?.throwIfAborted()
      const { samples, random } = batches.next().value
      const feeds = await batchFeeds({ ...this.#feeding('G', args, labels), components: [] }, samples, random)
      const { loss, gradient } = await this.#steps.slope!.run({ ...feeds, '@gamma': vector(values) })
      await breathe()
      return { loss: finite(loss!.data[0]!, 'G', args.round, 0), gradient: gradient!.data as Float32Array }
    }
  }

  #feeding (phase: TrainPhase, { samples, received = [] }: PhaseArgs, labels: LabelMap | undefined): BatchFeeds {
    return {
      init: this.#init,
      components: this.#components,
      phase,
      samples,
      received,
      labels,
      inputs: async (shown, altered) => await this.#shown.inputs(shown, altered)
    }
  }

  /** One phase G on all global parameters, flat; with this part of the learning rate. */
  async #fit (gamma: Float32Array, args: PhaseArgs & Fixed, part = 1): Promise<Fit> {
    let middle: Float32Array | undefined
    const half = Math.ceil(shareOf(this.#plan.stepsOf('G', args), args.share ?? 1) / 2)
    const done = args.done ?? (args.round - 1) * this.#plan.stepsOf('G', args)
    const factor = this.#plan.rateFactor('G', args, done)
    const start = { value: gamma, first: new Float32Array(gamma.length), second: new Float32Array(gamma.length) }
    const begin = { start, done, gamma: args.fixed == null ? gamma : args.adapter.values }
    const teaching = teachingMean(this.#init.method?.teacher, args.samples, gamma)
    const { trained: { value }, loss, steps } = await this.#run('G', args, begin, (step, now) => {
      if (step === half + 1) middle = now
      const scalars = globalScalars(step, part * factor(step), this.#context)
      return { '@gamma': vector(now), ...args.teachers?.feeds(step, now), ...teaching(step, now), ...scalars, ...this.#turns(done + step) }
    })
    return { value, ...(middle == null ? {} : { middle }), loss, steps }
  }

  async #trainCopies (args: PhaseArgs): Promise<PhaseResult> {
    const { adapter, round, asRound = round, choice } = args
    const old = this.#state.copy!
    const { copy, loss, steps } = await trainCopies({
      copy: old,
      shared: this.#global.join(adapter, this.#state.kept),
      round: asRound,
      rounds: this.#init.rounds ?? Infinity,
      choosing: this.#choosing,
      fit: async (values, rate = { part: 1, asRound }) =>
        await this.#fit(values, { ...args, asRound: rate.asRound, done: old.steps }, rate.part),
      diceOf: async (values) => {
        const { perSample } = await this.#evaluated({ '@gamma': vector(values) }, choice?.held ?? [], 'personal')
        return perSample.map(({ dice }) => dice)
      }
    })
    this.#state = { ...this.#state, copy }
    return { adapter, loss, steps }
  }

  async #trainExperts (all: PhaseArgs): Promise<PhaseResult> {
    const args = { ...all, samples: labelledAfter('L', all.samples, this.#init) }
    const { adapter } = args
    if (this.#layouts.experts.size === 0 || args.samples.length === 0) return { adapter, loss: 0, steps: 0 }
    const { values: value, first, second, step: done } = this.#state.experts
    const gamma = this.#global.join(adapter, this.#state.kept)
    const factor = this.#plan.rateFactor('L', args, done)
    const { trained, loss, steps } = await this.#run('L', args, { start: { value, first, second }, done, gamma }, (step, lambda) => ({
      '@gamma': vector(gamma),
      '@lambda': vector(lambda),
      '@scalars': vector(stepScalars(done + step, factor(step)))
    }))
    const experts = { values: trained.value, first: trained.first, second: trained.second, step: done + steps }
    this.#state = { ...this.#state, experts }
    return { adapter, loss, steps }
  }

  async #run (
    phase: TrainPhase,
    args: PhaseArgs & Fixed,
    { start, done, gamma }: { start: Trained, done: number, gamma: Float32Array },
    inputs: PhaseRun['inputs']
  ): ReturnType<typeof runPhase> {
    const steps = this.#plan.stepsOf(phase, args)
    const { labels: names, train: { emptyShare, augment }, privacy } = this.#init
    const labels = classesTrained(args.samples, names, emptyShare)
    const { experts, kept } = this.#state
    const joined = (values: Float32Array): Float32Array => this.#global.join(new Adapter(this.schema, values), kept)
    const { round, received = [], siteVectors } = args
    const phaseStart = { round, gamma, experts: experts.values, received, joined, siteVectors }
    const said = this.#components.map((component) => component.inputs?.(phase, phaseStart) ?? {})
    const feeding = this.#feeding(phase, args, labels)
    const partAt = (step: number): number => step / run.length.most
    const run = {
      ...args,
      phase,
      length: { most: shareOf(steps, args.share ?? 1), least: shareOf(steps, LEAST_SHARE), isEnough: args.isEnough },
      start,
      fixed: Object.assign({}, this.#rates[phase], args.fixed, ...said) as HostRecord,
      inputs,
      onStep: (outputs: HostRecord) => { args.teachers?.learn(outputs) }
    }
    if (privacy != null && phase === 'G') {
      // What a step is fed with of one patient must not depend on the others.
      const feeds: PhaseRun['feeds'] = async (batch, random, step) =>
        await batchFeeds({ ...feeding, samples: batch, labels: classesTrained(batch, names), part: partAt(step) }, batch, random)
      return await runPrivatePhase({ ...run, steps: this.#steps.private!, mechanism: privacy, augment, feeds })
    }
    return await runPhase({
      ...run,
      step: this.#steps[phase],
      batches: this.#plan.batches(phase, args, { from: done, steps }),
      feeds: async (batch, random, step) => await batchFeeds({ ...feeding, part: partAt(step) }, batch, random)
    })
  }

  /** Scores masks at the original size; Dice is the mean over images. `onMasks` sees what was scored. */
  async evaluate ({ adapter, samples, mode, onMasks }: EvaluateArgs): Promise<Evaluation> {
    return await this.#evaluated(this.#adapted(adapter, mode), samples, mode, onMasks)
  }

  /** What this site would have without the others; undefined where the method does not train it. */
  async evaluateAlone (samples: readonly Scored[]): Promise<Evaluation | undefined> {
    const { copy } = this.#state
    return copy == null ? undefined : await this.#evaluated({ '@gamma': vector(copy.alone) }, samples, 'personal')
  }

  /** What the site chose to serve; undefined before, and where the method leaves no choice. */
  get serves (): Serves | undefined {
    return this.#state.copy?.served?.serves
  }

  async #evaluated (adapted: HostRecord, samples: readonly Scored[], mode: Mode, onMasks?: OnMasks): Promise<Evaluation> {
    const masks = await this.#masks(adapted, samples, this.#prompts)
    onMasks?.(masks)
    return evaluation(samples, masks, { labels: this.#init.labels, mode })
  }

  get #prompts (): PromptsOf {
    return promptsFor(this.#init.train)
  }

  /**
   * Masks as scoring sees them: with the prompts of training, at the original size, row-major; codes of the federation's labels
   * (label-map.ts), of 0 and 1 where it has one class.
   */
  async segment (args: { adapter: Adapter, samples: readonly Fitted[], mode: Mode }): Promise<Uint8Array[]> {
    return await this.#masks(this.#adapted(args.adapter, args.mode), args.samples, this.#prompts)
  }

  /** The same without prompts. */
  async predict (args: { adapter: Adapter, samples: readonly Fitted[], mode: Mode }): Promise<Uint8Array[]> {
    return await this.#masks(this.#adapted(args.adapter, args.mode), args.samples, () => ({}))
  }

  /**
   * The model in one mode, for any number of prompts; every image is encoded once. Dispose of it when done; it does not follow later
   * training.
   */
  segmenter ({ adapter, mode, cache }: { adapter: Adapter, mode: Mode, cache: EmbeddingCache }): Segmenter {
    return segmenterOf(this.#serving, this.#state, { adapter, mode, cache })
  }

  /** The global model for what runs or loads it elsewhere, at the federation's image side. */
  portable (adapter: Adapter): PortableSam {
    return portableOf(this.#serving, adapter)
  }

  #adapted (adapter: Adapter, mode: Mode): HostRecord {
    return adaptedBy(this.#serving, this.#state, adapter, mode)
  }

  async #masks (adapted: HostRecord, samples: readonly Scored[] | readonly Fitted[], prompts: PromptsOf): Promise<Uint8Array[]> {
    const inputs = async (chunk: readonly Fitted[]): Promise<HostRecord> => await this.#shown.inputs(chunk)
    return await masksBy({ init: this.#init, steps: this.#steps, context: this.#context, inputs }, adapted, samples, prompts)
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
    const { private: own, ...steps } = this.#steps
    const all = [...Object.values(steps), own?.gradient, own?.update, this.#shown, this.#maker, this.#labelFree]
    await Promise.all(all.map(async (each) => { await each?.dispose() }))
  }
}
