import { setMaxListeners } from 'node:events'
import { Auditor } from '../audit/auditor.ts'
import { messageOf } from '../common/message-of.ts'
import { systemReason } from '../common/system-error.ts'
import { unlessAborted } from '../common/unless-aborted.ts'
import { InputError } from '../errors.ts'
import { quorumOf } from '../federation/document.ts'
import { beginRestored } from '../home/backup.ts'
import { keepInventory } from '../home/inventory.ts'
import { readToken } from '../home/token.ts'
import { systemClock } from '../rounds/clock.ts'
import type { SiteStatus } from '../rounds/status.ts'
import type { TrainerReady } from '../rounds/trainer-messages.ts'
import { classNames } from '../settings/labels.ts'
import type { AmendmentWatch } from './amendment-watch.ts'
import { describeSite } from './control/describe-site.ts'
import { healthOf } from './control/health.ts'
import type { Observing } from './control/observe-routes.ts'
import { ControlServer } from './control/server.ts'
import { followCourse } from './course.ts'
import { createTrainer } from './create-trainer.ts'
import type { DaemonInit } from './daemon-init.ts'
import { EventLoopMonitor } from './event-loop.ts'
import { finish } from './finish.ts'
import { joinPeers, type JoinedPeers } from './join-peers.ts'
import { joinPublications, type JoinedPublications } from './join-publications.ts'
import { leave, type Left } from './leave.ts'
import { Metrics } from './metrics/metrics.ts'
import { readSite } from './metrics/read-site.ts'
import { lockHome } from './network/peer-book.ts'
import type { SiteNetwork } from './network/site-network.ts'
import { openNetwork } from './open-network.ts'
import { PolicyGuard } from './policy-guard.ts'
import { openAdapter, openSite, withAmendment, type AdapterState, type Site } from './site.ts'
import { StatusKeeper } from './status-keeper.ts'
import type { Summary } from './summary.ts'
import type { TrainerProcess } from './trainer-process.ts'
import { startWatches } from './watches.ts'
import { takeWithdrawals } from './withdrawals.ts'

type Closer = () => Promise<void>

const ANSWERED_MS = 100

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
  /** What ends when another document is gone on with; the network and all that knows no settings stay. */
  readonly #ofDocument: Closer[] = []
  /** Closed last: exchanges that end while the network closes still write there. */
  #closeLog: Closer | undefined
  #amendments: AmendmentWatch | undefined
  #site: Site | undefined
  #state: AdapterState | undefined
  #images: number | undefined
  #joined: JoinedPeers | undefined
  #publications: JoinedPublications | undefined
  #hasLeft = false
  #trainer: TrainerProcess | undefined
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
    await takeWithdrawals({ ...site, audit })
    this.#closers.push(startWatches(site))
    await this.#openControl(site, network)
    this.#init.onListening?.(() => healthOf(this.#status(this.#site ?? site, network), site.notices.conditions).reason)
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
    const trainer = this.#trainer = createTrainer(site, this.#init)
    this.#ofDocument.push(async () => { await trainer.stop() })
    const ready = await unlessAborted(trainer.start(), this.#stop.signal)
    this.#sayReady(site, ready)
    this.#sayImages(site, ready)
    const state = this.#state = await openAdapter(site, ready, audit, {
      rootOf: (partner) => network?.membership.rootOf(partner) ?? partner,
      mostRounds: () => network?.membership.documents.mostRounds ?? site.federation.document.training.rounds
    })
    this.#closeLog = async () => {
      await state.log.close()
      await state.groupLog?.close()
      await keepInventory(site.paths, { ended: true })
    }
    const guard = await this.#hold(site, state, network)
    const joined = network == null ? undefined : await this.#join(site, state, network, { guard, audit })
    const publications = network == null ? undefined : await this.#share(site, state, network, { audit, trainer, guard })
    const { mayTrain } = guard
    const course = { site, state, trainer, audit, joined, publications, mayTrain, amendments: this.#amendments, signal: this.#stop.signal }
    if (await followCourse(course) === 'amended') return 'amended'
    await publications?.end()
    await mayTrain(this.#stop.signal)
    const { signal } = this.#stop
    return await finish(site, { state, trainer, ready, joined, eventLoopP99Ms: () => this.#monitor.p99Ms, signal })
  }

  /** From x on, with another document or other images. */
  async #amend (site: Site, network: SiteNetwork | undefined): Promise<Site> {
    for (const close of this.#ofDocument.splice(0).toReversed()) await close()
    await network?.part()
    await this.#closeLog?.()
    this.#closeLog = this.#state = this.#joined = this.#publications = undefined
    for (const kind of ['data ', 'skipped ']) site.notices.overAll(kind, 'the images are read anew')
    const amended = this.#site = await withAmendment(site)
    network?.membership.documents.goOnWith(amended.federation)
    return amended
  }

  #createAuditor ({ paths, key, peerId, federation, notices, restored }: Site): Auditor {
    const onFailure = (error: unknown): void => {
      notices.warn(
        'audit',
        `the audit ledger could not be written (${systemReason(error, 'its folder')}): free disk space or mend the home folder`
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
    const metrics = this.#metrics.libp2p(site.paths.home)
    const onClose = (closer: Closer): void => { this.#closers.push(closer) }
    const { network, amendments } = await openNetwork(site, { ...this.#init, audit, metrics, onClose })
    this.#amendments = amendments
    return network
  }

  async #openControl (site: Site, network: SiteNetwork | undefined): Promise<void> {
    const answers = {
      status: () => this.#status(this.#site ?? site, network),
      peers: () => network?.peersView(this.#joined?.gossip.suspects, classNames(site.federation.document.labels)) ?? []
    }
    const keeper = new StatusKeeper({ ...answers, file: site.paths.lastStatus, logger: site.logger, now: Date.now })
    const control = new ControlServer({
      ...answers,
      file: site.paths.control,
      port: site.config.controlPort,
      members: network == null
        ? undefined
        : { ...network.membersControl, leave: async (although) => await this.#leave(site, network, although) },
      observing: this.#observing(site, network),
      notices: site.notices,
      metricsToken: await readToken(site.config.metricsToken),
      metricsListen: site.config.metricsListen
    })
    await control.start()
    this.#closers.push(async () => { await control.stop() }, async () => { await keeper.stop() })
    keeper.start()
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

  #observing (site: Site, network: SiteNetwork | undefined): Observing {
    const status = (): SiteStatus => this.#status(this.#site ?? site, network)
    return {
      health: () => healthOf(status(), site.notices.conditions),
      metrics: async () => {
        const [peers, validTo] = [network?.peers, network?.membership.validTo]
        const reading = await readSite({ site: this.#site ?? site, status, peers, trainer: this.#trainer, validTo })
        return { contentType: this.#metrics.contentType, page: await this.#metrics.page(reading) }
      }
    }
  }

  #sayReady ({ logger, notices, record }: Site, { engine, provider, engineReason, images, validationImages, skipped }: TrainerReady): void {
    record.compute = { engine, provider, reason: engineReason }
    record.validationImages = validationImages
    const isOnline = this.#trainer?.isIsolated !== true
    logger.info({ engine, provider, engineReason, images, validationImages, network: isOnline }, 'trainer ready')
    for (const [reason, count] of Object.entries(skipped)) {
      notices.warn(
        `skipped ${reason}`,
        `${count} ${count === 1 ? 'file was' : 'files were'} left out: ${reason} (consilium data check names them)`
      )
    }
  }

  /** How much this site counts follows how many images it trains on. */
  #sayImages ({ notices }: Site, { images }: TrainerReady): void {
    const before = this.#images ?? images
    this.#images = images
    if (images === before) return
    notices.event(`this site now trains on ${images} images, and on ${before} in the round before: its part in the average follows`)
  }

  /** To its own policy, as long as this averager serves. */
  async #hold (site: Site, { averager }: AdapterState, network: SiteNetwork | undefined): Promise<PolicyGuard> {
    const { policy, paths, notices, metrics } = site
    const guard = new PolicyGuard({
      policy,
      file: paths.usage,
      notices,
      clock: systemClock,
      connected: () => network?.peers.partnerCount ?? Infinity,
      finished: metrics.records
    })
    await guard.guard(averager)
    this.#ofDocument.push(async () => { await guard.stop() })
    return guard
  }

  async #join (
    site: Site,
    state: AdapterState,
    network: SiteNetwork,
    { guard, audit }: { guard: PolicyGuard, audit: Auditor }
  ): Promise<JoinedPeers> {
    const joined = await joinPeers(site, state, network, guard, audit)
    this.#ofDocument.push(async () => {
      await joined.close()
    })
    this.#distance = joined.announcer.distance
    this.#joined = joined
    return joined
  }

  async #share (
    site: Site,
    state: AdapterState,
    network: SiteNetwork,
    parts: Omit<Parameters<typeof joinPublications>[3], 'signal'>
  ): Promise<JoinedPublications | undefined> {
    const publications = this.#publications = await joinPublications(site, state, network, { ...parts, signal: this.#stop.signal })
    this.#ofDocument.push(async () => { await publications?.close() })
    return publications
  }

  #status (site: Site, network: SiteNetwork | undefined): SiteStatus {
    return describeSite({
      site,
      network,
      averager: this.#state?.averager,
      images: this.#images,
      joined: this.#joined,
      publications: this.#publications?.view(),
      amendments: this.#amendments?.views ?? [],
      consensus: this.#distance(),
      eventLoopP99Ms: this.#monitor.p99Ms,
      now: Date.now()
    })
  }
}
