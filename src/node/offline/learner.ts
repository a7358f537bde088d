import { InputError } from '../../errors.ts'
import type { Engine } from '../../compute/index.ts'
import { Learner } from '../../model/train/learner.ts'
import type { FederationDocument } from '../federation/document.ts'
import { readBaseModel } from './base-model.ts'

export interface LearnerSource {
  readonly engine: Engine
  readonly model: FederationDocument['model']
  readonly training: FederationDocument['training']
  readonly baseWeights: string
  readonly siteSeed: number
}

/** The model of a federation on this machine. @throws InputError when the base weights are not the federation's. */
export async function createLearner ({ engine, model, training, baseWeights, siteSeed }: LearnerSource): Promise<Learner> {
  const base = await readBaseModel(model.name, baseWeights)
  if (base.hash !== model.baseHash) {
    throw new InputError(`${baseWeights} is not the base that the federation agreed on (its hash is ${base.hash.slice(0, 12)}…, expected ${model.baseHash.slice(0, 12)}…): install the version the federation uses`)
  }
  return Learner.create({
    engine,
    config: base.config,
    weights: base.weights,
    baseHash: base.hash,
    model: { lora: model.lora, decoder: model.decoder, moe: model.moe },
    train: training,
    seed: training.seed,
    siteSeed
  })
}
