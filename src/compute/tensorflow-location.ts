import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

/** The package has no such script: a clone has. */
export const SETUP = 'run npm run setup:tensorflow in a clone of the repository'

/** The Node package within a folder that scripts/setup-tensorflow fills. */
const WITHIN = 'node_modules/@tensorflow/tfjs-node'

/**
 * Where scripts/setup-tensorflow installs and the engine looks: CONSILIUM_TENSORFLOW, or consilium/tensorflow in the user's data
 * folder.
 */
export function tensorflowFolder (env: NodeJS.ProcessEnv = process.env): string {
  const given = env['CONSILIUM_TENSORFLOW']
  if (given !== undefined && given !== '') return given
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local/share'), 'consilium/tensorflow')
}

/** A tfjs-node with its native part. */
export interface TensorflowLocation { readonly root: string, readonly binding: string }

/** The first that is complete, or what it is instead: set up by our script, else installed with npm. */
export function findTensorflow (env: NodeJS.ProcessEnv = process.env): TensorflowLocation | string {
  const roots = [join(tensorflowFolder(env), WITHIN), fromNpm('@tensorflow/tfjs-node-gpu'), fromNpm('@tensorflow/tfjs-node')]
  const present = roots.filter((root) => root !== undefined && existsSync(join(root, 'package.json'))) as string[]
  for (const root of present) {
    const binding = bindingIn(root)
    if (binding !== undefined) return { root, binding }
  }
  if (present.length > 0) return `broken: ${present[0]} has no native part: ${SETUP}, or npm rebuild there`
  return `not installed: ${SETUP}`
}

function fromNpm (name: string): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
  } catch {
    return undefined
  }
}

/** lib/napi-v8/tfjs_binding.node: the newest interface of Node that was built for. */
function bindingIn (root: string): string | undefined {
  const lib = join(root, 'lib')
  const versions = existsSync(lib) ? readdirSync(lib).filter((name) => name.startsWith('napi-v')) : []
  const paths = versions.sort((a, b) => Number(b.slice(6)) - Number(a.slice(6))).map((name) => join(lib, name, 'tfjs_binding.node'))
  return paths.find((path) => existsSync(path))
}
