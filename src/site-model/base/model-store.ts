import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CorruptFileError, InputError } from '../../errors.ts'
import { namesIn } from '../../home/files.ts'
import { samConfig } from '../../model/sam/build-sam.ts'
import { parameterCount } from '../../model/sam/tensor-shapes.ts'
import { readBaseModel } from './base-model.ts'
import { BUNDLED, bundledWeights } from './bundled-weights.ts'
import { openSafetensors } from './safetensors-file.ts'
import { statedHash } from './stated-hash.ts'

/** A base model that this machine has. */
export interface StoredModel {
  readonly name: string
  readonly architecture: string
  /** SHA-256 over its numbers: the base hash of a federation. */
  readonly hash: string
  readonly parameters: number
  readonly bytes: number
  readonly path: string
  readonly bundled: boolean
}

/** The bundled models and all imported ones, by name. @throws InputError naming a file that cannot be read. */
export async function listModels (folder: string): Promise<StoredModel[]> {
  const names = await namesIn(folder)
  const files = names.filter((name) => name.endsWith('.safetensors')).sort()
  const imported = files.map(async (file) => await readEntry(join(folder, file)))
  return await Promise.all([...BUNDLED.map(bundledModel), ...imported])
}

/** @throws InputError for a name that is neither bundled nor imported; it lists those that are. */
export async function findModel (folder: string, name: string): Promise<StoredModel> {
  return pick(await listModels(folder), (model) => model.name === name, `there is no model named ${name}`)
}

/** The weights that a federation agreed on, by their hash. @throws InputError when this machine does not have them. */
export async function findWeights (folder: string, { name, baseHash }: { name: string, baseHash: string }): Promise<string> {
  const wanted = `the federation's base model (${name}, hash ${baseHash.slice(0, 12)}…) is not on this machine`
  return pick(await listModels(folder), (model) => model.hash === baseHash, wanted).path
}

function pick (models: readonly StoredModel[], matches: (model: StoredModel) => boolean, missing: string): StoredModel {
  const found = models.find(matches)
  if (found == null) {
    throw new InputError(`${missing}; here are ${models.map(({ name }) => name).join(', ')}: bring it with "consilium model import FILE"`)
  }
  return found
}

async function bundledModel (name: string): Promise<StoredModel> {
  const path = await bundledWeights(name)
  return {
    name,
    architecture: name,
    hash: await bundledHash(name, path),
    parameters: parameterCount(samConfig(name)),
    bytes: (await stat(path)).size,
    path,
    bundled: true
  }
}

/** The larger one states it, since every command that names a base would read 20 MB for it; who loads the weights checks. */
async function bundledHash (name: string, path: string): Promise<string> {
  return await statedHash(path) ?? (await readBaseModel(name, path)).hash
}

async function readEntry (path: string): Promise<StoredModel> {
  try {
    const file = await openSafetensors(path)
    await file.close()
    const { architecture, hash } = file.metadata
    if (architecture == null || hash == null) throw new CorruptFileError('it was not made by "consilium model import"')
    return {
      name: basename(path, '.safetensors'),
      architecture,
      hash,
      parameters: parameterCount(samConfig(architecture)),
      bytes: (await stat(path)).size,
      path,
      bundled: false
    }
  } catch (error) {
    if (error instanceof CorruptFileError) {
      throw new InputError(`${path} cannot be used: ${error.message}; remove it and import the model again`)
    }
    throw error
  }
}
