import * as tf from '@tensorflow/tfjs-core'
import type { TensorRecord } from '../../compute/index.ts'
import type { Pretraining } from '../../settings/pretraining.ts'
import type { GlobalParameter, ParameterGroup } from '../parameters/groups.ts'
import { reluMlp } from './common.ts'

/** Both come after all seeded names of the adapter: what the seed makes of those is as without them. */
export const PROJECTOR = 'projector'
export const PREDICTOR = 'predictor'
/** Numbers by which looks at images are compared. */
export const REPRESENTATION = 64
const HIDDEN = 128
const LAYERS = 2

type Sizes = readonly [into: number, hidden: number, out: number]

/**
 * By what label-free rounds compare images whose embeddings have width d: the projector d → d → 64, which all sites average so that
 * their spaces agree, and by byol the predictor 64 → 128 → 64, which each keeps. None where no round is label-free.
 */
export function projectionGroups (width: number, asked: Pick<Pretraining, 'objective'> | undefined): ParameterGroup[] {
  if (asked == null) return []
  const projector: ParameterGroup =
    { name: 'projector', owner: 'shared', phase: 'G', parameters: layersOf(PROJECTOR, [width, width, REPRESENTATION]) }
  const predictor: ParameterGroup =
    { name: 'predictor', owner: 'own', phase: 'G', parameters: layersOf(PREDICTOR, [REPRESENTATION, HIDDEN, REPRESENTATION]) }
  return asked.objective === 'byol' ? [projector, predictor] : [projector]
}

/** They do not decay: in rounds that do not use them they stay as they are. */
function layersOf (prefix: string, sizes: Sizes): GlobalParameter[] {
  return Array.from({ length: LAYERS }, (_, layer): GlobalParameter[] => {
    const [into, out] = [sizes[layer]!, sizes[layer + 1]!]
    const part = (name: string, shape: readonly number[], start: 'seeded' | 'zero'): GlobalParameter =>
      ({ name: `${prefix}.layers.${layer}.${name}`, shape, role: 'encoder', rate: 'lrHeads', decays: false, start })
    return [part('bias', [out], 'zero'), part('weight', [out, into], 'seeded')]
  }).flat()
}

/** What images with these embeddings [B,G,G,d] are compared by: [B,64]. */
export function representation (embedding: tf.Tensor, weights: TensorRecord): tf.Tensor {
  const [images = 0, , , width = 0] = embedding.shape
  return reluMlp(tf.mean(tf.reshape(embedding, [images, -1, width]), 1), weights, PROJECTOR, LAYERS)
}

/** What the predictor makes of representations [B,64]. */
export function predicted (z: tf.Tensor, weights: TensorRecord): tf.Tensor {
  return reluMlp(z, weights, PREDICTOR, LAYERS)
}
