import { seededRandom, shuffled } from '../../common/random.ts'
import type { CompiledStep, Engine, HostRecord } from '../../compute/index.ts'
import {
  cellsOf, EVERYTHING, move, MOTIONS, toImages, undoing, type Fitted, type LabelMap, type Motion, type Pixels
} from '../../dataset/index.ts'
import { knowsAllPrompts, knowsPoints, type PseudoSettings } from '../../settings/pseudo.ts'
import { pixelKey } from '../pixel-key.ts'
import { lowResSide, type SamConfig } from '../sam/build-sam.ts'
import type { Weights } from '../sam/weights.ts'
import { decodeClassesStep, decodeStep, encodeStep, type StepContext } from '../steps.ts'
import { breathe } from '../train/host-records.ts'
import type { LearnerInit } from '../train/learner-args.ts'
import { measuresOf, WHOLE } from './certainty.ts'
import { meanOf, movedCells, pixelsOf } from './frames.ts'
import { promptFeeds } from './prompt-feeds.ts'
import { believedOf, withEntry, type ImagePool, type OnMade, type Pool, type PoolEntry } from './pool.ts'
import { derivedPrompt, givenPrompts, promptIn, type CanvasPrompt } from './prompts.ts'

interface MakerInit {
  readonly engine: Engine
  readonly config: SamConfig
  readonly pixels?: Pixels | undefined
  readonly context: StepContext
  readonly labels: LabelMap | undefined
  readonly weights: Weights
  readonly settings: PseudoSettings
}

/** What of a model the steps are fed with beside the base: `@gamma` and `@lambda`, as far as it has them. */
export interface Asked {
  /** Whose answers without prompts are the coarse masks. */
  readonly teacher: HostRecord
  readonly generator: HostRecord
}

interface Update extends Asked {
  /** All that a phase trains on. */
  readonly samples: readonly Fitted[]
  /** From 1. */
  readonly round: number
  /** The site's: which views are looked at. */
  readonly seed: number
  readonly onMade?: OnMade | undefined
  readonly signal?: AbortSignal | undefined
}

/** Apart from the streams of batches. */
const STREAM = 0x9e0d
/** SAM's maps for one prompt that may mean several things. */
const MULTI = [1, 2, 3]

/** Makes pseudo-masks of images without whole masks (docs/spec/weak.md#pseudo-masks). */
export class PseudoMaker {
  readonly #init: MakerInit
  readonly #encode: CompiledStep
  readonly #classes: CompiledStep
  readonly #maps: CompiledStep
  readonly #side: number

  constructor (init: MakerInit) {
    const { engine, context, weights, config } = init
    this.#init = init
    this.#side = lowResSide(config)
    this.#encode = engine.compile(encodeStep(context), weights)
    this.#classes = engine.compile(decodeClassesStep(context), weights)
    this.#maps = engine.compile(decodeStep(context, MULTI), weights)
  }

  /**
   * The pool with what this round makes of images without a whole mask whose turn it is, and without images that are no longer there. A
   * round that it has already changes nothing: what is repeated after a crash is the same.
   */
  async updated (pool: Pool, { samples, round, seed, onMade, signal, ...asked }: Update): Promise<Pool> {
    const images = new Map(samples.filter(({ kind }) => kind != null).map((sample) => [pixelKey(sample), sample]))
    const known = new Map([...pool.images].filter(([key]) => images.has(key)))
    if (round <= pool.round) return { round: pool.round, images: known }
    for (const key of inTurn([...images.keys()].sort(), round, this.#init.settings.images)) {
      const sample = images.get(key)!
      signal?.throwIfAborted()
      const motions = shuffled(MOTIONS, seededRandom(seed ^ Number.parseInt(key.slice(0, 8), 16), STREAM + round))
      const entries = await this.#entriesOf(sample, motions.slice(0, this.#init.settings.views), asked, onMade)
      const before: ImagePool = known.get(key) ?? entries.map(() => [])
      known.set(key, entries.map((entry, c) =>
        entry == null ? before[c]! : withEntry(before[c]!, entry, this.#init.settings.pool)))
      await breathe()
    }
    return { round, images: known }
  }

  /** The images with what the pool believes of them. */
  shown (samples: readonly Fitted[], pool: Pool): Fitted[] {
    return samples.map((sample) => {
      const entries = sample.kind == null ? undefined : pool.images.get(pixelKey(sample))
      const believed = entries?.map((each) => believedOf(each, this.#init.settings))
      if (believed == null || believed.every((each) => each == null)) return sample
      const planes = (cells: Uint8Array): Uint8Array => pixelsOf(cells, sample, this.#side)
      const nothing = new Uint8Array(this.#side ** 2)
      return {
        ...sample,
        pseudo: believed.map((each) => ({ shares: planes(each?.shares ?? nothing), certainty: planes(each?.certainty ?? nothing) }))
      }
    })
  }

  async dispose (): Promise<void> {
    await Promise.all([this.#encode, this.#classes, this.#maps].map(async (step) => { await step.dispose() }))
  }

  /** By class; undefined where neither the site nor the teacher shows where it is. */
  async #entriesOf (
    sample: Fitted,
    motions: readonly Motion[],
    { teacher, generator }: Asked,
    onMade: Update['onMade']
  ): Promise<(PoolEntry | undefined)[]> {
    const { labels = EVERYTHING, settings } = this.#init
    const images = await this.#imagesOf(sample, motions)
    const taught = await this.#embedded(images, teacher)
    const unprompted = await this.#classes.run({ ...teacher, ...taught })
    const asked = generator === teacher ? taught : await this.#embedded(images, generator)
    const { pixels } = cellsOf(sample, this.#side)
    const entries: (PoolEntry | undefined)[] = []
    for (const of of labels.names.keys()) {
      const coarse = this.#meanOf(probabilitiesOf(unprompted['masks']!, of), sample, motions)
      const prompts = sample.lacks?.includes(of) === true ? [] : this.#promptsOf(sample, coarse, of)
      const answers: Float32Array[] = []
      for (const prompt of prompts) answers.push(await this.#answer(prompt, { sample, motions, of, fed: { ...generator, ...asked } }))
      if (answers.length === 0) {
        entries.push(undefined)
        continue
      }
      const shares = Uint8Array.from(coarse, (_, cell) => Math.round(WHOLE * Math.max(...answers.map((each) => each[cell]!))))
      const measures = measuresOf(shares, coarse, pixels, settings.entropy)
      onMade?.(sample, of, { coarse, shares, measures })
      entries.push({ shares, measures })
    }
    return entries
  }

  async #imagesOf (sample: Fitted, motions: readonly Motion[]): Promise<HostRecord[string]> {
    const { imageSize } = this.#init.config
    const views = motions.map((motion) => move(sample, motion))
    await breathe()
    return { shape: [views.length, imageSize, imageSize, 3], data: toImages(views, this.#init.pixels) }
  }

  async #embedded (images: HostRecord[string], model: HostRecord): Promise<HostRecord> {
    const { embedding } = await this.#encode.run({ ...model, '@images': images })
    return { '@embedding': embedding! }
  }

  #promptsOf (sample: Fitted, coarse: Float32Array, of: number): CanvasPrompt[] {
    const { labels, settings, config } = this.#init
    const given = givenPrompts(sample, labels, { of, together: knowsAllPrompts(config.name), points: knowsPoints(config.name) })
    if (given.length > 0) return given
    const derived = derivedPrompt(coarse, sample, settings.prompts)
    return derived == null ? [] : [derived]
  }

  /** Probabilities by cell: the mean over the views, each asked as often as the settings say. */
  async #answer (
    prompt: CanvasPrompt,
    { sample, motions, of, fed }: {
      readonly sample: Fitted, readonly motions: readonly Motion[], readonly of: number, readonly fed: HostRecord
    }
  ): Promise<Float32Array> {
    let singles = motions.map((motion) => promptIn(prompt, sample, motion))
    let logits: Float32Array[] = []
    for (let i = 0; i < this.#init.settings.iterations; i++) {
      logits = await this.#decoded({ ...fed, ...promptFeeds(singles, this.#side) }, of)
      singles = singles.map((single, view) => ({ ...single, mask: logits[view]! }))
    }
    return this.#meanOf(logits.map((each) => each.map(sigmoid)), sample, motions)
  }

  /** Logits of a class by view: of the base as it came that of its three maps which it thinks best. */
  async #decoded (fed: HostRecord, of: number): Promise<Float32Array[]> {
    if (this.#init.settings.generator !== 'frozen') return mapsOf((await this.#classes.run(fed))['masks']!, () => of)
    const { masks, iou } = await this.#maps.run(fed)
    const expected = iou!.data as Float32Array
    const best = (view: number): number => {
      const own = MULTI.map((map) => expected[view * (MULTI.length + 1) + map]!)
      return own.indexOf(Math.max(...own))
    }
    return mapsOf(masks!, best)
  }

  #meanOf (views: readonly Float32Array[], { side, fittedHeight, fittedWidth }: Fitted, motions: readonly Motion[]): Float32Array {
    return meanOf(views.map((view, i) => {
      const motion = motions[i]!
      const [height, width] = motion.transpose ? [fittedWidth, fittedHeight] : [fittedHeight, fittedWidth]
      return movedCells(view, { side, fittedHeight: height, fittedWidth: width }, undoing(motion), this.#side)
    }))
  }
}

/** As many of the keys as a round has time for: round after round the next ones, and from the first again. */
export function inTurn (keys: readonly string[], round: number, most = keys.length): string[] {
  const from = (round - 1) * most % keys.length
  return [...keys.slice(from), ...keys.slice(0, from)].slice(0, most)
}

/** Of [views,maps,L,L] one map of each view. */
function mapsOf ({ shape: [views = 0, maps = 0, side = 0], data }: HostRecord[string], which: (view: number) => number): Float32Array[] {
  return Array.from({ length: views }, (_, view) => {
    const from = (view * maps + which(view)) * side ** 2
    return (data as Float32Array).slice(from, from + side ** 2)
  })
}

function probabilitiesOf (masks: HostRecord[string], of: number): Float32Array[] {
  return mapsOf(masks, () => of).map((each) => each.map(sigmoid))
}

function sigmoid (logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}

/** Of a method that makes pseudo-masks. */
export function makerOf (
  { engine, config, model: { pixels }, labels, method }: LearnerInit,
  context: StepContext,
  weights: Weights
): PseudoMaker | undefined {
  const settings = method?.pseudo
  if (settings == null || settings.weight === 0) return undefined
  return new PseudoMaker({ engine, config, pixels, context, labels, weights, settings })
}
