/** What an exchange is held against: the same bytes over one stream with nothing else around it. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

const PROTOCOL = '/bench/swap'
const CHUNK = new Uint8Array(262_144)
const HIGH_WATER = 524_288

async function bareNode (listen: readonly string[]) {
  return await createLibp2p({
    addresses: { listen: [...listen] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false }
  })
}

let dialler: ReturnType<typeof bareNode> | undefined

/** Returns the address to swap with. */
export async function listenLibp2p (bytes: number): Promise<string> {
  const node = await bareNode(['/ip4/127.0.0.1/tcp/0'])
  await node.handle(PROTOCOL, async (stream) => { await swapStream(stream, bytes) })
  return node.getMultiaddrs()[0]!.toString()
}

export async function swapLibp2p (address: string, bytes: number): Promise<void> {
  dialler ??= bareNode([])
  const stream = await (await dialler).dialProtocol(multiaddr(address), PROTOCOL)
  await swapStream(stream, bytes)
}

/** Resolves when little is left to send; libp2p's onDrain does not after its first use. */
async function room (stream: Stream): Promise<void> {
  while (stream.writeBufferLength > HIGH_WATER) {
    await new Promise<void>((resolve) => {
      for (const event of ['drain', 'idle', 'close'] as const) {
        stream.addEventListener(event, () => {
          queueMicrotask(resolve)
        }, { once: true })
      }
    })
  }
}

async function swapStream (stream: Stream, bytes: number): Promise<void> {
  let left = bytes
  const received = new Promise<void>((resolve, reject) => {
    stream.addEventListener('message', ({ data }) => {
      left -= data.byteLength
      if (left <= 0) resolve()
    })
    stream.addEventListener('close', ({ error }) => { if (left > 0) reject(error ?? new Error('the stream ended early')) })
  })
  await Promise.all([received, (async () => {
    for (let sent = 0; sent < bytes; sent += CHUNK.length) {
      stream.send(CHUNK.subarray(0, Math.min(CHUNK.length, bytes - sent)))
      if (stream.writeBufferLength > HIGH_WATER) await room(stream)
    }
  })()])
  await stream.close()
}

export async function listenTcp (bytes: number): Promise<string> {
  const server = createServer((socket) => { swapSocket(socket, bytes).catch(() => { socket.destroy() }) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return String((server.address() as AddressInfo).port)
}

export async function swapTcp (port: string, bytes: number): Promise<void> {
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  await swapSocket(socket, bytes)
}

async function swapSocket (socket: Socket, bytes: number): Promise<void> {
  let left = bytes
  const received = new Promise<void>((resolve, reject) => {
    socket.on('data', ({ length }) => {
      left -= length
      if (left <= 0) resolve()
    })
    socket.on('close', () => { if (left > 0) reject(new Error('the socket ended early')) })
    socket.on('error', reject)
  })
  await Promise.all([
    received,
    (async () => {
      for (let sent = 0; sent < bytes; sent += CHUNK.length) {
        if (!socket.write(CHUNK.subarray(0, Math.min(CHUNK.length, bytes - sent)))) await once(socket, 'drain')
      }
    })()
  ])
  socket.end()
}
