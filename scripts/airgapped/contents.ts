import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { InputError } from '../../src/errors.ts'
import { isNeeded, type Machine } from './needed.ts'

const run = promisify(execFile)
const MOST_OUTPUT = 2 ** 26

/** A file of the tree and its place in the archive. */
export interface Taken { readonly from: string, readonly to: string }

/** A package whose files are taken. */
export interface Package {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly folder: string
  /** From its folder, sorted. */
  readonly files: readonly string[]
}

/** What `npm` prints in the folder of the project, without a look at the network. */
export async function askNpm (root: string, ...args: string[]): Promise<string> {
  return (await run('npm', [...args, '--offline'], { cwd: root, maxBuffer: MOST_OUTPUT })).stdout
}

/** Files of the project itself, as `npm pack` chooses them. @throws InputError where it is not built. */
export async function ownFiles (root: string, machine: Machine): Promise<string[]> {
  for (const built of ['dist/src/cli/index.js', 'build/onnxruntime/package.json']) {
    if (!existsSync(join(root, built))) throw new InputError(`${built} is missing: run npm run build first`)
  }
  const [packed] = JSON.parse(await askNpm(root, 'pack', '--dry-run', '--json', '--ignore-scripts')) as [{ files: { path: string }[] }]
  return packed.files.map(({ path }) => path).filter((path) => isNeeded('consilium', path, machine)).sort(byBytes)
}

/** The packages that a user of the package gets, as they are installed here, pruned to what runs on this machine. */
export async function productionPackages (root: string, machine: Machine): Promise<Package[]> {
  const listed = (await askNpm(root, 'ls', '--omit=dev', '--all', '--parseable')).split('\n')
  const folders = listed.filter((line) => line !== '' && line !== root)
  const packages = await Promise.all(folders.map(async (folder) => await readPackage(folder, machine)))
  const taken = packages.filter(({ files }) => files.some((file) => file !== 'package.json'))
  const node = `node-${machine.platform}-${machine.arch}`
  if (!taken.some(({ name }) => name === node)) throw new InputError(`the package ${node} is not installed: run npm ci on this machine`)
  return taken.sort((a, b) => byBytes(relative(root, a.folder), relative(root, b.folder)))
}

/** The package whose libraries the build took into build/onnxruntime. */
export async function engineOf (root: string): Promise<Package> {
  const folder = join(root, 'build/onnxruntime')
  return { ...await describePackage(folder), folder, files: [] }
}

async function readPackage (folder: string, machine: Machine): Promise<Package> {
  const described = await describePackage(folder)
  const all = await filesIn(folder, '')
  return { ...described, folder, files: all.filter((file) => isNeeded(described.name, file, machine)).sort(byBytes) }
}

async function describePackage (folder: string): Promise<Pick<Package, 'name' | 'version' | 'license'>> {
  const { name, version, license, licenses } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
    name: string
    version: string
    license?: string | { type: string }
    licenses?: { type: string }[]
  }
  const said = typeof license === 'object' ? license.type : license ?? licenses?.map(({ type }) => type).join(' OR ')
  return { name, version, license: said ?? 'not said' }
}

/** Links are none of a package's files: npm packs none. */
async function filesIn (root: string, below: string): Promise<string[]> {
  const entries = await readdir(join(root, below), { withFileTypes: true })
  const nested = await Promise.all(entries.filter(({ name }) => name !== 'node_modules').map(async (entry) => {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) return await filesIn(root, path)
    return entry.isFile() ? [path] : []
  }))
  return nested.flat()
}

/** The same order in every locale. */
export function byBytes (a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
