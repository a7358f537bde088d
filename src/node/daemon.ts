import { setMaxListeners } from 'node:events'
import type { ConnectionEncrypter } from '@libp2p/interface'
import { Auditor } from '../audit/auditor.ts'
import type { Doubling } from '../common/doubling.ts'
import { messageOf } from '../common/message-of.ts'
import { unlessAborted } from '../common/unless-aborted.ts'
import { InputError } from '../errors.ts'
import { quorumOf } from '../federation/document.ts'
import { LEFT } from '../federation/membership/departure.ts'
import { SiteMembership } from '../federation/membership/site-membership.ts'
import { beginRestored } from '../home/backup.ts'
import { writeJson } from '../home/files.ts'
import { keepInventory } from '../home/inventory.ts'
import type { Software } from '../protocol/versions.ts'
import { systemClock } from '../rounds/clock.ts'
import type { Logger } from '../rounds/logger.ts'
import { finalSteps, imagesSeen } from '../rounds/participation.ts'
import type { SiteStatus } from '../rounds/status.ts'
import type { TrainerReady } from '../rounds/trainer-messages.ts'
import { classNames } from '../settings/labels.ts'
import { AmendmentWatch } from './amendment-watch.ts'
import { describeSite } from './control/describe-site.ts'
import { ControlServer } from './control/server.ts'
import { followCourse } from './course.ts'
import { EventLoopMonitor } from './event-loop.ts'
import { ExpiryWatch } from './expiry-watch.ts'
import { fitOnceMore } from './fit-once-more.ts'
import { joinPeers, type JoinedPeers } from './join-peers.ts'
import { leave, type Left } from './leave.ts'
import { lockHome } from './network/peer-book.ts'
import { SiteNetwork } from './network/site-network.ts'
import { PolicyGuard } from './policy-guard.ts'
import { openAdapter, openSite, trainerSetup, withAmendment, type AdapterState, type RunConfig, type Site } from './site.ts'
import type { Summary } from './summary.ts'
import { partitionSites } from './test-faults/partition.ts'
import type { TestFaults } from './test-faults/settings.ts'
import { TrainerProcess } from './trainer-process.ts'

/** What a daemon runs with. */
export interface DaemonInit {
  readonly home: string
  readonly config: RunConfig
  /** Train without the network and end after the last round. */
  readonly alone: boolean
  readonly logger: Logger
  /** Sentences about the home, from before the start: said, and kept for status. */
  readonly news?: readonly string[]
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

const ANSWERED_MS = 100
/** Events of membership after which a site is no member any more. */
const ENDS = new Set(['revoked', 'handed over', 'left'])

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
  readonly #closers: Closer[] = []
  /** What ends when another document is gone on with; the network and all that knows no settings stay. */
  readonly #ofDocument: Closer[] = []
  /** Closed last: exchanges that end while the network closes still write there. */
  #closeLog: Closer | undefined
  #amendments: AmendmentWatch | undefined
  #site: Site | undefined
  #state: AdapterState | undefined
  #images: number | undefined
  #joined: JoinedPeers | undefined
  #hasLeft = false
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
      this.#init.logger.info(this.#hasLeft ? 'stopped, for good' : 'stopped: the same command goes on from here')
      return undefined
    } finally {
      await this.#close()
    }
  }

  /** All of it, whatever fails: a port left open would keep the process alive. */
  async #close (): Promise<void> {
    for (const close of [...this.#ofDocument.toReversed(), ...this.#closers.toReversed(), this.#closeLog]) {
      await close?.().catch((error: unknown) => {
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
    if (site.restored != null) await beginRestored(site.paths, site.restored)
    await this.#openControl(site, network)
    this.#monitor.start()
    for (let current = site; ; current = await this.#amend(current, network)) {
      const summary = await this.#train(current, audit, network)
      if (summary === 'amended') continue
      this.#end = 'done'
      return summary
    }
  }

  /** As long as one document holds. */
  async #train (site: Site, audit: Auditor, network: SiteNetwork | undefined): Promise<Summary | 'amended'> {
    const trainer = this.#createTrainer(site)
    const ready = await unlessAborted(trainer.start(), this.#stop.signal)
    this.#sayReady(site, ready)
    this.#images = ready.images
    const state = this.#state = await openAdapter(site, ready, audit, {
      rootOf: (partner) => network?.membership.rootOf(partner) ?? partner,
      mostRounds: () => network?.membership.documents.mostRounds ?? site.federation.document.training.rounds
    })
    this.#closeLog = async () => {
      await state.log.close()
      await keepInventory(site.paths, { ended: true })
    }
    const guard = await this.#hold(site, state, network)
    const joined = network == null ? undefined : await this.#join(site, state, network, guard)
    const { mayTrain } = guard
    const course = { site, state, trainer, audit, joined, mayTrain, amendments: this.#amendments, signal: this.#stop.signal }
    if (await followCourse(course) === 'amended') return 'amended'
    await mayTrain(this.#stop.signal)
    return await this.#finish(site, state, trainer, ready, joined)
  }

  /** From x on, with another document. */
  async #amend (site: Site, network: SiteNetwork | undefined): Promise<Site> {
    for (const close of this.#ofDocument.splice(0).toReversed()) await close()
    await network?.part()
    await this.#closeLog?.()
    this.#closeLog = this.#state = this.#joined = undefined
    const amended = this.#site = await withAmendment(site)
    network?.membership.documents.goOnWith(amended.federation)
    return amended
  }

  #createAuditor ({ paths, key, peerId, federation, notices, restored }: Site): Auditor {
    const onFailure = (error: unknown): void => {
      notices.warn(
        'audit',
        `the audit ledger could not be written (${messageOf(error)}): free disk space or mend the home folder`
      )
    }
    const onDamage = (sentence: string): void => { notices.event(sentence) }
    const onWritten = (): void => { notices.over('audit', 'the audit ledger is written again') }
    const told = { onFailure, onWritten, onDamage }
    const putAside = restored == null || restored.begun === true ? undefined : `the home was restored from a backup of ${restored.made}`
    const audit = new Auditor({ folder: paths.audit, key, peerId, federation: federation.id, now: Date.now, putAside, ...told })
    this.#closers.push(async () => {
      await audit.close(this.#end)
    })
    return audit
  }

  async #openNetwork (site: Site, audit: Auditor): Promise<SiteNetwork> {
    const { paths, key, federation, config, logger, notices } = site
    const { tap, foundWithinMs, faults, software } = this.#init
    let opened: SiteNetwork | undefined
    const membership = await SiteMembership.open({
      ...site,
      onEvent: (event) => {
        audit.record(event)
        if (event.kind === 'membership' && ENDS.has(event.event)) opened?.peers.forget(event.peer)
      }
    })
    if (membership.standing.hasLeft(site.peerId)) throw new InputError(LEFT)
    if (membership.book.wasDamaged) {
      notices.event(`${paths.members} is damaged: the book of members starts empty, and fills as sites are met`)
    }
    const network = opened = await SiteNetwork.open({
      paths,
      key,
      federationId: federation.id,
      membership,
      config,
      logger,
      notices,
      audit,
      ...(tap == null ? {} : { tap }),
      ...(foundWithinMs == null ? {} : { foundWithinMs }),
      ...(software == null ? {} : { software }),
      faults
    })
    this.#closers.push(async () => { await network.close() })
    this.#watchExpiry(site, membership, network)
    this.#watchAmendments(site, membership)
    if (faults != null) {
      const end = partitionSites(network.host, faults.apart, () => site.record.round)
      this.#closers.push(() => Promise.resolve(end()))
    }
    logger.info({ name: site.name, peerId: site.peerId, addresses: network.addresses }, 'listening')
    return network
  }

  #watchAmendments ({ paths, config, policy, notices }: Site, { documents }: SiteMembership): void {
    const watch = this.#amendments = new AmendmentWatch({
      paths,
      rule: config.amendments,
      policy,
      amendments: documents,
      notices
    })
    watch.start()
    this.#closers.push(() => Promise.resolve(watch.stop()))
  }

  #watchExpiry ({ peerId, notices }: Site, membership: SiteMembership, network: SiteNetwork): void {
    const watch = new ExpiryWatch({
      validTo: () => membership.validTo,
      invited: () => membership.federation.document.founders.includes(peerId) ? network.membersControl.view() : [],
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
      status: () => this.#status(this.#site ?? site, network),
      peers: () => network?.peersView(this.#joined?.gossip.suspects, classNames(site.federation.document.labels)) ?? [],
      members: network == null
        ? undefined
        : { ...network.membersControl, leave: async (although) => await this.#leave(site, network, although) }
    })
    await control.start()
    this.#closers.push(async () => { await control.stop() })
  }

  /** Ends the membership, and then the daemon. */
  async #leave ({ peerId, federation, record, logger }: Site, network: SiteNetwork, although: boolean): Promise<Left> {
    if (this.#state == null) throw new InputError('this site is still loading its data: leave in a moment')
    const { averager } = this.#state
    const { peers, members } = network
    const { founders } = federation.document
    const left = await leave({
      averager,
      peers,
      foundersLeft: founders.includes(peerId) ? founders.filter((id) => !members.standing.isRevoked(id, 'founder')) : [],
      quorum: quorumOf(federation.document),
      clock: systemClock,
      quiesce: async () => { await network.quiesce() },
      depart: async () => await members.depart(async () => {
        record.enter('stopped')
        await this.#joined?.announcer.stop()
      }),
      signal: this.#stop.signal
    }, although)
    if (left.effective) {
      this.#hasLeft = true
      logger.info('this site has left the federation: it stops')
      // After the answer.
      setTimeout(() => { this.#stop.abort(new Error('left')) }, ANSWERED_MS)
    }
    return left
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
    let deaths = 0
    trainer.on('progress', ({ step, steps }) => {
      record.progress = { step, steps }
    })
    trainer.on('ready', () => {
      record.trainer = 'ready'
      notices.over('trainer', 'the trainer process runs again')
    })
    trainer.on('restarting', ({ reason, delayMs }) => {
      record.trainer = 'restarting'
      deaths++
      notices.warn(
        'trainer',
        `the trainer process ended (${reason}), ${deaths === 1 ? 'once' : `${deaths} times`} so far: it starts again in ${
          delayMs / 1_000
        } s and repeats the phase`,
        { isNews: true }
      )
    })
    this.#ofDocument.push(async () => {
      await trainer.stop()
    })
    logger.info('loading the base weights and the images')
    return trainer
  }

  #sayReady ({ logger, notices, record }: Site, { engine, provider, engineReason, images, validationImages, skipped }: TrainerReady): void {
    record.compute = { engine, provider, reason: engineReason }
    record.validationImages = validationImages
    logger.info({ engine, provider, engineReason, images, validationImages }, 'trainer ready')
    for (const [reason, count] of Object.entries(skipped)) {
      notices.warn(
        `skipped ${reason}`,
        `${count} ${count === 1 ? 'file was' : 'files were'} left out: ${reason} (consilium data check names them)`
      )
    }
  }

  /** To its own policy, as long as this averager serves. */
  async #hold (site: Site, { averager }: AdapterState, network: SiteNetwork | undefined): Promise<PolicyGuard> {
    const { policy, paths, notices, metrics } = site
    const guard = new PolicyGuard({
      policy,
      file: paths.usage,
      notices,
      clock: systemClock,
      connected: () => network?.peers.connectedCount ?? Infinity,
      finished: metrics.records
    })
    await guard.guard(averager)
    this.#ofDocument.push(async () => { await guard.stop() })
    return guard
  }

  async #join (site: Site, state: AdapterState, network: SiteNetwork, guard: PolicyGuard): Promise<JoinedPeers> {
    const joined = await joinPeers(site, state, network, guard)
    this.#ofDocument.push(async () => {
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
    const scores = await fitOnceMore(site, trainer, averager.snapshot(), this.#stop.signal)
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

  #status (site: Site, network: SiteNetwork | undefined): SiteStatus {
    return describeSite({
      site,
      network,
      averager: this.#state?.averager,
      images: this.#images,
      joined: this.#joined,
      amendments: this.#amendments?.views ?? [],
      consensus: this.#distance(),
      eventLoopP99Ms: this.#monitor.p99Ms
    })
  }
}
