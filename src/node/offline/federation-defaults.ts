import { defaultModelSettings, defaultTrainSettings } from '../../model/settings.ts'
import type { FederationDocument } from '../federation/document.ts'
import { bundledWeights } from './bundled-weights.ts'
import { readBaseModel } from './base-model.ts'

/** The base's hash and where LoRA and experts sit (SAM_SPEC §3.6). */
export async function modelSection (name: string): Promise<FederationDocument['model']> {
  const { hash } = await readBaseModel(name, await bundledWeights(name))
  return { name, baseHash: hash, ...defaultModelSettings(name) }
}

export function trainingSection (own: { rounds: number, seed: number }): FederationDocument['training'] {
  return { ...defaultTrainSettings(), ...own }
}
