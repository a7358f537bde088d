import { readFloatTensors, writeSafetensors } from '../../../src/adapter/safetensors.ts'
import { CorruptFileError, InputError } from '../../../src/errors.ts'
import { readIfThere, writeFileSafely } from '../../../src/home/files.ts'
import type { PretrainSettings } from '../settings.ts'
import type { Mark } from './curves.ts'
import { STATE, type State } from './step.ts'

/** All that a run needs in order to go on as if it had never stopped. */
export interface TrainingCheckpoint {
  readonly state: State
  /** Steps done. */
  readonly step: number
  /** Of all sessions so far. */
  readonly history: readonly Mark[]
}

/** The settings that must not change between sessions; `steps` may, which moves the end of the schedule. */
function identity ({ model, seed, batch, rate, from }: PretrainSettings): string {
  return JSON.stringify({ model, seed, batch, rate, from })
}

/** Writes aside and renames: a killed run leaves the old checkpoint or the new one. */
export async function writeCheckpoint (
  path: string,
  { state, step, history }: TrainingCheckpoint,
  settings: PretrainSettings
): Promise<void> {
  const tensors = new Map(STATE.map((name) => [name, { shape: [state[name].length], data: state[name] }]))
  const bytes = writeSafetensors(tensors, { step: String(step), settings: identity(settings), history: JSON.stringify(history) })
  await writeFileSafely(path, bytes)
}

/**
 * The checkpoint of a run with these settings and this many parameters, or undefined where there is no file.
 *
 * @throws InputError when it belongs to another run
 * @throws CorruptFileError when it is damaged
 */
export async function readCheckpoint (path: string, length: number, settings: PretrainSettings): Promise<TrainingCheckpoint | undefined> {
  const bytes = await readIfThere(path)
  if (bytes == null) return undefined
  const { tensors, metadata } = readFloatTensors(bytes)
  if (metadata['settings'] !== identity(settings)) {
    throw new InputError(
      `${path} belongs to a run with other settings (${metadata['settings']}): name another --checkpoint or start over with --no-resume`
    )
  }
  const vectors = STATE.map((name) => {
    const data = tensors.get(name)?.data
    if (data?.length !== length) {
      throw new CorruptFileError(`${path} lacks the vector ${name} of ${length} numbers: start over with --no-resume`)
    }
    return [name, data.slice()]
  })
  return {
    state: Object.fromEntries(vectors) as State,
    step: Number(metadata['step']),
    history: JSON.parse(metadata['history'] ?? '[]') as Mark[]
  }
}
