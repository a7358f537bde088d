import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request } from 'node:https'
import { isIP } from 'node:net'
import { connect } from 'node:tls'
import { childEnvironment } from '../../common/child-environment.ts'
import { OutboundProxy } from '../network/reach/outbound-proxy.ts'

const LIMIT_MS = 30_000
const HTTPS = 443

/**
 * How a notification leaves: as JSON on the standard input of a program, or posted to a web address, through the site's proxy. Rejects
 * after 30 s, with words that hold no secret of the address.
 */
export function sender (notify: string, proxy: string | undefined): (notification: object) => Promise<void> {
  return async (notification) => {
    const body = JSON.stringify(notification)
    const limit = AbortSignal.timeout(LIMIT_MS)
    const sending = notify.startsWith('https:') ? post(new URL(notify), body, { proxy, limit }) : run(notify, body, limit)
    await sending.catch((error: unknown) => {
      throw limit.aborted ? new Error(`no answer within ${LIMIT_MS / 1_000} s`) : error
    })
  }
}

async function run (program: string, body: string, signal: AbortSignal): Promise<void> {
  const env = childEnvironment(process.env)
  const child = spawn(program, [], { env, stdio: ['pipe', 'ignore', 'ignore'], signal, killSignal: 'SIGKILL' })
  // Whoever does not read it may still have done its work.
  child.stdin.on('error', () => {})
  child.stdin.end(body + '\n')
  const [code, killedBy] = await once(child, 'exit') as [number | null, string | null]
  if (code !== 0) throw new Error(`the program ended with ${killedBy ?? `code ${code}`}`)
}

async function post (url: URL, body: string, { proxy, limit }: { proxy: string | undefined, limit: AbortSignal }): Promise<void> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const socket = await new OutboundProxy(proxy).open({ host, port: Number(url.port || HTTPS) }, limit)
  try {
    const secure = connect({ socket, ...(isIP(host) === 0 ? { servername: host } : { host }) })
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const asked = request(url, { method: 'POST', headers, signal: limit, createConnection: () => secure })
    asked.end(body)
    const [response] = await once(asked, 'response') as [{ statusCode: number, resume: () => void }]
    response.resume()
    if (response.statusCode < 200 || response.statusCode > 299) throw new Error(`${host} answered ${response.statusCode}`)
  } finally {
    socket.destroy()
  }
}
