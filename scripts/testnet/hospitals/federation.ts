import { setTimeout as delay } from 'node:timers/promises'
import { InputError, TimeoutError } from '../../../src/errors.ts'
import { readFederation } from '../../../src/federation/document.ts'
import { readJson, writeJson } from '../../../src/home/files.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { labelsOf } from '../classes.ts'
import type { TestnetOptions } from '../options.ts'
import { STANDARD } from '../standard.ts'
import type { Children } from './children.ts'
import type { HospitalProcess } from './hospital-process.ts'
import type { Hospital } from './hospitals.ts'

const FOUNDER_UP_MS = 60_000

export interface FederationFiles {
  readonly id: string
  readonly federation: string
  /** Home of the founder, who invites the others. */
  readonly home: string
}

/** The first hospital founds the federation, by the command that a user types. */
export async function createFederation (
  children: Children,
  { home }: Hospital,
  options: Pick<TestnetOptions, 'base' | 'rounds' | 'seed' | 'method' | 'settings' | 'secure' | 'classes'>
): Promise<FederationFiles> {
  const { base, rounds, seed, method, classes } = options
  const settings = options.secure ? await sealedSettings(`${home}.settings.json`, options.settings) : options.settings
  const labels = `${home}.labels.json`
  if (classes.length > 0) await writeJson(labels, labelsOf(classes))
  const { id, federation } = await children.cliJson<{ id: string, federation: string }>([
    'federation', 'create', '--home', home, '--name', 'testnet',
    '--rounds', String(rounds), '--seed', String(seed), '--method', method,
    ...STANDARD[base].create,
    ...(settings == null ? [] : ['--settings', settings]),
    ...(classes.length > 0 ? ['--labels', labels] : [])
  ])
  await agree(home)
  return { id, federation, home }
}

/** The same settings, sealed; the path of the file. */
async function sealedSettings (path: string, given: string | undefined): Promise<string> {
  const settings = given == null ? {} : await readJson(given, 'give --settings a file of JSON') as { averaging?: object }
  await writeJson(path, { ...settings, averaging: { ...settings.averaging, secure: { mode: 'sealed' } } })
  return path
}

/** To all that the federation shares: nobody is behind these hospitals who could be asked. */
async function agree (home: string): Promise<void> {
  const { federation, policy } = sitePaths(home)
  const { document: { method } } = await readFederation(federation)
  if (method?.sharing != null) await writeJson(policy, { publish: method.sharing })
}

/** The others make their keys, are invited by the founder and join. */
export async function joinFederation (
  children: Children,
  hospitals: readonly Hospital[],
  founder: FederationFiles,
  bootstrap: readonly string[]
): Promise<void> {
  const addresses = bootstrap.flatMap((address) => ['--bootstrap', address])
  await Promise.all(hospitals.map(async ({ home, name }) => {
    const { peerId } = await children.cliJson<{ peerId: string }>(['init', '--home', home])
    const { invitation } = await children.cliJson<{ invitation: string }>([
      'invite',
      peerId,
      '--home',
      founder.home,
      '--name',
      name,
      ...addresses
    ])
    await children.cliJson(['join', invitation, '--home', home])
    await agree(home)
  }))
}

/** By hospital. */
export async function readPeerIds (children: Children, hospitals: readonly Hospital[]): Promise<string[]> {
  return await Promise.all(hospitals.map(async ({ home }) => (await children.cliJson<{ peerId: string }>(['id', '--home', home])).peerId))
}

/** Waits until the founder listens and returns its TCP addresses. @throws InputError or TimeoutError when it does not come up. */
export async function bootstrapAddresses (founder: HospitalProcess, signal: AbortSignal): Promise<string[]> {
  const until = Date.now() + FOUNDER_UP_MS
  while (Date.now() < until && !founder.isOver) {
    await founder.poll()
    const addresses = founder.status?.addresses ?? []
    if (addresses.length > 0) return addresses.filter((address) => !address.includes('/ws'))
    await delay(100, undefined, { signal })
  }
  if (founder.isOver) throw new InputError(`${founder.hospital.name} ended before it listened: ${await founder.lastWords()}`)
  throw new TimeoutError(`${founder.hospital.name} did not listen within ${FOUNDER_UP_MS / 1000} seconds: see ${founder.hospital.log}`)
}
