import { toImages, toTargets, type Fitted } from '../../../src/dataset/index.ts'
import { LABEL } from '../../../src/model/sam/prompt-encoder.ts'
import type { Sample } from '../scenes/sample.ts'

/** Tasks per image, in the order of their targets. */
export const PROMPTS = ['none', 'point', 'box'] as const
export type PromptKind = typeof PROMPTS[number]

/** Samples as the training step takes them; B images, three tasks for each. */
export interface TaskBatch {
  /** [B,S,S,3], normalised, zero beyond the content (docs/spec/sam.md#geometry). */
  readonly images: Float32Array
  /** Prompts of the 2B tasks that have one, first all points, then all boxes: [2B,2,2] as x, y in pixels. */
  readonly coordinates: Float32Array
  /** [2B,2]: what each coordinate pair stands for (LABEL of the prompt encoder). */
  readonly labels: Float32Array
  /** [3B,4G,4G]: all masks of PROMPTS[0], then of PROMPTS[1], …; each cell holds the part of it that is inside. */
  readonly targets: Float32Array
}

function crop (pixels: Uint8Array, { side, height, width }: Sample): Uint8Array {
  const out = new Uint8Array(height * width)
  for (let row = 0; row < height; row++) out.set(pixels.subarray(row * side, row * side + width), row * width)
  return out
}

/** A sample with the mask of one of its tasks, as a slice that needs no scaling. */
export function fitted (sample: Sample, prompt: PromptKind): Fitted {
  const { side, height, width } = sample
  return {
    id: prompt,
    height,
    width,
    side,
    fittedHeight: height,
    fittedWidth: width,
    channels: 1,
    image: crop(sample.image, sample),
    mask: crop(sample[prompt].mask, sample)
  }
}

interface PromptPair { readonly coordinates: readonly number[], readonly labels: readonly [number, number] }

function pointPrompt ({ point: { at, outside } }: Sample): PromptPair {
  return outside == null
    ? { coordinates: [...at, 0, 0], labels: [LABEL.foreground, LABEL.padding] }
    : { coordinates: [...at, ...outside], labels: [LABEL.foreground, LABEL.background] }
}

function boxPrompt ({ box }: Sample): PromptPair {
  return { coordinates: box.at, labels: [LABEL.topLeft, LABEL.bottomRight] }
}

/** Packs samples of one side into one batch whose targets have the side `lowResSide`. */
export function toTaskBatch (samples: readonly Sample[], lowResSide: number): TaskBatch {
  const tasks = PROMPTS.map((prompt) => samples.map((sample) => fitted(sample, prompt)))
  const byTask = tasks.map((task) => toTargets(task, lowResSide))
  const length = byTask[0]!.length
  const targets = new Float32Array(PROMPTS.length * length)
  for (const [k, each] of byTask.entries()) targets.set(each, k * length)
  const prompts = [...samples.map(pointPrompt), ...samples.map(boxPrompt)]
  return {
    images: toImages(tasks[0]!),
    coordinates: Float32Array.from(prompts.flatMap(({ coordinates }) => coordinates)),
    labels: Float32Array.from(prompts.flatMap(({ labels }) => labels)),
    targets
  }
}
