import type { Engine } from '../compute/index.ts'
import { labelMapOf } from '../dataset/index.ts'
import { InputError } from '../errors.ts'
import { readStartAdapter, type StartAdapter } from '../home/start-adapter.ts'
import { withImageSize } from '../model/sam/build-sam.ts'
import { prepareWeights } from '../model/sam/weights.ts'
import type { FeatureStore } from '../model/train/frozen-features.ts'
import { Learner } from '../model/train/learner.ts'
import type { Mechanism } from '../privacy/mechanism.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'
import type { MethodSettings } from '../settings/method.ts'
import { readBaseModel } from './base/base-model.ts'
import { findWeights } from './base/model-store.ts'

const MAX_CACHE_BYTES = 2 ** 30

export interface LearnerSource {
  readonly engine: Engine
  readonly model: FederationSettings['model']
  readonly training: FederationSettings['training']
  readonly method?: MethodSettings | undefined
  readonly labels?: FederationSettings['labels']
  /** Of a site that trains where privacy is promised to patients. */
  readonly privacy?: Mechanism | undefined
  /** Instead of what the seed makes. */
  readonly start?: StartAdapter | undefined
  /** Folder of imported models. */
  readonly models: string
  readonly siteSeed: number
  /** Where features of frozen blocks go when memory is full; nowhere if not given. */
  readonly spill?: FeatureStore
}

/** The model of a federation on this machine. @throws InputError when its base weights or the adapter that it starts from are not here. */
export async function createLearner (
  { engine, model, training, method, labels, privacy, start, models, siteSeed, spill }: LearnerSource
): Promise<Learner> {
  const file = await findWeights(models, model)
  const base = await readBaseModel(model.name, file)
  if (base.hash !== model.baseHash) {
    throw new InputError(`${file} is damaged: its numbers do not have the hash that it states; remove it and import the model again`)
  }
  const config = withImageSize(base.config, model.imageSize)
  return Learner.create({
    engine,
    config,
    weights: prepareWeights(base.weights, base.config, config),
    baseHash: base.hash,
    model: {
      lora: model.lora,
      encoder: model.encoder,
      decoder: model.decoder,
      classes: model.classes,
      moe: model.moe,
      pixels: model.pixels,
      channels: model.channels,
      window: model.window
    },
    train: training,
    method,
    labels: labels == null ? undefined : labelMapOf(labels),
    privacy,
    rounds: training.rounds,
    seed: training.seed,
    start: start == null ? undefined : await startOf(start),
    siteSeed,
    cache: { memoryBytes: Math.min(MAX_CACHE_BYTES, process.availableMemory() / 4), ...(spill == null ? {} : { spill }) }
  })
}

async function startOf (start: StartAdapter): Promise<Map<string, Float32Array>> {
  return new Map([...await readStartAdapter(start)].map(([name, { data }]) => [name, data]))
}
