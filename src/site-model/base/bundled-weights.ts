import { access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { InputError } from '../../errors.ts'

/** Names of the base weights that ship with the package. */
export const BUNDLED = ['sam-tiny', 'litemedsam'] as const

/** Path of the base weights that ship with the package: works from src/ and from dist/src/. */
export async function bundledWeights (name: string): Promise<string> {
  for (const up of ['../../../', '../../../../']) {
    const path = fileURLToPath(new URL(`${up}assets/${name}.safetensors`, import.meta.url))
    try {
      await access(path)
      return path
    } catch { /* try the next place */ }
  }
  throw new InputError(`no base weights named ${name} are bundled: use ${BUNDLED.join(' or ')}`)
}
