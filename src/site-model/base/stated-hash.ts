import { CorruptFileError } from '../../errors.ts'
import { isMissing } from '../../home/files.ts'
import { openSafetensors } from './safetensors-file.ts'

/** The hash that a file of weights says it has; undefined where there is none, or no such file. */
export async function statedHash (path: string): Promise<string | undefined> {
  try {
    const file = await openSafetensors(path)
    await file.close()
    return file.metadata['hash']
  } catch (error) {
    if (isMissing(error) || error instanceof CorruptFileError) return undefined
    throw error
  }
}
