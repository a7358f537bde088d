import { setTimeout as delay } from 'node:timers/promises'
import { InputError, TimeoutError } from '../../src/errors.ts'
import type { Children } from './children.ts'
import type { HospitalProcess } from './hospital-process.ts'
import type { Hospital } from './hospitals.ts'

const FOUNDER_UP_MS = 60_000

export interface FederationFiles {
  readonly id: string
  readonly federation: string
  readonly networkKey: string
}

/** The first hospital founds the federation, by the command that a user types. */
export async function createFederation (children: Children, founder: Hospital, { rounds, seed }: { rounds: number, seed: number }): Promise<FederationFiles> {
  return await children.cliJson<FederationFiles>([
    'federation', 'create', '--home', founder.home, '--name', 'testnet',
    '--rounds', String(rounds), '--seed', String(seed)
  ])
}

/** The others make their keys and join with the founder's files and addresses. */
export async function joinFederation (children: Children, hospitals: readonly Hospital[], files: FederationFiles, bootstrap: readonly string[]): Promise<void> {
  const addresses = bootstrap.flatMap((address) => ['--bootstrap', address])
  await Promise.all(hospitals.map(async ({ home }) => {
    await children.cliJson(['join', files.federation, '--home', home, '--network-key', files.networkKey, ...addresses])
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
