import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, copyFile, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { InputError } from '../../src/errors.ts'
import { billOf } from './bill.ts'
import { byBytes, engineOf, ownFiles, productionPackages, type Taken } from './contents.ts'
import { noticeOf } from './notice.ts'
import type { Machine } from './needed.ts'

const AT_ONCE = 16
const EXECUTABLE = 0o755
/** sha256sum escapes the others, and who copies the archive by hand may lose them. */
const PLAIN = /^[\w@+~.,()/-]+$/

/** What lies in the folder that becomes the archive. */
export interface Staged {
  /** Of the folder, such as consilium-0.2.0-linux-x64. */
  readonly name: string
  /** From that folder, sorted. */
  readonly files: readonly string[]
}

/** Puts everything into `folder`: hard links where the file system can, and the few files that are written for the archive. */
export async function stage (from: string, folder: string, machine: Machine, date: Date): Promise<Staged> {
  // As npm writes it.
  const root = resolve(from)
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  const name = `consilium-${version}-${machine.platform}-${machine.arch}`
  const top = join(folder, name)
  const packages = await productionPackages(root, machine)
  const taken: Taken[] = [
    ...(await ownFiles(root, machine)).map((file) => ({ from: join(root, file), to: `app/${file}` })),
    ...packages.flatMap(({ folder: of, files }) =>
      files.map((file) => ({ from: join(of, file), to: join('app', relative(root, of), file) })))
  ]
  await rm(top, { recursive: true, force: true })
  await inTurns(taken, async (each) => { await place(each.from, join(top, each.to)) })
  const engine = await engineOf(root)
  const installer = await readFile(join(root, 'scripts/airgapped/install.sh'), 'utf8')
  const written: Record<string, string> = {
    'install.sh': installer.replace('@VERSION@', version).replace('@ARCH@', machine.arch),
    LICENSE: await readFile(join(root, 'LICENSE'), 'utf8'),
    NOTICE: await noticeOf(root, packages),
    'sbom.cdx.json': await billOf(root, [...packages, engine], date)
  }
  for (const [file, text] of Object.entries(written)) await writeFile(join(top, file), text)
  await chmod(join(top, 'install.sh'), EXECUTABLE)
  const files = [...Object.keys(written), ...taken.map(({ to }) => to)].sort(byBytes)
  await writeFile(join(top, 'SHA256SUMS'), await sums(top, files))
  return { name, files: [...files, 'SHA256SUMS'] }
}

async function place (from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  await link(from, to).catch(async () => { await copyFile(from, to) })
}

/** In the form of sha256sum. */
async function sums (top: string, files: readonly string[]): Promise<string> {
  const odd = files.find((file) => !PLAIN.test(file))
  if (odd != null) throw new InputError(`${odd} has a name that cannot stand in SHA256SUMS: leave it out in scripts/airgapped/needed.ts`)
  const lines = new Map<string, string>()
  await inTurns(files, async (file) => { lines.set(file, `${await digestOf(join(top, file))}  ${file}\n`) })
  return files.map((file) => lines.get(file)).join('')
}

/** SHA-256 of a file, in hexadecimal digits. */
export async function digestOf (path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

async function inTurns<T> (items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values()
  await Promise.all(Array.from({ length: AT_ONCE }, async () => { for (const item of left) await work(item) }))
}
