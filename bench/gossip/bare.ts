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

async function bareNode (listen: readonly string[]) {
  return await createLibp2p({ addresses: { listen: [...listen] }, transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()], connectionMonitor: { enabled: false } })
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
    for (let sent = 0; sent < bytes; sent += CHUNK.length) if (!stream.send(CHUNK.subarray(0, Math.min(CHUNK.length, bytes - sent)))) await stream.onDrain()
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
  await Promise.all([received, (async () => {
    for (let sent = 0; sent < bytes; sent += CHUNK.length) if (!socket.write(CHUNK.subarray(0, Math.min(CHUNK.length, bytes - sent)))) await once(socket, 'drain')
  })()])
  socket.end()
}
