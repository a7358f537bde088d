import { setMaxListeners } from 'node:events'
import type { ConnectionEncrypter } from '@libp2p/interface'
import { Auditor } from '../audit/auditor.ts'
import type { Doubling } from '../common/doubling.ts'
import { messageOf } from '../common/message-of.ts'
import { unlessAborted } from '../common/unless-aborted.ts'
import { SiteMembership } from '../federation/membership/site-membership.ts'
import { writeJson } from '../home/files.ts'
import { keepInventory } from '../home/inventory.ts'
import type { Scores } from '../home/metrics-log.ts'
import type { Software } from '../protocol/versions.ts'
import type { Logger } from '../rounds/logger.ts'
import { finalSteps, imagesSeen, missedBefore } from '../rounds/participation.ts'
import { lastPhases, roundPlan } from '../rounds/plan.ts'
import type { SiteStatus } from '../rounds/status.ts'
import type { TrainerReady } from '../rounds/trainer-messages.ts'
import { classNames } from '../settings/labels.ts'
import { describeSite } from './control/describe-site.ts'
import { healthOf } from './control/health.ts'
import type { Observing } from './control/observe-routes.ts'
import { readMetricsToken } from './control/read-metrics-token.ts'
import { ControlServer } from './control/server.ts'
import { followCourse } from './course.ts'
import { EventLoopMonitor } from './event-loop.ts'
import { ExpiryWatch } from './expiry-watch.ts'
import { joinPeers, type JoinedPeers } from './join-peers.ts'
import { Metrics } from './metrics/metrics.ts'
import { readSite } from './metrics/read-site.ts'
import { lockHome } from './network/peer-book.ts'
import { SiteNetwork } from './network/site-network.ts'
import { openAdapter, openSite, trainerSetup, type AdapterState, type RunConfig, type Site } from './site.ts'
import type { Summary } from './summary.ts'
import { partitionSites } from './test-faults/partition.ts'
import type { TestFaults } from './test-faults/settings.ts'
import { TrainerProcess } from './trainer-process.ts'
import { startWatches } from './watches.ts'

export interface DaemonInit {
  readonly home: string
  readonly config: RunConfig
  /** Train without the network and end after the last round. */
  readonly alone: boolean
  readonly logger: Logger
  /** Sentences about the home, from before the start: said, and kept for status. */
  readonly news?: readonly string[]
  /** Called once the site listens, with what says its state in a sentence. */
  readonly onListening?: (state: () => string) => void
  /** Module of the trainer process; the real one when missing. */
  readonly trainerEntry?: string
  readonly trainerBackOff?: Doubling
  /** Sees the plain bytes of every connection; for the test that looks for private ones among them. */
  readonly tap?: (encrypter: ConnectionEncrypter) => ConnectionEncrypter
  /** How long after its start a site that knows nobody waits to be found, milliseconds. */
  readonly foundWithinMs?: number
  /** What a testnet makes this site suffer. */
  readonly faults?: TestFaults | undefined
  /** Another version that this site is to be, for the test of two that cannot talk. */
  readonly software?: Software
}

type Closer = () => Promise<void>

/**
 * Composition root of one site: files, network, control port and trainer, assembled in order and taken down in reverse.
 * @example
 * ```ts
 * import { createFederation, createLogger, Daemon, loadConfig, sitePaths } from 'consilium'
 *
 * await createFederation({ home: 'home', name: 'Two towns', rounds: 1 })
 * const config = { ...await loadConfig(sitePaths('home').config, { logLevel: 'warn' }), data: 'data' }
 * const daemon = new Daemon({ home: 'home', config, alone: true, logger: createLogger(config.logLevel) })
 * process.on('SIGTERM', () => { daemon.requestStop() })
 * const summary = await daemon.run()
 * console.log(summary?.rounds) // 1
 * ```
 */
export class Daemon {
  readonly #init: DaemonInit
  readonly #stop = new AbortController()
  readonly #monitor = new EventLoopMonitor()
  readonly #metrics = new Metrics()
  readonly #closers: Closer[] = []
  #site: Site | undefined
  #state: AdapterState | undefined
  #images: number | undefined
  #joined: JoinedPeers | undefined
  #trainer: TrainerProcess | undefined
  #validTo: () => string | undefined = () => undefined
  #end: 'done' | 'stopped' | 'failed' = 'failed'
  #distance: () => number | undefined = () => undefined

  constructor (init: DaemonInit) {
    this.#init = init
    setMaxListeners(Infinity, this.#stop.signal)
  }

  /** Ends `run` soon; what is finished is on disk already. */
  requestStop (): void {
    this.#init.logger.info('stopping: a second signal ends at once')
    this.#site?.record.enter('stopped')
    this.#stop.abort(new Error('stop requested'))
  }

  /**
   * Resolves after the last round and its cool-down, or (with nothing) after requestStop. @throws InputError for what the user must
   * mend.
   */
  async run (): Promise<Summary | undefined> {
    try {
      this.#site = await openSite(this.#init)
      return await this.#live(this.#site)
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error
      this.#end = 'stopped'
      this.#init.logger.info('stopped: the same command goes on from here')
      return undefined
    } finally {
      await this.#close()
    }
  }

  /** All of it, whatever fails: a port left open would keep the process alive. */
  async #close (): Promise<void> {
    for (const close of this.#closers.toReversed()) {
      await close().catch((error: unknown) => {
        this.#init.logger.error(`while stopping: ${messageOf(error)}`)
      })
    }
  }

  async #live (site: Site): Promise<Summary> {
    const audit = this.#createAuditor(site)
    const network = this.#init.alone ? undefined : await this.#openNetwork(site, audit)
    if (network == null) this.#closers.push(await lockHome(site.paths.home, (sentence) => { site.notices.event(sentence) }))
    // From here on no other daemon can be in this home.
    await audit.open()
    this.#closers.push(startWatches(site))
    await this.#openControl(site, network)
    this.#init.onListening?.(() => healthOf(this.#status(site, network), site.notices.conditions).reason)
    const trainer = this.#createTrainer(site)
    const ready = await unlessAborted(trainer.start(), this.#stop.signal)
    this.#sayReady(site, ready)
    this.#images = ready.images
    const state = this.#state = await openAdapter(site, ready, audit, (partner) => network?.rootOf(partner) ?? partner)
    // Closed last: exchanges that end while the network closes still write there.
    this.#closers.unshift(async () => {
      await state.log.close()
      await keepInventory(site.paths, { ended: true })
    })
    const joined = network == null ? undefined : await this.#join(site, state, network)
    this.#monitor.start()
    await followCourse({ site, state, trainer, audit, joined, signal: this.#stop.signal })
    const summary = await this.#finish(site, state, trainer, ready, joined)
    this.#end = 'done'
    return summary
  }

  #createAuditor ({ paths, key, peerId, federation, notices }: Site): Auditor {
    const onFailure = (error: unknown): void => {
      notices.warn(
        'audit',
        `the audit ledger could not be written (${messageOf(error)}): free disk space or mend the home folder`
      )
    }
    const onDamage = (sentence: string): void => { notices.event(sentence) }
    const onWritten = (): void => { notices.over('audit', 'the audit ledger is written again') }
    const told = { onFailure, onWritten, onDamage }
    const audit = new Auditor({ folder: paths.audit, key, peerId, federation: federation.id, now: Date.now, ...told })
    this.#closers.push(async () => {
      await audit.close(this.#end)
    })
    return audit
  }

  async #openNetwork (site: Site, audit: Auditor): Promise<SiteNetwork> {
    const { paths, key, federation, config, logger, notices } = site
    const { tap, foundWithinMs, faults, software } = this.#init
    const membership = await SiteMembership.open({
      ...site,
      onEvent: (event) => {
        audit.record(event)
      }
    })
    if (membership.book.wasDamaged) {
      notices.event(`${paths.members} is damaged: the book of members starts empty, and fills as sites are met`)
    }
    const network = await SiteNetwork.open({
      paths,
      key,
      federationId: federation.id,
      membership,
      config,
      logger,
      notices,
      audit,
      metrics: this.#metrics.libp2p(paths.home),
      ...(tap == null ? {} : { tap }),
      ...(foundWithinMs == null ? {} : { foundWithinMs }),
      ...(software == null ? {} : { software }),
      faults
    })
    this.#closers.push(async () => { await network.close() })
    this.#watchExpiry(site, membership, network)
    if (faults != null) {
      const end = partitionSites(network.host, faults.apart, () => site.record.round)
      this.#closers.push(() => Promise.resolve(end()))
    }
    logger.info({ name: site.name, peerId: site.peerId, addresses: network.addresses }, 'listening')
    return network
  }

  #watchExpiry ({ peerId, federation, notices }: Site, membership: SiteMembership, network: SiteNetwork): void {
    this.#validTo = () => membership.validTo
    const isFounder = federation.document.founders.includes(peerId)
    const watch = new ExpiryWatch({
      validTo: () => membership.validTo,
      invited: () => isFounder ? network.membersControl.view() : [],
      notices,
      now: Date.now
    })
    watch.start()
    this.#closers.push(() => Promise.resolve(watch.stop()))
  }

  async #openControl (site: Site, network: SiteNetwork | undefined): Promise<void> {
    const control = new ControlServer({
      file: site.paths.control,
      port: site.config.controlPort,
      status: () => this.#status(site, network),
      peers: () => network?.peersView(this.#joined?.gossip.suspects, classNames(site.federation.document.labels)) ?? [],
      members: network?.membersControl,
      observing: this.#observing(site, network),
      notices: site.notices,
      metricsToken: await readMetricsToken(site.config.metricsToken)
    })
    await control.start()
    this.#closers.push(async () => { await control.stop() })
  }

  #observing (site: Site, network: SiteNetwork | undefined): Observing {
    const status = (): SiteStatus => this.#status(site, network)
    return {
      health: () => healthOf(status(), site.notices.conditions),
      metrics: async () => {
        const reading = await readSite({ site, status, peers: network?.peers, trainer: this.#trainer, validTo: this.#validTo() })
        return { contentType: this.#metrics.contentType, page: await this.#metrics.page(reading) }
      }
    }
  }

  #createTrainer (site: Site): TrainerProcess {
    const { config, logger, notices, record } = site
    const { trainerEntry: entry, trainerBackOff: backOff } = this.#init
    const trainer = new TrainerProcess({
      setup: trainerSetup(site),
      nice: config.nice,
      ...(entry == null ? {} : { entry }),
      ...(backOff == null ? {} : { backOff })
    })
    this.#trainer = trainer
    trainer.on('progress', ({ step, steps }) => {
      record.progress = { step, steps }
    })
    trainer.on('ready', () => {
      record.trainer = 'ready'
      notices.over('trainer', 'the trainer process runs again')
    })
    trainer.on('restarting', ({ reason, delayMs }) => {
      record.trainer = 'restarting'
      const deaths = ++record.trainerRestarts
      notices.warn(
        'trainer',
        `the trainer process ended (${reason}), ${deaths === 1 ? 'once' : `${deaths} times`} so far: it starts again in ${
          delayMs / 1_000
        } s and repeats the phase`,
        { isNews: true }
      )
    })
    this.#closers.push(async () => {
      await trainer.stop()
    })
    logger.info('loading the base weights and the images')
    return trainer
  }

  #sayReady ({ logger, notices, record }: Site, { engine, provider, engineReason, images, validationImages, skipped }: TrainerReady): void {
    record.compute = { engine, provider, reason: engineReason }
    logger.info({ engine, provider, engineReason, images, validationImages, network: this.#trainer?.isIsolated !== true }, 'trainer ready')
    for (const [reason, count] of Object.entries(skipped)) {
      notices.warn(
        `skipped ${reason}`,
        `${count} ${count === 1 ? 'file was' : 'files were'} left out: ${reason} (consilium data check names them)`
      )
    }
  }

  async #join (site: Site, state: AdapterState, network: SiteNetwork): Promise<JoinedPeers> {
    const joined = await joinPeers(site, state, network)
    this.#closers.push(async () => {
      await joined.close()
    })
    this.#distance = joined.announcer.distance
    this.#joined = joined
    return joined
  }

  async #finish (
    site: Site,
    { averager, checkpoint }: AdapterState,
    trainer: TrainerProcess,
    ready: TrainerReady,
    joined: JoinedPeers | undefined
  ): Promise<Summary> {
    const { record, federation, paths, notices } = site
    record.enter('done')
    await joined?.announcer.stop()
    await checkpoint.settled()
    await checkpoint.save()
    const scores = await this.#fitOnceMore(site, trainer, averager.snapshot())
    Object.assign(record, scores)
    const summary: Summary = {
      name: site.name,
      peerId: site.peerId,
      federation: federation.id,
      rounds: site.metrics.finishedRounds,
      images: ready.images,
      validationImages: ready.validationImages,
      engine: ready.engine,
      provider: ready.provider,
      engineReason: ready.engineReason,
      imagesSeen: imagesSeen(averager.steps, ready.images, federation.document.training),
      steps: finalSteps(averager.steps),
      pace: record.pace,
      exchanges: record.exchanges,
      inDoubt: averager.inDoubt,
      exchangesByRound: record.exchangesByRound,
      bytesSent: record.bytesSent,
      bytesReceived: record.bytesReceived,
      ...scores,
      eventLoopP99Ms: this.#monitor.p99Ms,
      refusedHandshakes: joined?.network.refusedHandshakes ?? 0,
      warnings: notices.list
    }
    await writeJson(paths.summary, summary)
    site.logger.info({ ...scores, exchanges: record.exchanges }, 'done')
    return summary
  }

  /** The cool-down moved Γ: experts serve with the very Γ that they were fitted against (docs/spec/pfedsam.md#the-round). */
  async #fitOnceMore (site: Site, trainer: TrainerProcess, adapter: Float32Array): Promise<Scores> {
    const { federation: { document }, metrics, logger } = site
    const { signal } = this.#stop
    const { training: { rounds } } = document
    const length = { done: 0, share: 1 }
    const phases = lastPhases(roundPlan(document))
    const missed = phases.length === 0 ? 0 : missedBefore(metrics.records)
    if (missed > 0) logger.info(`this site came ${missed} rounds late: it fits its private experts as often as the others did`)
    for (let nth = 1; nth <= missed + 1; nth++) {
      const late = nth > missed ? {} : { asRound: nth }
      for (const phase of phases) await trainer.call('train', { phase, round: rounds + nth, adapter, ...length, ...late }, { signal })
    }
    return await trainer.call('score', { round: rounds + 1, adapter }, { signal })
  }

  #status (site: Site, network: SiteNetwork | undefined): SiteStatus {
    return describeSite({
      site,
      network,
      averager: this.#state?.averager,
      images: this.#images,
      joined: this.#joined,
      consensus: this.#distance(),
      eventLoopP99Ms: this.#monitor.p99Ms
    })
  }
}
