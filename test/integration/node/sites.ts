import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { readFloatTensors } from '../../../src/adapter/safetensors.ts'
import { federationId, signFederation, writeFederation, type FederationDocument } from '../../../src/federation/document.ts'
import { loadOrCreateIdentity, readPeerId } from '../../../src/federation/identity.ts'
import { countersign, issueCertificate } from '../../../src/federation/membership/certificate.ts'
import { createNetworkKey, readKeyRing, writeKeyRing } from '../../../src/federation/membership/network-key.ts'
import { mergeSettings } from '../../../src/home/config/load.ts'
import { DiskExchangeLog } from '../../../src/home/exchange-log.ts'
import { writeJson } from '../../../src/home/files.ts'
import { sitePaths, type SitePaths } from '../../../src/home/paths.ts'
import { markNewHome } from '../../../src/home/version.ts'
import { fetchControl } from '../../../src/node/control/client.ts'
import type { DaemonInit } from '../../../src/node/daemon-init.ts'
import { Daemon } from '../../../src/node/daemon.ts'
import type { Summary } from '../../../src/node/summary.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import type { SiteStatus } from '../../../src/rounds/status.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'

export const FAKE_TRAINER = fileURLToPath(new URL('../../fixtures/trainer/fake-trainer.js', import.meta.url))

const POLL_MS = 25
const PATIENCE_MS = 120_000

const FAKE_MODEL: FederationDocument['model'] = {
  name: 'sam-tiny',
  imageSize: 128,
  baseHash: '0'.repeat(64),
  lora: { blocks: [0, 1], rank: 4, alpha: 8 },
  decoder: 'lora+heads',
  moe: { blocks: [1], experts: 4, topK: 2, bottleneck: 16, gate: 'token', expert: 'mlp' }
}
export const FAKE_TRAINING: FederationDocument['training'] = {
  rounds: 1,
  epochsG: 1,
  epochsL: 1,
  batchSize: 4,
  lrLora: 1e-3,
  lrHeads: 1e-3,
  lrMoe: 1e-3,
  weightDecay: 0,
  clipNorm: 1,
  warmupSteps: 0,
  lambdaG: 1,
  lambdaL: 1,
  tau: 1,
  beta: 0,
  warmupRounds: 0,
  teacherG: 'personal',
  teacherL: 'global',
  prompt: 'none',
  augment: true,
  seed: 1
}

export interface FederationOptions {
  readonly rounds?: number
  readonly coolDownSeconds?: number
  readonly codec?: FederationDocument['averaging']['codec']
  readonly staleness?: number
  readonly model?: FederationDocument['model']
  readonly training?: FederationDocument['training']
  readonly method?: FederationDocument['method']
  readonly privacy?: FederationDocument['privacy']
  readonly secure?: FederationDocument['averaging']['secure']
  readonly start?: FederationDocument['start']
  /** Names of the sites that found it; the first one alone by default. */
  readonly founders?: readonly string[]
  readonly quorum?: number
}

const PRIVATE_TRAINING = { epochsG: undefined, epochsL: undefined, stepsPerRound: 1 }

interface Manners {
  readonly manners?: object
  readonly bootstrap?: string[]
  readonly waitFor?: number
  readonly aloneRounds?: number
}

async function foundedBy (
  keys: readonly PrivateKey[],
  { rounds = 2, coolDownSeconds = 20, codec = 'auto', model = FAKE_MODEL, training = FAKE_TRAINING, quorum = 1, ...more }: FederationOptions
): Promise<FederationDocument> {
  let document = await signFederation({
    version: 1,
    name: 'test',
    created: '2026-01-01T00:00:00.000Z',
    founders: keys.map((each) => peerIdFromPrivateKey(each).toString()),
    quorum,
    model,
    training: { ...training, rounds, ...(more.privacy == null ? {} : PRIVATE_TRAINING) },
    averaging: averagingOf({ coolDownSeconds, codec }, more),
    ...(more.method == null ? {} : { method: more.method }),
    ...(more.privacy == null ? {} : { privacy: more.privacy }),
    ...(more.start == null ? {} : { start: more.start })
  }, keys[0]!)
  for (const each of keys.slice(1, quorum)) document = await signFederation(document, each)
  return document
}

function averagingOf (
  { coolDownSeconds, codec }: Required<Pick<FederationOptions, 'coolDownSeconds' | 'codec'>>,
  { staleness, privacy, secure }: FederationOptions
): FederationDocument['averaging'] {
  const weighting = privacy == null ? 'images' as const : 'uniform' as const
  const averaging = { ...defaultAveraging({ coolDownSeconds }), codec, weighting, ...(secure == null ? {} : { secure }) }
  return staleness == null ? averaging : { ...averaging, staleness }
}

/** Homes of one federation below a temporary folder, for daemons that run in the test's own process. */
export class Sites {
  readonly folder: string
  readonly #single: boolean
  readonly #started: { readonly daemon: Daemon, readonly run: Promise<unknown> }[] = []

  private constructor (folder: string, single: boolean) {
    this.folder = folder
    this.#single = single
  }

  static async create (names: readonly string[], options: FederationOptions = {}): Promise<Sites> {
    const { founders = names.slice(0, 1), quorum = 1 } = options
    const sites = new Sites(await mkdtemp(join(tmpdir(), 'consilium-')), names.length === 1)
    for (const name of names) await markNewHome(sites.paths(name).home)
    const keys = await Promise.all(founders.map(async (name) => await loadOrCreateIdentity(sites.paths(name).identity)))
    const document = await foundedBy(keys, options)
    await createNetworkKey(join(sites.folder, 'network.key'))
    const ring = await readKeyRing(join(sites.folder, 'network.key'))
    for (const name of names) {
      const peerId = peerIdFromPrivateKey(await loadOrCreateIdentity(sites.paths(name).identity)).toString()
      await writeKeyRing(sites.paths(name).networkKey, ring)
      if (!founders.includes(name)) {
        let certificate = await issueCertificate({
          federation: federationId(document),
          peerId,
          name,
          role: 'member',
          from: '2026-01-01T00:00:00.000Z',
          to: '2126-01-01T00:00:00.000Z'
        }, keys[0]!)
        for (const each of keys.slice(1, quorum)) certificate = await countersign(certificate, each)
        await writeJson(sites.paths(name).certificate, { certificate, handovers: [] })
      }
      await writeFederation(sites.paths(name).federation, document)
    }
    return sites
  }

  paths (name: string): SitePaths {
    return sitePaths(join(this.folder, name))
  }

  /** A daemon with the trainer that users have, on one thread. */
  realDaemon (
    name: string,
    data: string,
    { bootstrap = [], settings = {}, ...over }: { bootstrap?: string[], settings?: object } & Partial<DaemonInit> = {}
  ): Daemon {
    const config = mergeSettings({ name, data, threads: 1, bootstrap, listen: ['/ip4/127.0.0.1/tcp/0'], ...settings }, {}, {})
    return new Daemon({
      home: this.paths(name).home,
      config: { ...config, data },
      alone: false,
      logger: createLogger(process.env['TEST_LOG'] ?? 'silent'),
      ...over
    })
  }

  /** A daemon with the fake trainer, which `manners` describe (test/fixtures/trainer). */
  daemon (
    name: string,
    { manners = {}, bootstrap = [], waitFor = 2, aloneRounds = 3, settings = {}, ...over }: Manners & {
      settings?: object
    } & Partial<DaemonInit> = {}
  ): Daemon {
    const company = this.#single ? { waitFor: 1, aloneRounds: 1_000 } : { waitFor, aloneRounds }
    const given = { name, bootstrap, data: JSON.stringify(manners), listen: ['/ip4/127.0.0.1/tcp/0'], ...company, ...settings }
    const config = mergeSettings(given, {}, {})
    return new Daemon({
      home: this.paths(name).home,
      config: { ...config, data: config.data! },
      alone: false,
      logger: createLogger(process.env['TEST_LOG'] ?? 'silent'),
      trainerEntry: FAKE_TRAINER,
      // Nobody will come where there is one site only.
      ...(this.#single ? { foundWithinMs: 0 } : {}),
      ...over
    })
  }

  async summary (name: string): Promise<Summary> {
    return JSON.parse(await readFile(this.paths(name).summary, 'utf8')) as Summary
  }

  /** Asks the control port until `holds`. */
  async statusOf (name: string, holds: (status: SiteStatus) => boolean): Promise<SiteStatus> {
    const until = Date.now() + PATIENCE_MS
    while (Date.now() < until) {
      const status = await fetchControl<SiteStatus>(this.paths(name).home, '/status').catch(() => undefined)
      if (status != null && holds(status)) return status
      await sleep(POLL_MS)
    }
    throw new Error(`${name} never got there`)
  }

  /** Before its next start, site `name` has an exchange in doubt with `partner`; `adapter` is a file with an adapter of its schema. */
  async leaveInDoubt (name: string, partner: string, adapter: string): Promise<void> {
    const { tensors } = readFloatTensors(await readFile(adapter))
    const size = [...tensors.values()].reduce((sum, { data }) => sum + data.length, 0)
    const log = await DiskExchangeLog.open(this.paths(name).exchanges)
    const entry = await log.begin({
      exchangeId: '5'.repeat(32),
      partner: await readPeerId(this.paths(partner).identity),
      role: 'initiator',
      size
    })
    await entry.append(new Float32Array(size))
    await entry.seal('pending', { factor: 0.5 })
    await log.close()
  }

  /** Runs a daemon until it ends, or until `remove`. */
  async start (daemon: Daemon): Promise<unknown> {
    const run = daemon.run()
    this.#started.push({ daemon, run })
    run.catch(() => { /* told to whoever waits for it */ })
    return await run
  }

  async remove (): Promise<void> {
    for (const { daemon } of this.#started) daemon.requestStop()
    await Promise.allSettled(this.#started.map(async ({ run }) => { await run }))
    await rm(this.folder, { recursive: true })
  }
}
