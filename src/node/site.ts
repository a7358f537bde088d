import { createHash } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { createSchema, type Schema } from '../adapter/schema.ts'
import { Averager, massOf } from '../gossip-aggregation/averager.ts'
import { Checkpoint } from './checkpoint.ts'
import type { SiteConfig } from './config/schema.ts'
import { FAULTS_VARIABLE, type TestFaults } from './config/test-faults.ts'
import { readFederation, type Federation } from './federation/document.ts'
import { loadIdentity } from './identity.ts'
import type { Logger } from './logger.ts'
import { Notices } from './notices.ts'
import { sitePaths, type SitePaths } from './paths.ts'
import { SiteRecord } from './site-record.ts'
import { AdapterStore } from './storage/adapter-store.ts'
import { DiskExchangeLog } from './storage/exchange-log.ts'
import { readIfThere, removeLeftovers } from './storage/files.ts'
import { MetricsLog } from './storage/metrics-log.ts'
import type { TrainerReady, TrainerSetup } from './trainer/messages.ts'

export type RunConfig = SiteConfig & { readonly data: string }

/** What the home folder says, before anything runs. */
export interface Site {
  readonly paths: SitePaths
  readonly config: RunConfig
  readonly federation: Federation
  readonly key: PrivateKey
  readonly peerId: string
  readonly name: string
  readonly logger: Logger
  readonly notices: Notices
  readonly metrics: MetricsLog
  readonly record: SiteRecord
  /** Set by the testnet only. */
  readonly faults: TestFaults | undefined
}

/** @throws InputError for a missing key, a federation file that was edited, and the like. */
export async function openSite ({ home, config, logger, faults }: { home: string, config: RunConfig, logger: Logger, faults?: TestFaults | undefined }): Promise<Site> {
  const paths = sitePaths(home)
  const federation = await readFederation(paths.federation)
  const key = await loadIdentity(paths.identity)
  const peerId = peerIdFromPrivateKey(key).toString()
  const metrics = await MetricsLog.open(paths.metrics)
  const name = config.name ?? peerId.slice(-8)
  const notices = new Notices(logger)
  if (faults != null) notices.warn('test faults', `this site suffers test faults (${JSON.stringify(faults)}): unset ${FAULTS_VARIABLE} unless a testnet set it`)
  return { paths, config, federation, key, peerId, name, logger, notices, metrics, record: new SiteRecord(metrics.records), faults }
}

/** How this site's trainer is set up; its batches and augmentation follow from its peer id. */
export function trainerSetup ({ paths, config, federation, peerId, faults }: Site): TrainerSetup {
  const { model, training } = federation.document
  return {
    model,
    training,
    data: config.data,
    axis: config.axis,
    privateStore: paths.privateStore,
    models: paths.models,
    compute: { engine: config.engine, provider: config.provider, threads: config.threads, memory: config.memory },
    siteSeed: createHash('sha256').update(peerId).digest().readUInt32LE(0),
    ...(faults == null ? {} : { slow: faults.slow })
  }
}

/** The adapter in memory and on disk. */
export interface AdapterState {
  readonly schema: Schema
  readonly initial: Float32Array
  readonly averager: Averager
  readonly log: DiskExchangeLog
  readonly store: AdapterStore
  readonly checkpoint: Checkpoint
}

/** Takes up the newest adapter on disk that can be read, or Γ0. @throws SchemaError when it is another federation's. */
export async function openAdapter (site: Site, ready: TrainerReady): Promise<AdapterState> {
  const { paths, notices, metrics } = site
  const { averaging } = site.federation.document
  for (const folder of [paths.home, paths.roundAdapters, paths.privateStore]) await removeLeftovers(folder)
  const schema = createSchema(ready)
  const store = new AdapterStore({ paths, schema, now: Date.now })
  const saved = await store.load()
  for (const warning of [...store.warnings, ...ready.warnings]) notices.warn(warning, warning)
  if (saved == null && metrics.finishedRounds > 0) notices.warn('no adapter', 'no adapter on disk can be read: this site starts again from the base and takes the others\' training over by exchanges')
  if (await readIfThere(paths.initialAdapter) == null) await store.saveInitial(ready.initial)
  const log = await DiskExchangeLog.open(paths.exchanges)
  for (const warning of log.warnings) notices.warn(warning, warning)
  const averager = await Averager.recover({
    schema,
    values: saved?.values ?? ready.initial,
    // A finished round is not trained again, whichever checkpoint was left.
    round: Math.max(saved?.round ?? 0, metrics.finishedRounds),
    mass: massOf(ready.images, averaging),
    settings: averaging,
    log,
    included: saved?.notes?.included ?? [],
    ...(saved?.notes == null ? {} : { learnt: saved.notes.learnt })
  })
  const onFailure = (error: unknown): void => { notices.warn('save', `the adapter could not be saved (${error instanceof Error ? error.message : String(error)}): free disk space or mend the home folder`) }
  return { schema, initial: ready.initial, averager, log, store, checkpoint: new Checkpoint({ averager, store, onFailure }) }
}
