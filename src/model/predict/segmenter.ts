import type { CompiledStep, Engine, HostRecord } from '../../compute/index.ts'
import { mean } from '../../common/mean.ts'
import { decodeLabels, toImages, type Fitted, type LabelMap, type Pixels } from '../../dataset/index.ts'
import { restoreMaps } from '../classes/restore.ts'
import { pixelKey } from '../pixel-key.ts'
import { gridSide, lowResSide, type SamConfig } from '../sam/build-sam.ts'
import { restoreMask } from '../sam/postprocess.ts'
import { decodeClassesStep, decodeStep, encodeStep, type StepContext } from '../steps.ts'
import type { EmbeddingCache } from './embedding-cache.ts'
import { promptInputs, singlePrompts, type ImagePrompt } from './prompts.ts'

export interface SegmenterInit {
  readonly engine: Engine
  readonly config: SamConfig
  readonly pixels?: Pixels | undefined
  readonly context: StepContext
  /** The federation's classes, where it names them. */
  readonly labels?: LabelMap | undefined
  readonly weights: HostRecord
  /** `@gamma` and `@lambda`, as far as the mode has them. */
  readonly adapted: HostRecord
  /** Names base, Γ, Λ and mode: embeddings of other models never meet. */
  readonly identity: string
  readonly cache: EmbeddingCache
}

/** One of SAM's four mask maps of one image. */
export interface MaskMap {
  /** 0 alone, or 1 to 3 (docs/spec/sam.md#mask-decoder). */
  readonly map: number
  /** What the model expects the IoU with the truth to be; the mean over several boxes. Not confined to 0..1. */
  readonly iou: number
  /** height·width of 0 and 1, or of the codes of several classes, at the original size; several boxes: what any of them marks. */
  readonly mask: Uint8Array
  /** Logits [4G·4G] before they are enlarged, a mask prompt for the next prediction; several boxes: the largest. */
  readonly logits: Float32Array
}

const SINGLE = [0]
const MULTI = [1, 2, 3]

/** One model in one mode: an image goes through the encoder once, then answers any number of prompts. */
export class Segmenter {
  readonly #init: SegmenterInit
  readonly #encode: CompiledStep
  readonly #decode: { readonly single: CompiledStep, readonly multi: CompiledStep, readonly classes: CompiledStep }
  #encoded = 0
  #reused = 0

  constructor (init: SegmenterInit) {
    const { engine, context, weights } = init
    this.#init = init
    this.#encode = engine.compile(encodeStep(context), weights)
    this.#decode = {
      single: engine.compile(decodeStep(context, SINGLE), weights),
      multi: engine.compile(decodeStep(context, MULTI), weights),
      classes: engine.compile(decodeClassesStep(context), weights)
    }
  }

  /** Images that went through the encoder so far, and images whose embedding was there already. */
  get counts (): { readonly encoded: number, readonly reused: number } {
    return { encoded: this.#encoded, reused: this.#reused }
  }

  /** Side of the low-resolution logits, 4G. */
  get lowRes (): number {
    return lowResSide(this.#init.config)
  }

  /** Several classes: SAM's maps 1 to 3 are theirs, and one map of codes is the answer. */
  get hasClasses (): boolean {
    return (this.#init.context.division?.classes ?? 1) > 1
  }

  /** Map 0, or with `multimask` maps 1 to 3, of one image under one prompt; of several classes their codes. */
  async segment (
    image: Fitted,
    prompt: ImagePrompt = {},
    { multimask = false }: { readonly multimask?: boolean } = {}
  ): Promise<MaskMap[]> {
    const embedding = await this.embedding(image)
    if (this.hasClasses) return [await this.#classes(image, prompt, embedding)]
    const numbers = multimask ? MULTI : SINGLE
    const answers: MaskMap[][] = []
    for (const single of singlePrompts(prompt)) {
      const { masks, iou } = await this.#decode[multimask ? 'multi' : 'single'].run({
        ...this.#init.adapted,
        '@embedding': embedding,
        ...promptInputs(single, image, this.lowRes)
      })
      answers.push(
        numbers.map((map, i) =>
          this.#restore(image, map, masks!.data.slice(i * this.lowRes ** 2, (i + 1) * this.lowRes ** 2) as Float32Array, iou!.data[map]!)
        )
      )
    }
    return answers.reduce((all, answer) => all.map((map, i) => union(map, answer[i]!))).map((map) => ({
      ...map,
      iou: map.iou / answers.length
    }))
  }

  /** [1,G,G,d] of one image, row by row. */
  async embedding (image: Fitted): Promise<HostRecord[string]> {
    const { config, cache, pixels } = this.#init
    const grid = gridSide(config)
    const key = pixelKey(image, this.#init.identity)
    const known = await cache.get(key)
    if (known?.length === grid * grid * config.width) {
      this.#reused++
      return { shape: [1, grid, grid, config.width], data: known }
    }
    const images = toImages([image], pixels)
    const { embedding } = await this.#encode.run({
      ...this.#init.adapted,
      '@images': { shape: [1, config.imageSize, config.imageSize, 3], data: images }
    })
    this.#encoded++
    await cache.put(key, embedding!.data as Float32Array)
    return embedding!
  }

  async dispose (): Promise<void> {
    await Promise.all([this.#encode, ...Object.values(this.#decode)].map(async (step) => { await step.dispose() }))
  }

  #restore (image: Fitted, map: number, logits: Float32Array, iou: number): MaskMap {
    return { map, iou, logits, mask: restoreMask(logits, this.lowRes, image) }
  }

  /** Several boxes: each class where any of them shows it. */
  async #classes (image: Fitted, prompt: ImagePrompt, embedding: HostRecord[string]): Promise<MaskMap> {
    const answers: { maps: Float32Array[], logits: Float32Array, iou: number }[] = []
    for (const single of singlePrompts(prompt)) {
      const { masks, iou } = await this.#decode.classes.run({
        ...this.#init.adapted,
        '@embedding': embedding,
        ...promptInputs(single, image, this.lowRes)
      })
      const logits = masks!.data as Float32Array
      answers.push({ maps: restoreMaps(logits, this.lowRes, image), logits, iou: mean([...iou!.data]) })
    }
    const { maps, logits } = answers.reduce((a, b) => ({
      ...a,
      maps: a.maps.map((map, c) => map.map((logit, i) => Math.max(logit, b.maps[c]![i]!))),
      logits: a.logits.map((logit, i) => Math.max(logit, b.logits[i]!))
    }))
    return { map: 0, iou: mean(answers.map(({ iou }) => iou)), mask: decodeLabels(maps, this.#init.labels!), logits }
  }
}

function union (a: MaskMap, b: MaskMap): MaskMap {
  return {
    map: a.map,
    iou: a.iou + b.iou,
    mask: a.mask.map((value, i) => value | b.mask[i]!),
    logits: a.logits.map((value, i) => Math.max(value, b.logits[i]!))
  }
}
