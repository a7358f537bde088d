import { adapterFromTensors, Adapter } from '../../adapter/adapter.ts'
import type { PrivateSet } from '../../adapter/private-set.ts'
import { createSchema, type Schema } from '../../adapter/schema.ts'
import type { Random } from '../../common/random.ts'
import type { CompiledStep, Engine, HostRecord, Step } from '../../compute/index.ts'
import { toBatch, type Fitted, type Scored } from '../../dataset/index.ts'
import { TrainerError } from '../../errors.ts'
import type { Mode, ModelSettings } from '../../settings/model.ts'
import type { TrainSettings } from '../../settings/training.ts'
import { expertTensors, gateNoise } from '../parameters/expert-set.ts'
import { createLayout, flatten, unflatten, type Layout } from '../parameters/layout.ts'
import { exchangeForm, type ExchangeForm } from '../parameters/lora-aggregation.ts'
import { modelId } from '../parameters/model-id.ts'
import { fromPrivateSet, initialState, toPrivateSet, type ExpertState } from '../parameters/private-state.ts'
import { adapterTensors } from '../parameters/shared-set.ts'
import type { EmbeddingCache } from '../predict/embedding-cache.ts'
import { Segmenter } from '../predict/segmenter.ts'
import { gridSide, lowResSide, type SamConfig } from '../sam/build-sam.ts'
import { restoreMask } from '../sam/postprocess.ts'
import type { Weights } from '../sam/weights.ts'
import { diceScore, hausdorff95, iouScore } from '../scores/overlap.ts'
import { forwardStep, globalStep, personalStep, type StepContext } from '../steps.ts'
import { epochBatches, epochRandom, paddedChunks, stepsPerEpoch, type Phase } from './batches.ts'
import { maskBoxes } from './box-prompts.ts'
import { Stem, type CacheLimits } from './frozen-features.ts'
import { breathe, floats, floatsHash, scalar, vector } from './host-records.ts'
import { decline, optimiserInputs, stepScalars, warmup } from './optimiser.ts'

export interface LearnerInit {
  readonly engine: Engine
  readonly config: SamConfig
  readonly weights: Weights
  readonly baseHash: string
  readonly model: ModelSettings
  readonly train: TrainSettings
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
  /** Where one learner serves several sites in turn: whose order and augmentation; its own if not given. */
  readonly siteSeed?: number
  readonly onProgress?: (progress: { readonly step: number, readonly steps: number }) => void
  /** Checked before every step; a phase that ends early changes nothing. */
  readonly signal?: AbortSignal
}

export interface SampleScore {
  readonly id: string
  readonly dice: number
  readonly iou: number
  /** Pixels of the original image; NaN where only one of mask and truth is empty. */
  readonly hd95: number
}

/** A flat parameter vector with its moments, on the way through a phase. */
interface Trained { readonly value: Float32Array, readonly first: Float32Array, readonly second: Float32Array }

const EVALUATION_BATCH = 8
const DEFAULT_CACHE: CacheLimits = { memoryBytes: 256 * 2 ** 20 }

/**
 * One site's model: the frozen base, the shared adapter Γ that comes and goes, and the experts Λ that stay
 * (docs/spec/pfedsam.md#the-round).
 */
export class Learner {
  readonly schema: Schema
  readonly inputSize: number
  readonly #init: LearnerInit
  readonly #layouts: { readonly adapter: Layout, readonly experts: Layout }
  readonly #steps: { readonly forward: CompiledStep, readonly G: CompiledStep, readonly L: CompiledStep }
  readonly #optimiser: Readonly<Record<Phase, HostRecord>>
  readonly #stem: Stem | undefined
  readonly #context: StepContext
  readonly #form: ExchangeForm
  /** The base, and what of Γ never changes. */
  readonly #weights: Weights
  /** Γ as steps take it, by Γ as it travels: factorising is worth remembering. */
  readonly #gammas = new WeakMap<Adapter, Float32Array>()
  #experts: ExpertState

  private constructor (init: LearnerInit) {
    const { engine, config, weights, model, train, baseHash } = init
    this.#init = init
    this.inputSize = config.imageSize
    const form = this.#form = exchangeForm(model.lora.aggregation ?? 'factors', adapterTensors(config, model), weights, init.seed)
    this.schema = createSchema({ model: modelId(config, model, init.seed), baseHash, tensors: form.travelling })
    const experts = expertTensors(config, model.moe)
    this.#layouts = { adapter: createLayout(form.trained), experts: createLayout(experts) }
    this.#experts = initialState(this.#layouts.experts, experts, init.seed)
    this.#weights = { ...weights, ...form.fixed }
    const context: StepContext = this.#context = {
      config,
      options: { loraScale: model.lora.alpha / model.lora.rank, topK: model.moe.topK, gate: model.moe.gate },
      ...this.#layouts,
      firstExpert: Math.min(...model.moe.blocks),
      firstAdapted: model.encoder == null || model.encoder === 'lora'
        ? Math.min(...model.lora.blocks, ...model.moe.blocks, config.depth)
        : 0,
      adaptsEmbedding: model.encoder === 'full',
      clipNorm: train.clipNorm,
      tau: train.tau,
      distil: train.distil ?? 'logits',
      beta: train.beta
    }
    const compile = (step: (context: StepContext) => Step): CompiledStep => engine.compile(step(context), this.#weights)
    this.#steps = { forward: compile(forwardStep), G: compile(globalStep), L: compile(personalStep) }
    const { firstAdapted: blocks } = context
    if (blocks > 0) {
      this.#stem = new Stem({ engine, config, weights: init.weights, blocks, pixels: model.pixels, limits: init.cache ?? DEFAULT_CACHE })
    }
    this.#optimiser = {
      G: optimiserInputs(this.#layouts.adapter, (name) => name.includes('lora_') ? train.lrLora : train.lrHeads, train.weightDecay),
      L: optimiserInputs(this.#layouts.experts, () => train.lrMoe, train.weightDecay)
    }
  }

  /** @throws InputError when the settings do not fit the model. */
  static create (init: LearnerInit): Learner {
    return new Learner(init)
  }

  /** Γ at the start, the same at every site of a federation. */
  initialAdapter (): Adapter {
    return adapterFromTensors(this.schema, this.#form.initial())
  }

  /** Γ, flat, as the steps take it. */
  #gamma (adapter: Adapter): Float32Array {
    if (this.#form.trained === this.#form.travelling) return adapter.values
    const known = this.#gammas.get(adapter)
    if (known != null) return known
    const tensors = new Map([...adapter.tensors()].map(([name, { data }]) => [name, data]))
    const flat = flatten(
      this.#layouts.adapter,
      Object.fromEntries([...this.#form.toTrained(tensors)].map(([name, data]) => [name, { data }]))
    )
    this.#gammas.set(adapter, flat)
    return flat
  }

  #travelling (gamma: Float32Array): Adapter {
    if (this.#form.trained === this.#form.travelling) return new Adapter(this.schema, gamma)
    const tensors = new Map([...unflatten(this.#layouts.adapter, gamma)].map(([name, { data }]) => [name, data]))
    return adapterFromTensors(this.schema, this.#form.toTravelling(tensors))
  }

  /** Fits Γ to the images with the personal model as teacher; Λ stays. Resolves with the new Γ and the mean loss. */
  async phaseG (args: PhaseArgs): Promise<{ adapter: Adapter, loss: number }> {
    const { epochsG, batchSize, lambdaG, warmupRounds, warmupSteps, teacherG } = this.#init.train
    const steps = epochsG * stepsPerEpoch(args.samples.length, batchSize)
    const weight = lambdaG * (warmupRounds === 0 ? 1 : Math.min(1, (args.round - 1) / warmupRounds))
    const size = this.#layouts.adapter.size
    const gamma = this.#gamma(args.adapter)
    const start = { value: gamma, first: new Float32Array(size), second: new Float32Array(size) }
    const personal = teacherG === 'personal' && this.#layouts.experts.size > 0
    const taught = weight > 0 && (personal || teacherG === 'global')
    const { trained, loss } = await this.#fit('G', args, epochsG, start, (step, { value }) => ({
      '@gamma': vector(value),
      '@scalars': vector(stepScalars(step, warmup((args.round - 1) * steps + step, warmupSteps) * this.#decline(args.round))),
      ...(taught ? { '@teacherGamma': vector(gamma), '@weight': scalar(weight) } : {}),
      ...(taught && personal ? { '@lambda': vector(this.#experts.values) } : {})
    }))
    return { adapter: this.#travelling(trained.value), loss }
  }

  /** Fits Λ to the images with the global model as teacher; Γ stays. Resolves with the mean loss. */
  async phaseL (args: PhaseArgs): Promise<{ loss: number }> {
    if (this.#layouts.experts.size === 0) return { loss: 0 }
    const { epochsL, lambdaL, warmupSteps, teacherL } = this.#init.train
    const { values, first, second, step: before } = this.#experts
    const gamma = this.#gamma(args.adapter)
    const { trained, loss, steps } = await this.#fit('L', args, epochsL, { value: values, first, second }, (step, { value }) => ({
      '@gamma': vector(gamma),
      '@lambda': vector(value),
      '@scalars': vector(stepScalars(before + step, warmup(before + step, warmupSteps) * this.#decline(args.round))),
      ...(teacherL === 'none' || lambdaL === 0 ? {} : { '@weight': scalar(lambdaL) })
    }))
    this.#experts = { values: trained.value, first: trained.first, second: trained.second, step: before + steps }
    return { loss }
  }

  #decline (round: number): number {
    return this.#init.train.schedule === 'poly' ? decline(round, this.#init.rounds ?? Infinity) : 1
  }

  /** Scores masks at the original size; Dice is the mean over images. */
  async evaluate (
    { adapter, samples, mode }: { adapter: Adapter, samples: readonly Scored[], mode: Mode }
  ): Promise<{ dice: number, perSample: SampleScore[] }> {
    const masks = await this.#masks({ adapter, samples, mode }, this.#init.train.prompt === 'box' ? maskBoxes : () => ({}))
    const perSample = samples.map(({ id, truth, height, width }, i) => {
      const mask = masks[i]!
      return { id, dice: diceScore(mask, truth), iou: iouScore(mask, truth), hd95: hausdorff95(mask, truth, height, width) }
    })
    return { dice: perSample.reduce((sum, { dice }) => sum + dice, 0) / perSample.length, perSample }
  }

  /** Masks of 0 and 1 at the original size, row-major. */
  async predict (args: { adapter: Adapter, samples: readonly Fitted[], mode: Mode }): Promise<Uint8Array[]> {
    return await this.#masks(args, () => ({}))
  }

  /**
   * The model in one mode, for any number of prompts; every image is encoded once. Dispose of it when done; it does not follow later
   * training.
   */
  segmenter ({ adapter, mode, cache }: { adapter: Adapter, mode: Mode, cache: EmbeddingCache }): Segmenter {
    const { engine, config, baseHash, model: { pixels } } = this.#init
    const parts = [
      this.schema.model,
      baseHash,
      mode,
      ...(mode === 'frozen' ? [] : [adapter.digest()]),
      ...(mode === 'personal' ? [floatsHash(this.#experts.values)] : [])
    ]
    return new Segmenter({
      engine,
      config,
      pixels,
      context: this.#context,
      weights: this.#weights,
      adapted: this.#adapted(adapter, mode),
      identity: parts.join(),
      cache
    })
  }

  /** What the forward step needs beside the base in this mode. */
  #adapted (adapter: Adapter, mode: Mode): HostRecord {
    return {
      ...(mode === 'frozen' ? {} : { '@gamma': vector(this.#gamma(adapter)) }),
      ...(mode === 'personal' && this.#layouts.experts.size > 0 ? { '@lambda': vector(this.#experts.values) } : {})
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
      for (let i = 0; i < count; i++) masks.push(restoreMask(maps.subarray(i * side * side, (i + 1) * side * side), side, chunk[i]!))
      await breathe()
    }
    return masks
  }

  /** Λ and its optimiser state, for this site's private store. */
  exportPrivate (): Promise<PrivateSet> {
    return Promise.resolve(toPrivateSet(this.#layouts.experts, this.#experts))
  }

  /** @throws SchemaError when the set is not of this model. */
  importPrivate (set: PrivateSet): void {
    this.#experts = fromPrivateSet(this.#layouts.experts, set)
  }

  async dispose (): Promise<void> {
    await Promise.all([...Object.values(this.#steps), ...(this.#stem == null ? [] : [this.#stem])].map(async (each) => {
      await each.dispose()
    }))
  }

  /** The images, or what the frozen blocks make of them where they come again unaltered. */
  async #inputs (batch: readonly Fitted[], altered = false): Promise<HostRecord> {
    if (this.#stem != null && !altered) return await this.#stem.tokens(batch)
    const { images } = toBatch(batch, lowResSide(this.#init.config), 1, this.#init.model.pixels)
    return { '@images': { shape: [batch.length, this.inputSize, this.inputSize, 3], data: images } }
  }

  async #batch (batch: readonly Fitted[], random: Random, phase: Phase): Promise<HostRecord> {
    const side = lowResSide(this.#init.config)
    const { targets } = toBatch(batch, side)
    return {
      ...await this.#inputs(batch, this.#init.train.augment),
      '@targets': { shape: [batch.length, 1, side, side], data: targets },
      ...(this.#init.train.prompt === 'box' ? maskBoxes(batch, random) : {}),
      ...(phase === 'L'
        ? gateNoise(
          this.#init.model.moe,
          batch.length * (this.#init.model.moe.gate === 'image' ? 1 : gridSide(this.#init.config) ** 2),
          random
        )
        : {})
    }
  }

  /** All steps of one phase; `inputs` adds what differs between the phases, for optimiser step `step` from 1. */
  async #fit (
    phase: Phase,
    args: PhaseArgs,
    epochs: number,
    start: Trained,
    inputs: (step: number, state: Trained) => HostRecord
  ): Promise<{ trained: Trained, loss: number, steps: number }> {
    const { batchSize, augment } = this.#init.train
    const { samples, round, onProgress, signal, siteSeed = this.#init.siteSeed } = args
    if (samples.length === 0) throw new TrainerError('there are no training images: add some and start again')
    const steps = epochs * stepsPerEpoch(samples.length, batchSize)
    let state = start
    let total = 0
    let step = 0
    for (let epoch = 0; epoch < epochs; epoch++) {
      const random = epochRandom(siteSeed, round, phase, epoch)
      for (const batch of epochBatches(samples, batchSize, random, augment)) {
        signal?.throwIfAborted()
        step++
        const outputs = await this.#steps[phase].run({
          ...this.#optimiser[phase],
          '@first': vector(state.first),
          '@second': vector(state.second),
          ...await this.#batch(batch, random, phase),
          ...inputs(step, state)
        })
        total += finite(outputs['loss']!.data[0]!, phase, round, step)
        state = { value: floats(outputs, 'value'), first: floats(outputs, 'first'), second: floats(outputs, 'second') }
        onProgress?.({ step, steps })
        await breathe()
      }
    }
    return { trained: state, loss: total / steps, steps }
  }
}

function finite (loss: number, phase: Phase, round: number, step: number): number {
  if (!Number.isFinite(loss)) {
    throw new TrainerError(
      `the loss became ${loss} in step ${step} of phase ${phase}, round ${round}: lower the learning rates of the federation or ` +
        'check the images'
    )
  }
  return loss
}
