import { isIP } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { InputError } from '../errors.ts'
import { isSameText } from '../home/token.ts'

export interface GuardInit {
  /** Address that is listened on. */
  readonly listen: string
  readonly token: string | undefined
  /** Web pages, by their origin, that may ask from a browser. */
  readonly origins: readonly string[]
}

/** Asked before anybody has a token. */
const OPEN = /^\/auth(\/token)?\/?$/
const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/

/** @throws InputError where others than this machine would be let in unasked */
export function checkGuard ({ listen, token, origins }: GuardInit): void {
  if (isIP(listen) === 0 && listen !== 'localhost') throw new InputError(`--listen ${listen} is no address of this machine: name one`)
  if (!LOOPBACK.test(listen) && token == null) {
    throw new InputError(
      `--listen ${listen} lets other machines in: give --token-file FILE, or listen on 127.0.0.1 behind the hospital's reverse proxy`
    )
  }
  const wrong = origins.find((each) => !URL.canParse(each) || new URL(each).origin !== each)
  if (wrong != null) throw new InputError(`--origin ${wrong} is no origin of a web page: write it like https://viewer.hospital`)
}

/** Refuses who has no token where one is set, and pages of other origins, in a browser of this machine too. */
export function guard (app: FastifyInstance, init: GuardInit): void {
  app.addHook('onRequest', async (request, reply) => {
    if (!await allowsOrigin(request, reply, init) || reply.sent) return reply
    if (init.token == null || OPEN.test(request.url.split('?')[0]!)) return
    if (isSameText(request.headers.authorization ?? '', `Bearer ${init.token}`)) return
    return await reply.code(401).header('www-authenticate', 'Bearer').send({ detail: 'the token is missing or wrong' })
  })
}

async function allowsOrigin (request: FastifyRequest, reply: FastifyReply, { listen, token, origins }: GuardInit): Promise<boolean> {
  const { origin, host = '' } = request.headers
  // A page may give its own name the address of this machine: then the name in Host is that of the page.
  const isOwn = LOOPBACK.test(host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'))
  const isNamed = token != null || !LOOPBACK.test(listen) || isOwn || origins.some((each) => new URL(each).host === host)
  const isKnown = origin == null || origins.includes(origin) || origin === `http://${host}` || origin === `https://${host}`
  if (!isNamed || !isKnown) {
    await reply.code(403).send({ detail: 'this page may not ask here: name its origin with --origin' })
    return false
  }
  if (origin == null) return true
  reply.header('access-control-allow-origin', origin).header('vary', 'origin')
  if (request.method !== 'OPTIONS') return true
  await reply.code(204)
    .header('access-control-allow-methods', 'GET, HEAD, POST, PUT, DELETE')
    .header('access-control-allow-headers', 'authorization, content-type')
    .send()
  return false
}
