import { rmSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { TensorflowProbe } from '../../src/compute/choice.ts'
import { InputError } from '../../src/errors.ts'
import { isMissing, namesIn } from '../../src/home/files.ts'
import { compileBinding } from './compile.ts'
import type { PackageFolders } from './packages.ts'
import { requireSpace } from './prerequisites.ts'
import type { TensorflowSource } from './source.ts'

const WORKING_SPACE = 50e6

export interface InstallInit {
  readonly source: TensorflowSource
  /** Where it will be found (compute/tensorflow-location.ts). */
  readonly folder: string
  readonly compiler: string
  readonly fetchPackages: (folders: PackageFolders, aside: string) => Promise<void>
  /** Loads what was built. */
  readonly probe: (location: { root: string, binding: string }) => Promise<TensorflowProbe>
  readonly say: (line: string) => void
}

/** Builds aside and renames at the end: whatever fails leaves the folder as it was. @throws InputError for whatever fails. */
export async function install (init: InstallInit): Promise<Exclude<TensorflowProbe, string>> {
  const { folder, source } = init
  const work = join(dirname(folder), `.${basename(folder)}.${process.pid}`)
  const undo = (): void => { rmSync(work, { recursive: true, force: true }) }
  const onSignal = (): never => {
    undo()
    process.exit(130)
  }
  await requireOurs(folder)
  await requireSpace(dirname(folder), source.bytes + WORKING_SPACE)
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal)
  try {
    const found = await build(init, work)
    await replace(folder, join(work, 'done'))
    return found
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    undo()
  }
}

async function build (
  { source, compiler, fetchPackages, probe, say }: InstallInit,
  work: string
): Promise<Exclude<TensorflowProbe, string>> {
  const modules = join(work, 'done/node_modules')
  const root = join(modules, '@tensorflow/tfjs-node')
  const [include, lib, headers] = [join(work, 'include'), join(root, 'deps/lib'), join(work, 'headers')]
  say('fetching tfjs-node from the npm registry')
  await fetchPackages({ tfjs: root, protobuf: join(modules, 'google-protobuf'), headers }, join(work, 'archives'))
  say('taking headers and libraries of TensorFlow')
  const libraries = await source.provide({ include, lib })
  say('compiling the binding')
  const binding = await compileBinding({
    compiler,
    root,
    includes: [join(headers, 'include'), include],
    libraries,
    runtimeLibraries: libraries === lib ? '../../deps/lib' : libraries
  })
  say('trying it')
  const found = await probe({ root, binding })
  if (typeof found === 'string') throw new InputError(`the binding was built but does not work: ${found}`)
  return found
}

/** It will be replaced whole: only where nothing, or an installation of ours, can be lost. */
async function requireOurs (folder: string): Promise<void> {
  const other = (await namesIn(folder)).find((name) => name !== 'node_modules')
  if (other !== undefined) throw new InputError(`${folder} has other things in it (${other}, …): name a folder of its own`)
}

/** The old installation goes only once the new one is in its place. */
async function replace (folder: string, by: string): Promise<void> {
  const old = `${by}.old`
  await rename(folder, old).catch((error: unknown) => { if (!isMissing(error)) throw error })
  try {
    await rename(by, folder)
  } catch (error) {
    await rename(old, folder).catch(() => undefined)
    throw error
  }
  await rm(old, { recursive: true, force: true })
}
