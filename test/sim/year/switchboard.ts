import type { Connection, PeerId, Stream, StreamHandler } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { streamPair } from '../stream-pair.ts'

type Handle = (stream: Stream, connection: Connection) => void | Promise<void>

/** Asked about each message of a protocol: whether it arrives. */
export type Arrives = (protocol: string) => boolean

/** One end of a connection between two processes, with as much of libp2p's Connection as the services use. */
class Line extends EventTarget {
  readonly id: string
  readonly remotePeer: PeerId
  readonly direction: 'inbound' | 'outbound'
  readonly remoteAddr: Multiaddr = multiaddr('/ip4/127.0.0.1/tcp/4001')
  status = 'open'
  other!: Line
  readonly #to: Plug
  readonly #arrives: Arrives
  readonly #streams = new Set<Stream>()

  constructor (id: string, to: Plug, direction: 'inbound' | 'outbound', arrives: Arrives) {
    super()
    this.id = id
    this.remotePeer = to.peerId
    this.direction = direction
    this.#to = to
    this.#arrives = arrives
  }

  async newStream (protocols: string | string[]): Promise<Stream> {
    const [protocol = ''] = [protocols].flat()
    const handler = this.#to.handlers.get(protocol)
    await Promise.resolve()
    if (this.status !== 'open') throw new Error('the connection is closed')
    if (handler == null) throw Object.assign(new Error(`nobody speaks ${protocol} there`), { name: 'UnsupportedProtocolError' })
    const arrives = (): boolean => this.#arrives(protocol)
    const [mine, theirs] = streamPair([arrives, arrives])
    this.#streams.add(mine)
    mine.addEventListener('close', () => { this.#streams.delete(mine) })
    const served = async (): Promise<void> => { await handler(theirs, this.other as unknown as Connection) }
    queueMicrotask(() => { served().catch((error: unknown) => { theirs.abort(error as Error) }) })
    return mine
  }

  async close (): Promise<void> {
    this.abort()
    await Promise.resolve()
  }

  abort (): void {
    for (const end of [this, this.other]) end.#end()
  }

  #end (): void {
    if (this.status !== 'open') return
    this.status = 'closed'
    for (const stream of this.#streams) stream.abort(new Error('the connection ended'))
    this.dispatchEvent(new Event('close'))
    this.other.#to.closed(this)
  }
}

/** One running process on the switchboard: what libp2p's parts look like to its services. */
export class Plug extends EventTarget {
  readonly peerId: PeerId
  readonly handlers = new Map<string, Handle>()
  readonly lines = new Set<Line>()

  constructor (peerId: PeerId) {
    super()
    this.peerId = peerId
  }

  readonly registrar = {
    handle: async (protocol: string, handler: StreamHandler) => { await Promise.resolve(this.handlers.set(protocol, handler)) },
    unhandle: async (protocol: string) => { await Promise.resolve(this.handlers.delete(protocol)) }
  }

  readonly connectionManager = {
    getConnections: () => [...this.lines] as unknown as Connection[],
    openConnection: async (peer: PeerId) => await Promise.resolve(this.#lineTo(peer) as unknown as Connection),
    openStream: async (peer: PeerId, protocol: string) => await this.#lineTo(peer).newStream(protocol)
  }

  getConnections (): Connection[] {
    return this.connectionManager.getConnections()
  }

  opened (line: Line): void {
    this.lines.add(line)
    this.dispatchEvent(new CustomEvent('connection:open', { detail: line }))
  }

  closed (line: Line): void {
    this.lines.delete(line)
    this.dispatchEvent(new CustomEvent('connection:close', { detail: line }))
  }

  /** As a process that ends. */
  pull (): void {
    for (const line of this.lines) line.abort()
  }

  #lineTo (peer: PeerId): Line {
    const line = [...this.lines].findLast(({ remotePeer, status }) => status === 'open' && remotePeer.equals(peer))
    if (line == null) throw new Error('there is no connection')
    return line
  }
}

/** Connects processes in memory, in place of sockets, Noise, DHT and relays. */
export class Switchboard {
  arrives: Arrives = () => true
  #lines = 0

  /** Both ends, the first of them outbound; the same connection where there is one. */
  connect (from: Plug, to: Plug): Connection {
    const open = [...from.lines].find(({ remotePeer }) => remotePeer.equals(to.peerId))
    if (open != null) return open as unknown as Connection
    const arrives: Arrives = (protocol) => this.arrives(protocol)
    const id = `line-${++this.#lines}`
    const [one, other] = [new Line(id, to, 'outbound', arrives), new Line(id, from, 'inbound', arrives)]
    one.other = other
    other.other = one
    to.opened(other)
    from.opened(one)
    return one as unknown as Connection
  }
}
