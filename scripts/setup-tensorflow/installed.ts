import { execFile } from 'node:child_process'
import { cp, access } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf } from '../../src/common/message-of.ts'
import { InputError } from '../../src/errors.ts'
import { isMissing } from '../../src/home/files.ts'
import { HEADERS, LIBRARIES, type TensorflowSource } from './source.ts'

const run = promisify(execFile)
const FIND = 'import importlib.util as u; s = u.find_spec("tensorflow"); print(s.submodule_search_locations[0] if s else "")'
const HEADER_BYTES = 50e6

/**
 * The TensorFlow that a Python has; its libraries stay where they are, beside the CUDA libraries that pip put there. @throws InputError
 * where there is none.
 */
export async function findInstalled (python: string): Promise<TensorflowSource> {
  const { stdout } = await run(python, ['-c', FIND], { timeout: 60_000 }).catch((error: unknown) => {
    throw new InputError(
      `${python} cannot be run (${messageOf(error).split('\n', 1)[0]}): give the path of a Python 3 with --python`
    )
  })
  const root = stdout.trim()
  if (root === '') throw new InputError(`${python} has no TensorFlow: install tensorflow or tensorflow-cpu with its pip first`)
  for (const name of [...LIBRARIES, 'include/tensorflow/c/c_api.h']) {
    await access(join(root, name)).catch(() => { throw new InputError(`the TensorFlow in ${root} has no ${name}: install 2.14 or newer`) })
  }
  return {
    bytes: HEADER_BYTES,
    async provide ({ include }) {
      for (const folder of HEADERS) {
        await cp(join(root, 'include', folder), join(include, folder), { recursive: true }).catch((error: unknown) => {
          // Which folders there are differs between versions; the compiler names what is really missing.
          if (!isMissing(error)) throw error
        })
      }
      return root
    }
  }
}
