import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import fastify, { type FastifyInstance } from 'fastify'
import { InputError } from '../../errors.ts'
import { writeJson } from '../../home/files.ts'
import { isSameText } from '../../home/token.ts'
import { listenerOf } from '../../settings/site/network.ts'
import type { Notices } from '../../rounds/notices.ts'
import type { PeerView, SiteStatus } from '../../rounds/status.ts'
import { ledgerRoutes } from './ledger-routes.ts'
import { membershipRoutes, type MembersControl } from './membership-routes.ts'
import { OBSERVED, observeRoutes, type Observing } from './observe-routes.ts'

export interface ControlInit {
  /** Where url and token are written for `consilium status`. */
  readonly file: string
  readonly port: number
  readonly status: () => SiteStatus
  readonly peers: () => PeerView[]
  /** Missing where the daemon runs without the network. */
  readonly members?: MembersControl | undefined
  readonly observing: Observing
  readonly notices: Pick<Notices, 'warn' | 'over'>
  /** Reads /metrics and /healthz, and nothing else. */
  readonly metricsToken?: string | undefined
  /** Where those two answer beside loopback, such as 0.0.0.0:9465. */
  readonly metricsListen?: string | undefined
}

const LIMITS = { bodyLimit: 1024, requestTimeout: 5_000 }

/** The loopback control port; every request needs the token that only this user can read. */
export class ControlServer {
  readonly #init: ControlInit
  readonly #app: FastifyInstance
  readonly #beside: FastifyInstance

  constructor (init: ControlInit) {
    this.#init = init
    this.#app = fastify(LIMITS)
    this.#beside = fastify(LIMITS)
  }

  async start (): Promise<void> {
    const token = randomBytes(24).toString('base64url')
    const { metricsToken } = this.#init
    this.#app.addHook('onRequest', async (request, reply) => {
      const given = request.headers.authorization ?? ''
      const isObserving = metricsToken != null && OBSERVED.some((each) => each === request.url)
      if (isSameText(given, `Bearer ${token}`) || (isObserving && isSameText(given, `Bearer ${metricsToken}`))) return
      await reply.code(401).send({ error: 'the control token is missing or wrong' })
    })
    this.#app.get('/status', () => this.#init.status())
    this.#app.get('/peers', () => this.#init.peers())
    membershipRoutes(this.#app, this.#init.members)
    ledgerRoutes(this.#app, this.#init.notices)
    observeRoutes(this.#app, this.#init.observing)
    const url = await this.#listen()
    await this.#listenBeside()
    await writeJson(this.#init.file, { url, token }, 0o600)
  }

  async stop (): Promise<void> {
    try {
      await rm(this.#init.file, { force: true })
    } finally {
      await Promise.all([this.#app.close(), this.#beside.close()])
    }
  }

  /** Metrics and health for who comes from another machine. @throws InputError without a token, or where the port is taken */
  async #listenBeside (): Promise<void> {
    const { metricsListen, metricsToken, observing } = this.#init
    const listener = metricsListen == null ? undefined : listenerOf(metricsListen)
    if (listener == null) return
    if (metricsToken == null) throw new InputError('metricsListen is for who has a token: name its file with --metrics-token')
    this.#beside.addHook('onRequest', async (request, reply) => {
      const given = request.headers.authorization ?? ''
      if (!isSameText(given, `Bearer ${metricsToken}`)) await reply.code(401).send({ error: 'the token is missing or wrong' })
    })
    observeRoutes(this.#beside, observing)
    try {
      await this.#beside.listen(listener)
    } catch (error) {
      const { code = 'it failed' } = error as NodeJS.ErrnoException
      await this.#app.close()
      throw new InputError(`metrics cannot be answered at ${metricsListen} (${code}): choose another address with --metrics-listen`)
    }
  }

  async #listen (): Promise<string> {
    try {
      return await this.#app.listen({ host: '127.0.0.1', port: this.#init.port })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
        throw new InputError(`the control port ${this.#init.port} is occupied: choose another with --control-port`)
      }
      throw error
    }
  }
}
