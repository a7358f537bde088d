import { access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { InputError } from '../../src/errors.ts'

/** The bundled sample, found from scripts/ and from dist/scripts/. */
export async function bundledSample (): Promise<string> {
  return await bundled('colin27')
}

/** The deep grey matter of its heads: masks alone, in a folder per hospital. */
export async function deepGreySample (): Promise<string> {
  return await bundled('deep-grey')
}

async function bundled (name: string): Promise<string> {
  for (const up of ['../../', '../../../']) {
    const path = fileURLToPath(new URL(`${up}samples/${name}`, import.meta.url))
    try {
      await access(path)
      return path
    } catch { /* try the next place */ }
  }
  throw new InputError('the bundled sample is missing: give --data a folder with one data folder per hospital, or reinstall the package')
}
