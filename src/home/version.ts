import { cp, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../common/parse-json.ts'
import { SOFTWARE, VERSION_TEXT } from '../common/software.ts'
import { CorruptFileError, InputError } from '../errors.ts'
import { readChecked, writeCheckedJson } from './checksum.ts'
import { isThere, syncFolder } from './files.ts'
import { MIGRATIONS, type Migration } from './migrations.ts'
import { sitePaths } from './paths.ts'

const versionFile = z.object({
  format: z.number().int().min(1),
  /** Which wrote this file. */
  software: z.string().regex(VERSION_TEXT),
  /** A migration to this format has begun: its copies are whole, its changes may not be. */
  migratingTo: z.number().int().optional(),
  /** Folder of those copies, where there was anything to copy. */
  copies: z.string().optional()
}).refine(({ format, migratingTo }) => migratingTo == null || migratingTo > format)

type HomeVersion = z.infer<typeof versionFile>

export interface MigrationOptions {
  /** Runs it while no other process writes in this home. @throws InputError where one does. */
  readonly exclusively: (work: () => Promise<void>) => Promise<void>
  /** Told one sentence per step. */
  readonly say: (sentence: string) => void
  readonly migrations?: readonly Migration[]
}

/** Before anything in a home is read. @throws InputError where newer software wrote it, or a migration has not ended. */
export async function requireKnownHome (home: string, migrations = MIGRATIONS): Promise<void> {
  const found = await readVersion(home, migrations)
  if (found?.migratingTo != null) {
    throw new InputError(`${home} is on its way from format ${found.format} to ${found.migratingTo}, which was interrupted: ` +
      'run "consilium start", which finishes it')
  }
}

/**
 * Before a program writes in a home that no migration has been run for. @throws InputError where other software wrote it, older or newer,
 * or a migration has not ended
 */
export async function requireCurrentHome (home: string, migrations = MIGRATIONS): Promise<void> {
  await requireKnownHome(home, migrations)
  const found = await readVersion(home, migrations)
  if (!isOld(found, migrations)) return
  throw new InputError(`${home} has format ${found!.format}, and this is consilium ${SOFTWARE}, which writes format ` +
    `${latest(migrations)}: run "consilium start" there first, which brings it to that`)
}

/**
 * Before anything in a home is written: brings it to the format of this software, step by step. Struck at any moment, the next call goes
 * on. @throws InputError where newer software wrote it, or another process is at work there.
 */
export async function migrateHome (home: string, { exclusively, say, migrations = MIGRATIONS }: MigrationOptions): Promise<void> {
  if (!isOld(await readVersion(home, migrations), migrations)) return
  await exclusively(async () => {
    for (const migration of migrations) {
      // Read anew: another process may have been faster.
      const found = await readVersion(home, migrations)
      if (found != null && found.format < migration.to) say(await migrate(home, migration, found))
    }
  })
}

/** Marks a home that is about to be made; one that is there already stays as it is. */
export async function markNewHome (home: string): Promise<void> {
  if (await readVersion(home, MIGRATIONS) == null) await writeVersion(home, { format: latest(MIGRATIONS), software: SOFTWARE })
}

/** Undefined for a folder that holds no site. */
async function readVersion (home: string, migrations: readonly Migration[]): Promise<HomeVersion | undefined> {
  const { version, identity, federation } = sitePaths(home)
  const text = await readChecked(version).catch((error: unknown) => {
    if (error instanceof CorruptFileError) return ''
    throw error
  })
  if (text == null) return await isThere(identity) || await isThere(federation) ? { format: 1, software: '0.1.0' } : undefined
  const parsed = versionFile.safeParse(parseJson(text))
  if (!parsed.success) {
    throw new InputError(
      `${version} does not say which format this home has: restore it from a backup, or remove it where consilium ${SOFTWARE} wrote in ` +
        'this home last, and the next start makes it again'
    )
  }
  const { format, software, migratingTo = format } = parsed.data
  if (migratingTo > latest(migrations)) {
    throw new InputError(
      `${home} has format ${migratingTo}, which consilium ${software} wrote, and this is consilium ${SOFTWARE}, which knows formats ` +
        `up to ${latest(migrations)}: install consilium ${software} or newer, or choose another --home`
    )
  }
  return parsed.data
}

/** Returns what to say of it. */
async function migrate (home: string, migration: Migration, { format, ...found }: HomeVersion): Promise<string> {
  const { to } = migration
  const isBegun = found.migratingTo === to
  const copies = isBegun ? found.copies : await keepCopies(home, migration)
  const kept = copies == null ? {} : { copies }
  if (!isBegun) await writeVersion(home, { format, software: SOFTWARE, migratingTo: to, ...kept })
  await migration.run?.(home)
  await writeVersion(home, { format: to, software: SOFTWARE })
  const where = copies == null ? 'nothing in it had to be kept aside' : `what older software would miss is kept in ${join(home, copies)}`
  return `consilium ${SOFTWARE} brought ${home} from format ${format} to ${to}: ${where}`
}

/** Durable before anything is changed; copies of an earlier migration to the same format stay. Returns the folder's name. */
async function keepCopies (home: string, { to, keeps }: Migration): Promise<string | undefined> {
  const there = await filter(keeps, async (name) => await isThere(join(home, name)))
  if (there.length === 0) return undefined
  const name = await freeName(home, `before-format-${to}`)
  const aside = join(home, `${name}.writing`)
  await rm(aside, { recursive: true, force: true })
  await mkdir(aside, { mode: 0o700 })
  for (const each of there) {
    await mkdir(dirname(join(aside, each)), { recursive: true, mode: 0o700 })
    await cp(join(home, each), join(aside, each), { recursive: true, dereference: true })
  }
  await syncTree(aside)
  await rename(aside, join(home, name))
  await syncFolder(home)
  return name
}

async function freeName (home: string, name: string): Promise<string> {
  const taken = new Set(await readdir(home))
  for (let i = 1; ; i++) {
    const free = i === 1 ? name : `${name}-${i}`
    if (!taken.has(free)) return free
  }
}

async function syncTree (folder: string): Promise<void> {
  for (const each of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const handle = await open(join(each.parentPath, each.name), 'r')
    await handle.sync().finally(async () => { await handle.close() })
  }
  await syncFolder(folder)
}

async function writeVersion (home: string, version: HomeVersion): Promise<void> {
  await writeCheckedJson(sitePaths(home).version, version)
  await syncFolder(home)
}

function isOld (found: HomeVersion | undefined, migrations: readonly Migration[]): boolean {
  return found != null && found.format < latest(migrations)
}

function latest (migrations: readonly Migration[]): number {
  return migrations.at(-1)!.to
}

async function filter<T> (list: readonly T[], holds: (each: T) => Promise<boolean>): Promise<T[]> {
  const held = await Promise.all(list.map(holds))
  return list.filter((_, i) => held[i])
}
