import { labelMapOf } from '../dataset/index.ts'
import { InputError } from '../errors.ts'
import { projectionGroups } from '../model/blocks/projection.ts'
import { expertTensors } from '../model/parameters/expert-set.ts'
import { globalParameters, type ParameterGroup } from '../model/parameters/groups.ts'
import { travellingTensors } from '../model/parameters/lora-aggregation.ts'
import { globalGroups } from '../model/parameters/shared-set.ts'
import { selectionGroups } from '../model/parameters/site-selection.ts'
import { samConfig, withImageSize } from '../model/sam/build-sam.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'
import type { Labels } from '../settings/labels.ts'
import { clustersIn, type MethodSettings } from '../settings/method.ts'
import { defaultImageSize, defaultModelSettings } from '../settings/model.ts'
import { pretrainingOf } from '../settings/pretraining.ts'
import { defaultTrainSettings, BATCH_OF_SEVERAL } from '../settings/training.ts'
import { findModel } from './base/model-store.ts'

/** The base's hash, the image side, and where LoRA and experts sit (docs/spec/pfedsam.md#default-values); `name` as in `model list`. */
export async function modelSection (folder: string, name: string, imageSize?: number): Promise<FederationSettings['model']> {
  const { architecture, hash } = await findModel(folder, name)
  const config = samConfig(architecture)
  const side = imageSize ?? defaultImageSize(config)
  return { name: architecture, baseHash: hash, imageSize: withImageSize(config, side).imageSize, ...defaultModelSettings(config) }
}

/** Epochs, rates and losses for this model (docs/spec/pfedsam.md#default-values). */
export function trainingSection (
  model: Pick<FederationSettings['model'], 'name'>,
  own: { rounds: number, seed: number }
): FederationSettings['training'] {
  return { ...defaultTrainSettings(model), ...own }
}

/** What else several classes want: each a pass of the decoder, and as many images as alone (docs/spec/pfedsam.md#several-classes). */
export function forClasses<T extends Pick<FederationSettings, 'model' | 'training'>> (draft: T, labels: Labels): T {
  if (labelMapOf(labels).names.length === 1) return draft
  const { model, training } = draft
  return { ...draft, model: { ...model, classes: 'apart' }, training: { ...training, batchSize: BATCH_OF_SEVERAL * training.batchSize } }
}

/**
 * @throws InputError when LoRA or experts do not fit the architecture, its image side is none, nothing would be averaged, or nothing kept
 * of what the method says is kept.
 */
export function checkModel (
  { name, imageSize, ...settings }: FederationSettings['model'],
  method?: MethodSettings,
  labels?: FederationSettings['labels']
): void {
  const config = withImageSize(samConfig(name), imageSize)
  const groups = groupsOf({ name, imageSize, ...settings }, method, labels)
  expertTensors(config, settings.moe)
  const empty = groups.find(({ owner, parameters }) => owner === 'own' && parameters.length === 0)
  if (empty != null) throw new InputError(`method.keeps names the ${empty.name}, of which nothing is trained: leave it out`)
  if (globalParameters(groups, 'shared').length === 0) {
    throw new InputError('the settings leave nothing that sites would average: train more of encoder or decoder, or keep less of it')
  }
  const names = travellingTensors(settings.lora.aggregation ?? 'factors', globalParameters(groups, 'shared')).map((each) => each.name)
  checkOwn(names, clustersIn(method)?.own ?? [])
}

/** What clusters average apart: something, and not all. */
function checkOwn (names: readonly string[], own: readonly string[]): void {
  const patterns = own.map((pattern) => new RegExp(pattern))
  const idle = patterns.find((pattern) => !names.some((each) => pattern.test(each)))
  if (idle != null) throw new InputError(`method.clusters.own: ${idle.source} is the name of nothing that sites average: leave it out`)
  if (own.length > 0 && names.every((each) => patterns.some((pattern) => pattern.test(each)))) {
    throw new InputError('method.clusters.own: these are all that sites average, and clusters would have nothing in common: name fewer')
  }
}

function groupsOf (
  { name, imageSize, ...settings }: FederationSettings['model'],
  method?: MethodSettings,
  labels?: FederationSettings['labels']
): ParameterGroup[] {
  const classes = labels == null ? 1 : labelMapOf(labels).names.length
  const config = withImageSize(samConfig(name), imageSize)
  return [
    ...globalGroups(config, settings, method?.keeps, classes),
    ...selectionGroups(config.width, method?.siteContrast),
    ...projectionGroups(config.width, pretrainingOf(method))
  ]
}

/** @throws InputError where an adapter does not hold exactly what sites of this federation average */
export function checkStart (
  { file, tensors }: { readonly file: string, readonly tensors: ReadonlyMap<string, { readonly shape: readonly number[] }> },
  { model, method, labels }: Pick<FederationSettings, 'model' | 'method' | 'labels'>
): void {
  const wanted = travellingTensors(model.lora.aggregation ?? 'factors', globalParameters(groupsOf(model, method, labels), 'shared'))
  const names = new Set(wanted.map(({ name }) => name))
  const wrong = wanted.find(({ name, shape }) => tensors.get(name)?.shape.join() !== shape.join())?.name ??
    [...tensors.keys()].find((name) => !names.has(name))
  if (wrong == null) return
  throw new InputError(`${file} is no adapter of this federation: tensor ${wrong} is missing, superfluous or of another shape`)
}
