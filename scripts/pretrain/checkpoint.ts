import { readFile } from 'node:fs/promises'
import writeFileAtomic from 'write-file-atomic'
import { readFloatTensors, writeSafetensors } from '../../src/adapter/safetensors.ts'
import { CorruptFileError, InputError } from '../../src/errors.ts'
import type { OptimiserState } from './adamw.ts'
import type { PretrainSettings } from './settings.ts'

/** All that a run needs in order to go on as if it had never stopped. */
export interface Checkpoint extends OptimiserState {
  readonly parameters: Float32Array
  /** Steps done. */
  readonly step: number
}

const VECTORS = ['parameters', 'first', 'second', 'mean'] as const

/** The settings that must not change between sessions; `steps` may, which moves the schedule's end. */
function identity ({ model, seed, batch, rate }: PretrainSettings): string {
  return JSON.stringify({ model, seed, batch, rate })
}

/** Writes aside and renames: a killed run leaves the old checkpoint or the new one. */
export async function writeCheckpoint (path: string, checkpoint: Checkpoint, settings: PretrainSettings): Promise<void> {
  const tensors = new Map(VECTORS.map((name) => [name, { shape: [checkpoint[name].length], data: checkpoint[name] }]))
  await writeFileAtomic(path, Buffer.from(writeSafetensors(tensors, { step: String(checkpoint.step), settings: identity(settings) }).buffer))
}

/**
 * The checkpoint of a run with these settings and this many parameters, or undefined where there is no file.
 *
 * @throws InputError when it belongs to another run
 * @throws CorruptFileError when it is damaged
 */
export async function readCheckpoint (path: string, length: number, settings: PretrainSettings): Promise<Checkpoint | undefined> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (bytes == null) return undefined
  const { tensors, metadata } = readFloatTensors(bytes)
  if (metadata['settings'] !== identity(settings)) throw new InputError(`${path} belongs to a run with other settings (${metadata['settings']}): name another --checkpoint or start over with --no-resume`)
  const vector = (name: string): Float32Array => {
    const data = tensors.get(name)?.data
    if (data?.length !== length) throw new CorruptFileError(`${path} lacks the vector ${name} of ${length} numbers: start over with --no-resume`)
    return data.slice()
  }
  const [parameters, first, second, mean] = VECTORS.map(vector) as [Float32Array, Float32Array, Float32Array, Float32Array]
  return { parameters, first, second, mean, step: Number(metadata['step']) }
}
