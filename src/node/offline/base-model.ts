import { InputError } from '../../errors.ts'
import { samConfig, type SamConfig } from '../../model/sam/build-sam.ts'
import { loadWeights, type Weights } from '../../model/sam/weights.ts'
import { readIfThere } from '../storage/files.ts'

export interface BaseModel {
  readonly config: SamConfig
  readonly weights: Weights
  readonly hash: string
}

/** @throws InputError when there is no such file; SchemaError or CorruptFileError when it is not this model. */
export async function readBaseModel (name: string, file: string): Promise<BaseModel> {
  const bytes = await readIfThere(file)
  if (bytes == null) throw new InputError(`the base weights ${file} do not exist: reinstall the package`)
  const config = samConfig(name)
  return { config, ...loadWeights(config, bytes) }
}
