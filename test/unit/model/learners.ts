import type { Engine } from '../../../src/compute/index.ts'
import type { LabelMap, Scored } from '../../../src/dataset/index.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { checkWeights, weightsHash, type Weights } from '../../../src/model/sam/weights.ts'
import type { CacheLimits } from '../../../src/model/train/frozen-features.ts'
import { Learner } from '../../../src/model/train/learner.ts'
import type { Mechanism } from '../../../src/privacy/mechanism.ts'
import type { GlobalGroup, MethodSettings } from '../../../src/settings/method.ts'
import { defaultModelSettings, type ModelSettings } from '../../../src/settings/model.ts'
import { type TrainSettings, defaultTrainSettings } from '../../../src/settings/training.ts'
import { testEngine, tinyWeights } from './golden.ts'

export const config = samConfig('golden-128')
export const weights = checkWeights(config, new Map(Object.entries(tinyWeights)))
export const baseHash = weightsHash(weights)

export async function createLearner (
  { engine, weights: base = weights, siteSeed = 7, seed = 3, rounds = Infinity, model = {}, train = {}, keeps, ...others }: {
    engine?: Engine,
    weights?: Weights,
    siteSeed?: number,
    seed?: number,
    rounds?: number,
    model?: Partial<ModelSettings>,
    train?: Partial<TrainSettings>,
    keeps?: readonly GlobalGroup[],
    method?: MethodSettings,
    labels?: LabelMap | undefined,
    privacy?: Mechanism,
    cache?: CacheLimits
  } = {}
): Promise<Learner> {
  const { method, labels, privacy, cache } = others
  return Learner.create({
    engine: engine ?? await testEngine(),
    config,
    weights: base,
    baseHash,
    model: { ...defaultModelSettings(config), ...model },
    train: { ...defaultTrainSettings(config), stepsPerRound: undefined, epochsG: 1, epochsL: 1, batchSize: 2, warmupSteps: 2, ...train },
    method: { ...method, ...(keeps == null ? {} : { keeps: [...keeps] }) },
    labels,
    privacy,
    rounds,
    seed,
    siteSeed,
    ...(cache == null ? {} : { cache })
  })
}

/** A bright disc on textured ground, 96×128 pixels of original size, for which a model of random weights can learn something. */
export function disc (id: number): Scored {
  const [height, width] = [96, 128]
  const [x0, y0, radius] = [40 + 12 * id, 40 + 6 * id, 18 + 3 * id]
  const inside = (i: number): boolean => (i % width - x0) ** 2 + (Math.floor(i / width) - y0) ** 2 < radius ** 2
  const image = Uint8Array.from({ length: height * width }, (_, i) => inside(i) ? 200 : 60 + i * 7919 % 17)
  const mask = Uint8Array.from({ length: height * width }, (_, i) => inside(i) ? 1 : 0)
  return { id: `disc-${id}`, height, width, side: 128, fittedHeight: height, fittedWidth: width, channels: 1, image, mask, truth: mask }
}

export const discs = [0, 1, 2, 3].map(disc)
