import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import type { Prompts } from '../sam/prompt-encoder.ts'
import { promptAnswers, type SamOptions } from '../sam/sam.ts'
import type { SamConfig } from '../sam/build-sam.ts'
import { mapsOf, passesOf, passName, type Division } from './passes.ts'

/** One of the decoder's passes: what it has of its own in the place of the first pass's. */
function inPass (weights: TensorRecord, pass: number): TensorRecord {
  if (pass === 0) return weights
  const prefix = passName(pass, '')
  const own = Object.entries(weights).filter(([name]) => name.startsWith(prefix))
  return { ...weights, ...Object.fromEntries(own.map(([name, tensor]) => [`mask_decoder.${name.slice(prefix.length)}`, tensor])) }
}

/**
 * Logits [P,C,4G,4G] and IoU estimates [P,C] of so many classes (docs/spec/pfedsam.md#several-classes), and the features of the first
 * pass.
 */
export function classMaps (
  weights: TensorRecord,
  config: SamConfig,
  embedding: tf.Tensor4D,
  { division, prompts, ...options }: Omit<SamOptions, 'maps'> & { readonly division: Division, readonly prompts: Prompts }
): { masks: tf.Tensor4D, iou: tf.Tensor2D, picture: tf.Tensor4D } {
  const answers = Array.from({ length: passesOf(division) }, (_, pass) => {
    const maps = mapsOf(division, pass)
    const { masks, iou, picture } = promptAnswers(inPass(weights, pass), config, embedding, prompts, { ...options, maps })
    return { masks, iou: tf.slice(iou, [0, maps[0]!], [-1, maps.length]), picture }
  })
  if (answers.length === 1) return answers[0]!
  const all = (of: (answer: typeof answers[number]) => tf.Tensor): tf.Tensor => tf.concat(answers.map(of), 1)
  return {
    masks: all(({ masks }) => masks) as tf.Tensor4D,
    iou: all(({ iou }) => iou) as tf.Tensor2D,
    picture: answers[0]!.picture
  }
}
