import { EventEmitter } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { getProxyForUrl } from 'proxy-from-env'
import { SocksClient } from 'socks'
import { addressClass } from '../../../audit/address-class.ts'
import { messageOf } from '../../../common/message-of.ts'
import { unlessAborted } from '../../../common/unless-aborted.ts'
import { UnreachableError } from '../../../errors.ts'

export interface Target {
  /** Name or address. */
  readonly host: string
  readonly port: number
}

const TIMEOUT_MS = 15_000
const WANTS_PASSWORD = 407

/** Opens sockets through the hospital's proxy, where it has one; no user or password of it enters a message. */
export class OutboundProxy {
  readonly #given: string | undefined

  /** `given`: its URL; what the environment says when missing. */
  constructor (given?: string) {
    this.#given = given
  }

  /**
   * The proxy to this target, if it goes through one: never to this machine; by what the environment says not to private addresses either,
   * since the variables are often there for other programs.
   */
  of ({ host, port }: Target): URL | undefined {
    const reach = isIP(host) === 0 ? 'public' : addressClass(multiaddr(`/ip${isIP(host)}/${host}`))
    if (host === 'localhost' || reach === 'loopback' || (this.#given == null && reach === 'private')) return undefined
    const url = this.#chosen(`https://${isIP(host) === 6 ? `[${host}]` : host}:${port}`)
    return URL.canParse(url) ? new URL(url) : undefined
  }

  /** @throws UnreachableError with the proxy's own reason. */
  async open (target: Target, signal?: AbortSignal): Promise<Socket> {
    const proxy = this.of(target)
    if (proxy == null) return connect(target)
    const limit = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal == null ? [] : [signal])])
    const opening = proxy.protocol.startsWith('socks') ? throughSocks(proxy, target) : throughHttp(proxy, target)
    try {
      return await unlessAborted(opening, limit)
    } catch (error) {
      // Who comes too late is nobody's; who came in time stays, though its time for coming ends.
      opening.then((socket) => { socket.destroy() }, () => {})
      throw limit.aborted ? new UnreachableError(`the proxy ${proxy.host} did not answer in time`) : error
    }
  }

  /** NO_PROXY holds for a proxy that was given, too. */
  #chosen (url: string): string {
    if (this.#given == null) return getProxyForUrl(url)
    const before = process.env['https_proxy']
    process.env['https_proxy'] = this.#given
    try {
      return getProxyForUrl(url)
    } finally {
      if (before == null) delete process.env['https_proxy']
      else process.env['https_proxy'] = before
    }
  }
}

async function throughHttp (proxy: URL, target: Target): Promise<Socket> {
  const bare = new URL(proxy.href)
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  Object.assign(bare, { username: '', password: '' })
  const headers = user === ':' ? {} : { 'Proxy-Authorization': `Basic ${Buffer.from(user).toString('base64')}` }
  const request = new EventEmitter()
  let status = 0
  request.on('proxyConnect', ({ statusCode }: { statusCode: number }) => { status = statusCode })
  const agent = new HttpsProxyAgent(bare, { headers })
  const socket = await agent.connect(request as never, { ...target, secureEndpoint: false }).catch((error: unknown) => {
    throw new UnreachableError(`the proxy ${proxy.host} cannot be reached: ${messageOf(error)}`)
  })
  if (status === 200) return socket
  socket.destroy()
  throw new UnreachableError(
    status === WANTS_PASSWORD
      ? `the proxy ${proxy.host} wants another user and password (407)`
      : `the proxy ${proxy.host} does not connect to ${target.host}:${target.port} (${status})`
  )
}

async function throughSocks (proxy: URL, target: Target): Promise<Socket> {
  const { username, password } = proxy
  try {
    const { socket } = await SocksClient.createConnection({
      proxy: {
        host: proxy.hostname.replace(/^\[|\]$/g, ''),
        port: Number(proxy.port || 1_080),
        type: proxy.protocol.startsWith('socks4') ? 4 : 5,
        ...(username === '' ? {} : { userId: decodeURIComponent(username), password: decodeURIComponent(password) })
      },
      destination: target,
      command: 'connect',
      timeout: TIMEOUT_MS
    })
    return socket
  } catch (error) {
    throw new UnreachableError(`the proxy ${proxy.host} does not connect to ${target.host}:${target.port}: ${messageOf(error)}`)
  }
}
