import type { NamedTensor } from '../../adapter/safetensors.ts'
import { CorruptFileError, InputError } from '../../errors.ts'
import { isMissing } from '../../home/files.ts'
import { samConfig, type SamConfig } from '../../model/sam/build-sam.ts'
import { checkWeights, weightsHash, type Weights } from '../../model/sam/weights.ts'
import { openSafetensors } from './safetensors-file.ts'

export interface BaseModel {
  readonly config: SamConfig
  readonly weights: Weights
  readonly hash: string
}

/**
 * Reads weights in our own form, tensor by tensor. @throws InputError when there is no such file or it is damaged; SchemaError when it
 * is not this model.
 */
export async function readBaseModel (name: string, file: string): Promise<BaseModel> {
  const config = samConfig(name)
  const weights = checkWeights(config, await readTensors(file))
  return { config, weights, hash: weightsHash(weights) }
}

async function readTensors (path: string): Promise<Map<string, NamedTensor>> {
  try {
    const file = await openSafetensors(path)
    try {
      const tensors = new Map<string, NamedTensor>()
      for (const [name, shape] of file.shapes) tensors.set(name, { shape, data: await file.read(name) })
      return tensors
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isMissing(error)) throw new InputError(`the base weights ${path} do not exist: reinstall the package`)
    if (error instanceof CorruptFileError) {
      throw new InputError(`the base weights ${path} cannot be used: ${error.message}; reinstall the package or import the model again`)
    }
    throw error
  }
}
