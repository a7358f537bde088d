import type { FastifyInstance } from 'fastify'
import { isSameText } from '../home/token.ts'

/** A name in Host that is not this machine's own is that of a web page which gave its name the address of this machine. */
const OWN = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')
const HEADERS = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store'
}

/** Only this machine's own pages ask, and what is of the site needs the token: `open` names the addresses that hold nothing of it. */
export function guard (app: FastifyInstance, { token, open }: { readonly token: string, readonly open: readonly string[] }): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS)
    const { host = '', origin, authorization = '' } = request.headers
    const isOwn = OWN.test(host) && (origin == null || origin === `http://${host}`)
    if (!isOwn) return await reply.code(403).send({ error: 'this page answers under 127.0.0.1 and localhost alone' })
    if (open.includes(request.url) || isSameText(authorization, `Bearer ${token}`)) return
    return await reply.code(401).send({ error: 'the token is missing or wrong: open the address that "consilium page" printed' })
  })
}
