import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf } from '../../src/common/message-of.ts'
import { InputError } from '../../src/errors.ts'
import { LIBRARIES } from './source.ts'

const run = promisify(execFile)
const COMPILE_MS = 600_000
const NAPI_VERSION = 8

export interface CompileInit {
  readonly compiler: string
  /** The unpacked tfjs-node. */
  readonly root: string
  /** Include folders of Node and TensorFlow. */
  readonly includes: readonly string[]
  /** Folder with TensorFlow's libraries now. */
  readonly libraries: string
  /** Where they will be at run time: absolute, or relative to the binding. */
  readonly runtimeLibraries: string
}

/** The two sources of tfjs-node's binding, as its binding.gyp does it but without node-gyp, which would want headers from nodejs.org. */
export async function compileBinding ({ compiler, root, includes, libraries, runtimeLibraries }: CompileInit): Promise<string> {
  const binding = join(root, `lib/napi-v${NAPI_VERSION}/tfjs_binding.node`)
  await mkdir(dirname(binding), { recursive: true })
  const args = [
    '-std=c++17', '-O2', '-fPIC', '-shared', `-DNAPI_VERSION=${NAPI_VERSION}`, ...includes.map((folder) => `-I${folder}`),
    ...['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(root, 'binding', name)),
    '-o', binding, `-L${libraries}`, ...LIBRARIES.map((name) => `-l:${name}`),
    `-Wl,-rpath,${isAbsolute(runtimeLibraries) ? runtimeLibraries : `$ORIGIN/${runtimeLibraries}`}`
  ]
  await run(compiler, args, { timeout: COMPILE_MS, maxBuffer: 64e6 }).catch((error: unknown) => {
    throw new InputError(
      `${compiler} could not build the binding (${firstError(error)}): this TensorFlow does not fit tfjs-node 4.22, try 2.21`
    )
  })
  return binding
}

function firstError (error: unknown): string {
  const lines = messageOf(error).split('\n')
  return lines.find((line) => /error|undefined reference|cannot find/i.test(line) && !line.startsWith('Command failed')) ?? lines[0] ??
    'no message'
}
