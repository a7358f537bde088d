import multipart from '@fastify/multipart'
import fastify, { type FastifyInstance } from 'fastify'
import { SOFTWARE } from '../common/software.ts'
import { InputError } from '../errors.ts'
import { sitePaths } from '../home/paths.ts'
import { isSameText } from '../home/token.ts'
import { Corrections } from '../site-model/corrections/corrections.ts'
import type { PredictorInit } from '../site-model/predict/predictor.ts'
import { Catalogue } from './catalogue.ts'
import { datastoreRoutes, describeDatastore } from './datastore-routes.ts'
import { describeServer } from './describe-model.ts'
import { checkGuard, guard, type GuardInit } from './guard.ts'
import { inferRoutes } from './infer-routes.ts'
import { OneAtATime } from './one-at-a-time.ts'
import { OpenedImages } from './opened-images.ts'
import { Refused } from './refused.ts'
import { RequestLog } from './request-log.ts'
import { sampleRoutes } from './sample-routes.ts'
import type { ServedSite } from './site.ts'

export interface ViewerInit extends GuardInit, PredictorInit {
  readonly data: string
  readonly port: number
  /** The data folder has images and no masks. */
  readonly withoutLabels?: boolean
}

/** A label volume of 512×512×1000 voxels, and a form around it. */
const MOST_BYTES = 2 ** 28 + 2 ** 16
const FIELD_BYTES = 2 ** 20
const RECEIVED_MS = 60_000
const WAITING = 8

const TRAINING = '"consilium start" trains, with the other hospitals, round by round: saved labels count from its next round on'
const NO_SESSIONS = 'Session Feature is Not Enabled: put images into the data folder'

/** MONAI Label's REST interface of one site, for the viewers that speak it (docs/viewer.md). */
export class ViewerServer {
  readonly #app: FastifyInstance
  readonly #site: ServedSite
  readonly #stopping: AbortController
  /** Where it listens. */
  readonly url: string

  private constructor (app: FastifyInstance, site: ServedSite, stopping: AbortController, url: string) {
    this.#app = app
    this.#site = site
    this.#stopping = stopping
    this.url = url
  }

  /** @throws InputError for a port that is taken, a guard that is missing, a home or data folder that cannot be used */
  static async start (init: ViewerInit): Promise<ViewerServer> {
    checkGuard(init)
    const { privateStore } = sitePaths(init.home)
    const images = await OpenedImages.open(init, init.data)
    try {
      const { data, withoutLabels } = init
      const catalogue = await Catalogue.open({ data, privateStore, channels: images.predictor.channels, withoutLabels })
      await catalogue.all()
      const stopping = new AbortController()
      const site = {
        data: init.data,
        catalogue,
        images,
        corrections: new Corrections(privateStore),
        queue: new OneAtATime(WAITING),
        stopping: stopping.signal
      }
      const app = await createApp(site, init)
      return new ViewerServer(app, site, stopping, await listen(app, init))
    } catch (error) {
      await images.close()
      throw error
    }
  }

  async stop (): Promise<void> {
    this.#stopping.abort(new InputError('the server ends'))
    await this.#app.close()
    await this.#site.queue.idle
    await this.#site.images.close()
  }
}

async function createApp (site: ServedSite, init: GuardInit): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: FIELD_BYTES,
    requestTimeout: RECEIVED_MS,
    routerOptions: { ignoreTrailingSlash: true },
    exposeHeadRoutes: false
  })
  const limits = { fileSize: MOST_BYTES, files: 1, fields: 8, parts: 9, fieldSize: FIELD_BYTES }
  await app.register(multipart, { limits })
  const log = new RequestLog()
  app.addHook('onResponse', async ({ routeOptions: { method, url } }, { statusCode, elapsedTime }) => {
    log.add(`${String(method)} ${url ?? 'unknown'} ${statusCode} ${Math.round(elapsedTime)} ms`)
  })
  app.setErrorHandler(async (error, _request, reply) => await reply.code(statusOf(error)).send({ detail: sentenceOf(error) }))
  app.setNotFoundHandler(async (_request, reply) => await reply.code(404).send({ detail: 'this server has no such address: see /info/' }))
  guard(app, init)
  authRoutes(app, init.token)
  app.get('/info', async () => describeServer(site.images.predictor.labels, (await describeDatastore(site)).stats, SOFTWARE))
  app.get('/logs', async (_request, reply) => await reply.type('text/plain').send(log.text))
  inferRoutes(app, site)
  datastoreRoutes(app, site)
  sampleRoutes(app, site)
  app.get('/train', () => { throw new Refused(404, TRAINING) })
  app.delete('/train', () => { throw new Refused(404, TRAINING) })
  for (const url of ['/train', '/train/:model']) app.post(url, () => { throw new Refused(409, TRAINING) })
  for (const url of ['/session', '/session/:id']) app.all(url, () => { throw new Refused(406, NO_SESSIONS) })
  return app
}

/** MONAI Label's clients ask for a token with a name and a password: the password is the token. */
function authRoutes (app: FastifyInstance, token: string | undefined): void {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: 4_096 }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))))
  })
  app.get('/auth', () => ({ enabled: token != null, client_id: 'consilium', realm: '' }))
  app.get('/auth/token/valid', () => ({ username: 'viewer' }))
  app.post<{ Body: { password?: string } | undefined }>('/auth/token', async ({ body }, reply) => {
    if (token == null) return { access_token: null, token_type: null }
    if (isSameText(body?.password ?? '', token)) return { access_token: token, token_type: 'Bearer' }
    return await reply.code(401).send({ detail: 'the password is not the token of this server' })
  })
}

async function listen (app: FastifyInstance, { listen: host, port }: ViewerInit): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new InputError(`the port ${port} is occupied: choose another with --port`)
    if (code === 'EACCES') throw new InputError(`the port ${port} is not for this user: choose one above 1023 with --port`)
    if (code === 'EADDRNOTAVAIL') throw new InputError(`--listen ${host} is no address of this machine: name one`)
    throw error
  }
}

function statusOf (error: unknown): number {
  if (error instanceof Refused) return error.status
  if (error instanceof InputError) return 400
  const { statusCode = 500 } = error as { statusCode?: number }
  return statusCode
}

/** What went wrong inside is for the terminal, not for who asked. */
function sentenceOf (error: unknown): string {
  if (error instanceof Error && statusOf(error) < 500) return error.message
  if (error instanceof Refused) return error.message
  process.stderr.write(`consilium: a request failed: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`)
  return 'the request failed: the terminal of "consilium serve" says why'
}
