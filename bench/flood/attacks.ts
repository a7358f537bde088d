import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Connection, Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { encodeOffer } from '../../src/protocol/adapter-exchange/messages.ts'

/** What the attacks know: a member knows the federation and may have looked up the schema. */
export interface Target {
  readonly federationId: string
  readonly schemaHash: string
  /** The victim's present round, or a plausible one. */
  readonly round: number
  readonly connection: () => Connection | undefined
  readonly signal: AbortSignal
}

const HOLD_MS = 15_000
const OPEN_MS = 2_000
const KIB = 1_024
const MOST_WAITING = 256 * KIB
/** Frames between two turns of the event loop. */
const BURST = 64

type Act = (stream: Stream) => Promise<void>

export interface Attack {
  readonly name: string
  readonly workers: number
  /** Does it once; throws when it was cut off. */
  run (target: Target): Promise<void>
}

function frame (bytes: Uint8Array): Uint8Array {
  return encode.single(bytes).subarray()
}

/** Sends until the other side stops taking, then waits until it does. */
async function send (stream: Stream, bytes: Uint8Array): Promise<void> {
  while (stream.status === 'open' && stream.writeBufferLength > MOST_WAITING) await sleep(1)
  stream.send(bytes)
}

function onStream (name: string, workers: number, protocol: (target: Target) => string, act: (target: Target) => Act): Attack {
  return {
    name,
    workers,
    run: async (target) => {
      const connection = target.connection()
      if (connection == null) throw new Error('not connected')
      const stream = await connection.newStream(protocol(target), { signal: AbortSignal.timeout(OPEN_MS), maxOutboundStreams: 1_000 })
      try {
        await act(target)(stream)
      } finally {
        stream.abort(new Error('next'))
      }
    }
  }
}

const own = (name: string) => ({ federationId }: Target): string => `/consilium/${federationId}/${name}`

async function repeat (target: Target, stream: Stream, bytes: () => Uint8Array): Promise<void> {
  while (!target.signal.aborted && stream.status === 'open') {
    for (let i = 0; i < BURST; i++) await send(stream, bytes())
    await new Promise((resolve) => { setImmediate(resolve) })
  }
}

/** Kademlia, protobuf by hand: FIND_NODE (4) of a random key; ADD_PROVIDER (2) for a random one. */
function dhtMessage (type: number): Uint8Array {
  const key = type === 2 ? Buffer.concat([Buffer.from([0x01, 0x55, 0x12, 0x20]), randomBytes(32)]) : randomBytes(32)
  return frame(Buffer.concat([Buffer.from([0x08, type, 0x12, key.length]), key]))
}

const SMALL = randomBytes(32)
const BIG = randomBytes(60 * KIB)

/** Every protocol that a member may speak, as hard as it can. */
export const ATTACKS: readonly Attack[] = [
  onStream('offers, then silence', 4, own('adapter-exchange/1.0.0'), ({ schemaHash, round, signal }) => async (stream) => {
    const offer = { exchangeId: randomBytes(16).toString('hex'), schemaHash, round, mass: 10, clipRadius: 1, codecs: ['f32'], want: 'f32' }
    await send(stream, frame(encodeOffer(offer)))
    const until = Date.now() + HOLD_MS
    // Refused: the next at once. Accepted: it keeps the victim's one exchange waiting.
    while (stream.status === 'open' && stream.remoteWriteStatus === 'writable' && Date.now() < until && !signal.aborted) await sleep(2)
  }),
  onStream('nonsense as offers', 2, own('adapter-exchange/1.0.0'), () => async (stream) => { await send(stream, frame(randomBytes(100))) }),
  onStream('questions about exchanges that never were', 2, own('outcome/1.0.0'), () => async (stream) => {
    await send(stream, frame(Buffer.concat([Buffer.from([0x0a, 16]), randomBytes(16)])))
    await sleep(1)
  }),
  onStream('nonsense on membership', 2, own('membership/1.0.0'), () => async (stream) => {
    await send(stream, frame(randomBytes(1_000)))
  }),
  onStream('lookups in the DHT', 2, own('kad/1.0.0'), (target) => async (stream) => {
    await repeat(target, stream, () => dhtMessage(4))
  }),
  onStream('records for the DHT', 2, own('kad/1.0.0'), (target) => async (stream) => {
    await repeat(target, stream, () => dhtMessage(2))
  }),
  onStream('nonsense as gossip', 1, () => '/meshsub/1.2.0', (target) => async (stream) => {
    await repeat(target, stream, () => frame(BIG))
  }),
  onStream('pings', 2, () => '/ipfs/ping/1.0.0', (target) => async (stream) => {
    await repeat(target, stream, () => SMALL)
  }),
  onStream('identify again and again', 2, () => '/ipfs/id/1.0.0', () => async () => {}),
  onStream('protocols that nobody speaks', 2, () => '/nobody/1.0.0', () => async () => {}),
  onStream('half a frame, never finished', 4, own('adapter-exchange/1.0.0'), ({ signal }) => async (stream) => {
    await send(stream, Buffer.from([0x80, 0x02]))
    while (stream.status === 'open' && !signal.aborted) await sleep(20)
  })
]
