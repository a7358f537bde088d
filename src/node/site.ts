import { createHash, randomInt } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { Adapter } from '../adapter/adapter.ts'
import { createSchema, type Schema } from '../adapter/schema.ts'
import type { Auditor } from '../audit/auditor.ts'
import { PrivacyLedger } from '../audit/privacy/privacy-ledger.ts'
import { messageOf } from '../common/message-of.ts'
import { seededRandom } from '../common/random.ts'
import { InputError } from '../errors.ts'
import { takeUpAmendment } from '../federation/amendments/take-up.ts'
import { readFederation, type Federation } from '../federation/document.ts'
import { loadIdentity } from '../federation/identity.ts'
import { requirePolicy } from '../federation/policy.ts'
import { Averager } from '../gossip-aggregation/averager.ts'
import { rangesOf, type Range } from '../gossip-aggregation/exchange/scope.ts'
import { massOf } from '../gossip-aggregation/mass.ts'
import type { Landed, Steps } from '../gossip-aggregation/unmixed.ts'
import { AdapterStore, type BestOfRounds, type FinishedRound } from '../home/adapter-store.ts'
import { readRestored, type Restored } from '../home/backup.ts'
import { DiskExchangeLog } from '../home/exchange-log.ts'
import { readIfThere, removeLeftovers } from '../home/files.ts'
import { keepInventory, missingFiles } from '../home/inventory.ts'
import { MetricsLog } from '../home/metrics-log.ts'
import { sitePaths, type SitePaths } from '../home/paths.ts'
import { readPolicy } from '../home/policy.ts'
import { readStartAdapter, requireStart, startAdapterOf } from '../home/start-adapter.ts'
import { UnmixedStore } from '../home/unmixed-store.ts'
import { mechanismOf, type Mechanism } from '../privacy/mechanism.ts'
import { Checkpoint } from '../rounds/checkpoint.ts'
import type { Logger } from '../rounds/logger.ts'
import { Notices } from '../rounds/notices.ts'
import { recoveredSteps } from '../rounds/participation.ts'
import type { PrivacyGuard } from '../rounds/privacy-guard.ts'
import { SiteRecord } from '../rounds/site-record.ts'
import type { TrainerReady, TrainerSetup } from '../rounds/trainer-messages.ts'
import { clustersIn } from '../settings/method.ts'
import { engine } from '../settings/site/compute.ts'
import type { Policy } from '../settings/site/policy.ts'
import type { SiteConfig } from '../settings/site/site-config.ts'
import { recoverExchanges } from './network/record-audit.ts'
import { openSealed, type OpenedSealed } from './open-sealed.ts'
import { prepareHome } from './prepare-home.ts'
import { openPrivacyGuard } from './privacy-guard.ts'
import { liar } from './test-faults/liar.ts'
import { FAULTS_VARIABLE, type TestFaults } from './test-faults/settings.ts'

/** What the averager asks of others. */
export interface KnownOthers {
  /** What a partner is counted by, whatever key it has. */
  readonly rootOf: (partner: string) => string
  /** The last round of any document that a site of the federation may go on with. */
  readonly mostRounds: () => number
}

/** The settings of a site that trains: it has data. */
export type RunConfig = Omit<SiteConfig, 'pacsCache' | 'withoutLabels' | 'pictures'> & {
  readonly data: string
  readonly withoutLabels?: boolean
  readonly pictures?: number
}

/** What the home folder says, before anything runs. */
export interface Site {
  readonly paths: SitePaths
  readonly config: RunConfig
  readonly federation: Federation
  readonly policy: Policy
  readonly key: PrivateKey
  readonly peerId: string
  readonly name: string
  readonly logger: Logger
  readonly notices: Notices
  readonly metrics: MetricsLog
  readonly record: SiteRecord
  /** Of a federation that promises differential privacy. */
  readonly mechanism: Mechanism | undefined
  /** The home is that of a backup, and the others have not been asked yet what it committed since. */
  readonly restored: Restored | undefined
  /** Set by the testnet only. */
  readonly faults: TestFaults | undefined
}

/** @throws InputError for a missing key, a federation file that was edited, and the like. */
export async function openSite (
  { home, config, logger, faults, news = [] }: {
    home: string,
    config: RunConfig,
    logger: Logger,
    faults?: TestFaults | undefined,
    news?: readonly string[]
  }
): Promise<Site> {
  const paths = sitePaths(home)
  const notices = new Notices(logger)
  const say = (sentence: string): void => { notices.event(sentence) }
  news.forEach(say)
  await prepareHome(home, say)
  for (const sentence of await missingFiles(paths)) say(sentence)
  await takeUpAmendment(paths, config.amendments, say)
  const federation = await readFederation(paths.federation)
  const policy = await readPolicy(paths.policy)
  requirePolicy(policy, federation.document)
  const start = startAdapterOf(paths.startAdapter, federation.document.start)
  if (start != null) await readStartAdapter(start)
  const key = await loadIdentity(paths.identity)
  const peerId = peerIdFromPrivateKey(key).toString()
  const metrics = await MetricsLog.open(paths.metrics)
  requireNeverTrained(home, config, metrics)
  const name = config.name ?? peerId.slice(-8)
  if (faults != null) {
    notices.warn(
      'test faults',
      `this site suffers test faults (${JSON.stringify(faults)}): unset ${FAULTS_VARIABLE} unless a testnet set it`
    )
  }
  const record = new SiteRecord(metrics.records, config.withoutLabels)
  const [mechanism, restored] = [mechanismOf(federation.document), await readRestored(paths)]
  return { paths, config, federation, policy, key, peerId, name, logger, notices, metrics, record, mechanism, restored, faults }
}

/** What a site trained with its labels is fitted to those. */
function requireNeverTrained (home: string, { withoutLabels = false }: RunConfig, { records }: MetricsLog): void {
  if (!withoutLabels || records.every(({ dice, lossG, lossL }) => dice == null && lossG == null && lossL == null)) return
  throw new InputError(
    `${home} has trained with labels: go on with them, or let a site without labels (--without-labels) begin in a home of its own`
  )
}

/** The same site, going on with the amended document that it has agreed to. @throws InputError for a document that was damaged */
export async function withAmendment (site: Site): Promise<Site> {
  const { paths, config, notices } = site
  await takeUpAmendment(paths, config.amendments, (sentence) => { notices.event(sentence) })
  const federation = await readFederation(paths.federation)
  return { ...site, federation, mechanism: mechanismOf(federation.document), restored: await readRestored(paths) }
}

/** How this site's trainer is set up, whenever it starts; its batches and augmentation follow from its peer id. */
export function trainerSetup ({ paths, config, federation, policy, peerId, mechanism, faults, metrics }: Site): TrainerSetup {
  const { model, training, method, labels, start } = federation.document
  return {
    model,
    training,
    method,
    labels,
    ...(mechanism?.unit === 'patient' ? { privacy: mechanism } : {}),
    data: config.data,
    ...(config.withoutLabels === true ? { withoutLabels: true } : {}),
    axis: config.axis,
    start: startAdapterOf(paths.startAdapter, start),
    correctionWeight: config.correctionWeight,
    privateStore: paths.privateStore,
    models: paths.models,
    compute: engine.parse(config),
    publish: policy.publish,
    pictures: config.pictures,
    get finished () { return metrics.finishedRounds < training.rounds ? metrics.finishedRounds : undefined },
    siteSeed: createHash('sha256').update(peerId).digest().readUInt32LE(0),
    ...(faults == null ? {} : { slow: faults.slow })
  }
}

/** The adapter in memory and on disk. */
export interface AdapterState {
  readonly schema: Schema
  readonly initial: Float32Array
  /** What of x is averaged within a cluster of sites alone. */
  readonly scoped: readonly Range[] | undefined
  readonly averager: Averager
  readonly log: DiskExchangeLog
  /** Of groups, where the federation seals. */
  readonly groupLog: DiskExchangeLog | undefined
  readonly store: AdapterStore
  readonly checkpoint: Checkpoint
  /** As it was kept before this start. */
  readonly best: BestOfRounds | undefined
  readonly privacy: PrivacyGuard | undefined
}

/**
 * Takes up the newest adapter on disk that can be read, or Γ0, and what the log says that came after it. @throws SchemaError when it is
 * another federation's.
 */
export async function openAdapter (site: Site, ready: TrainerReady, audit: Auditor, others: KnownOthers): Promise<AdapterState> {
  const { paths, config, notices } = site
  for (const folder of [paths.home, paths.roundAdapters, paths.privateStore]) await removeLeftovers(folder)
  const schema = createSchema(ready)
  const { initial } = ready
  const { start } = site.federation.document
  if (start != null) requireStart('the trainer', new Adapter(schema, initial).tensors(), start.adapter, 'this is a fault of the software')
  const store = new AdapterStore({ paths, schema, now: Date.now, config })
  const unmixed = new UnmixedStore({ folder: paths.unmixed, schema })
  const saved = await store.load()
  if (await readIfThere(paths.initialAdapter) == null) await store.saveInitial(initial)
  const finished = goOnAfter(site, saved)
  const best = await store.loadBest()
  const log = await DiskExchangeLog.open(paths.exchanges)
  const landed = await unmixed.load()
  await unmixed.dropBeyond(saved?.notes?.steps?.trained ?? 0)
  const sealed = await openSealed(site, schema, saved)
  sayWarnings(notices, [store, log, unmixed, site.metrics, ...sealed.files], ready)
  // Homes of software before 0.2.0 say by the round alone that phase G has landed.
  if (saved != null && saved.notes?.steps == null && saved.round > site.metrics.finishedRounds) site.record.trainedBefore = -1
  takeFacts(site, ready)
  const init = averagerInit(site, ready, { schema, saved, log, landed, others, sealed })
  const averager = await Averager.recover(init)
  recoverExchanges(log, averager, audit)
  const onFailure = (error: unknown): void => {
    notices.warn(
      'save',
      `the adapter could not be saved (${messageOf(error)}): free disk space or mend the home folder`
    )
  }
  const onSaved = (): void => { notices.over('save', 'the adapter is saved again') }
  const told = { onFailure, onSaved, beforeSave: audit.flush }
  const checkpoint = new Checkpoint({ averager, store, unmixed, sealed: sealed.store, finished, ...told })
  const privacy = await guardOf(site, averager.steps.trained, audit)
  await keepInventory(paths, { ended: false })
  return { schema, initial, scoped: init.scoped, averager, log, groupLog: sealed.log, store, checkpoint, best, privacy }
}

async function guardOf (site: Site, trained: number, audit: Auditor): Promise<PrivacyGuard | undefined> {
  const { mechanism, paths: { privacy: folder }, federation: { id, document: { training } }, notices } = site
  // What never lands costs nothing.
  if (mechanism == null || site.record.reads) return undefined
  if (site.restored != null) await PrivacyLedger.doubt(folder, 'this home is that of a backup, and what it spent since is not known')
  return await openPrivacyGuard({ mechanism, training, folder, federation: id, trained, notices, audit, now: Date.now })
}

/** What a site tells of its images is known before it trains: after a restart, too. */
function takeFacts ({ record }: Site, { facts }: TrainerReady): void {
  record.facts ??= facts
}

/** What was damaged is past; what the trainer says of its data holds as long as it has them. */
function sayWarnings (notices: Notices, files: readonly { readonly warnings: readonly string[] }[], { warnings }: TrainerReady): void {
  for (const warning of files.flatMap((each) => each.warnings)) notices.event(warning)
  for (const warning of warnings) notices.warn(`data ${warning}`, warning)
}

/** What the checkpoint says of finished rounds, where the metrics say less. */
function goOnAfter ({ metrics, record }: Site, saved: Kept['saved']): FinishedRound | undefined {
  const finished = saved?.notes?.finished
  if (finished != null && finished.round > metrics.finishedRounds) {
    metrics.goOnAfter(finished.round)
    Object.assign(record, { round: finished.round, trainedBefore: finished.trained })
  }
  return finished
}

interface Kept {
  readonly schema: Schema
  readonly saved: Awaited<ReturnType<AdapterStore['load']>>
  readonly log: DiskExchangeLog
  readonly landed: readonly Landed[]
  readonly others: KnownOthers
  readonly sealed: OpenedSealed
}

function averagerInit (
  site: Site,
  { initial, images }: TrainerReady,
  { schema, saved, log, landed, sealed, others: { rootOf, mostRounds } }: Kept
): Parameters<typeof Averager.recover>[0] {
  const { federation: { document: { averaging } }, metrics, notices, faults } = site
  const { finishedRounds } = metrics
  if (saved == null && finishedRounds > 0) {
    notices.event(
      "no adapter on disk can be read: this site starts again from the base and takes the others' training over by exchanges"
    )
  }
  // A finished round is not trained again, whichever checkpoint was left.
  const { values, round, notes } = saved ?? { values: initial, round: 0, notes: undefined }
  const { steps } = notes ?? {}
  return {
    schema,
    values,
    round: Math.max(round, finishedRounds),
    ...(site.record.reads ? { mass: 0, reads: true } : { mass: massOf(images, averaging), trains: { rootOf, seed: randomInt(2 ** 32) } }),
    get rounds () { return mostRounds() },
    settings: averaging,
    scoped: scopedIn(site, schema),
    log,
    included: notes?.included ?? [],
    learnt: notes?.learnt,
    steps: withoutSealed(recoveredSteps(steps, metrics.records.at(-1)?.steps), sealed),
    sealed: sealed.init,
    unmixed: steps == null ? [] : landed.filter(({ until }) => until <= steps.trained),
    distort: lieOf(faults, initial)
  }
}

function scopedIn ({ federation: { document: { method } } }: Site, schema: Schema): readonly Range[] | undefined {
  const own = clustersIn(method)?.own
  return own == null ? undefined : rangesOf(schema, own)
}

/** What waited for a group and is gone never arrives. */
function withoutSealed (steps: Steps, { isLost }: OpenedSealed): Steps {
  return isLost ? { ...steps, lost: Math.max(steps.lost, steps.trained - steps.arrived) } : steps
}

function lieOf (faults: TestFaults | undefined, initial: Float32Array): ReturnType<typeof liar> | undefined {
  return faults == null || faults.liar === 0 ? undefined : liar(initial, faults, seededRandom(faults.seed))
}
