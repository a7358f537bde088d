import { createHash } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { BLOCK } from '../../../src/gossip-aggregation/codecs/codec-blocks.ts'
import { chunksOf, coderOf, type Codec } from '../../../src/gossip-aggregation/codecs/codec.ts'
import {
  decodeOffer,
  encodeAnswer,
  encodeCommit,
  encodeCommitted,
  encodeOffer,
  encodeSettled,
  encodeTrailer,
  MAX_MESSAGE_BYTES
} from '../../../src/protocol/adapter-exchange/messages.ts'
import type { Offer } from '../../../src/protocol/adapter-exchange/port.ts'
import { encodeAcknowledgement, encodeQuery, encodeReply } from '../../../src/protocol/outcome/messages.ts'
import { FrameDecoder } from '../../../src/protocol/shared/frame-decoder.ts'

/** What no vector may be, whatever else is right. */
export const BAD_VECTORS = ['NaN', 'infinite', 'wrong digest', 'wrong length', 'over the bound'] as const
export const ATTACKS = [
  ...BAD_VECTORS,
  'none',
  'random bytes',
  'truncated',
  'oversized',
  'huge length',
  'repeated',
  'missing',
  'swapped',
  'out of order',
  'bit flip',
  'wrong message',
  'end',
  'reset',
  'silence',
  'drip'
] as const
type Attack = typeof ATTACKS[number]

export interface Plan {
  readonly attack: Attack
  /** At which of the peer's frames. */
  readonly at: number
  readonly random: () => number
}

/** Bytes as they are written, one entry per frame; after them the peer ends, resets, or keeps silent. */
interface Script {
  readonly frames: Uint8Array[]
  readonly then: 'end' | 'reset' | 'silence'
  readonly drips: boolean
}

const noise = (length: number, random: () => number): Uint8Array => Uint8Array.from({ length }, () => Math.floor(256 * random()))
const framed = (bytes: Uint8Array): Uint8Array => encode.single(bytes).subarray().slice()

/** How long the peer's vector is, and how it travels. */
export interface Sent {
  readonly size: number
  readonly codec: Codec
}

/** The chunks of a vector, and its trailer. No two chunks are alike. */
function vector ({ size, codec }: Sent, { attack, at, random }: Plan): Uint8Array[] {
  const values = Float32Array.from(
    // In six bits three numbers fewer may fill as many bytes.
    { length: attack === 'wrong length' ? size - 4 : size },
    (_, index) => attack === 'over the bound' ? 1e6 * (1 + index % 2) : 1 + index % 7 / 7 + Math.floor(index / 50_000)
  )
  const chunks = chunksOf(values.length, codec).map(({ begin, end }) => coderOf(codec).encode(values.subarray(begin, end)).slice())
  if (attack === 'NaN' || attack === 'infinite') spoil(chunks[at % chunks.length]!, codec, attack, random)
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  if (attack === 'wrong digest') hash.update('something else')
  return [...chunks, encodeTrailer(hash.digest())]
}

/** Codes that say a number which is none: at any place, or in any block's offset or scale. */
function spoil (chunk: Uint8Array, codec: Codec, attack: 'NaN' | 'infinite', random: () => number): void {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  const below = (limit: number): number => Math.floor(random() * limit)
  const number = attack === 'NaN' ? NaN : Infinity
  if (codec === 'f32') view.setFloat32(4 * below(chunk.length / 4), number, true)
  else if (codec === 'f16') view.setUint16(2 * below(chunk.length / 2), attack === 'NaN' ? 0x7e00 : 0xfc00, true)
  else {
    const blockBytes = coderOf(codec).bytesOf(BLOCK)
    const block = blockBytes * below(Math.ceil(chunk.length / blockBytes))
    // The largest finite scale is as good as none: the block's largest number is infinite with it.
    view.setFloat32(block + 4 * below(2), attack === 'infinite' && random() < 0.5 ? 3.4e38 : number, true)
  }
}

export function initiatorFrames (offer: Offer, sent: Sent, plan: Plan): Uint8Array[] {
  return [encodeOffer(offer), ...vector(sent, plan), encodeCommit(offer.exchangeId), encodeSettled(offer.exchangeId)]
}

function responderFrames ({ exchangeId, round }: Offer, sent: Sent, plan: Plan): Uint8Array[] {
  const accepted = { round, mass: 1, clipRadius: 10 }
  return [encodeAnswer(exchangeId, { accepted, codec: sent.codec }), ...vector(sent, plan), encodeCommitted(exchangeId)]
}

export function questionFrames (exchangeId: string): Uint8Array[] {
  return [encodeQuery(exchangeId), encodeAcknowledgement(exchangeId)]
}

export function replyFrames (): Uint8Array[] {
  return [encodeReply({ verdict: 'committed', latest: '55'.repeat(16) })]
}

/** What is wrong with the frames themselves. */
const TWISTS: Partial<Record<Attack, (frames: Uint8Array[], at: number, random: () => number) => void>> = {
  'random bytes': (frames, at, random) => { frames[at] = noise(1 + Math.floor(400 * random()), random) },
  truncated: (frames, at, random) => { frames[at] = frames[at]!.slice(0, Math.floor(frames[at]!.length * random())) },
  oversized: (frames, at) => { frames[at] = framed(new Uint8Array(MAX_MESSAGE_BYTES + 2_000)) },
  'huge length': (frames, at) => { frames[at] = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f) },
  repeated: (frames, at) => { frames.splice(at, 0, frames[at]!) },
  missing: (frames, at) => { frames.splice(at, 1) },
  swapped: (frames, at) => { frames.splice(at, 2, ...frames.slice(at, at + 2).reverse()) },
  'out of order': (frames, at) => { frames.push(...frames.splice(at, 1)) },
  'bit flip': (frames, at, random) => { frames[at]![Math.floor(frames[at]!.length * random())]! ^= 1 << Math.floor(8 * random()) },
  'wrong message': (frames, at) => { frames[at] = framed(encodeCommit('99'.repeat(16))) }
}

function scriptOf (messages: Uint8Array[], { attack, at, random }: Plan): Script {
  const frames = messages.map(framed)
  const place = at % frames.length
  TWISTS[attack]?.(frames, place, random)
  const stops = attack === 'end' || attack === 'reset' || attack === 'silence'
  return {
    frames: stops || attack === 'truncated' ? frames.slice(0, place + Number(!stops)) : frames,
    then: stops ? attack : 'end',
    drips: attack === 'drip'
  }
}

/** Plays the initiator, or either side of a question: it knows what to say from the start. */
export async function speak (stream: Stream, messages: Uint8Array[], plan: Plan): Promise<void> {
  const { frames, then, drips } = scriptOf(messages, plan)
  try {
    for (const bytes of frames) {
      if (!drips) stream.send(bytes)
      else for (const byte of bytes) await drip(stream, byte)
      await new Promise(setImmediate)
    }
    if (then === 'end') await stream.close()
    if (then === 'reset') stream.abort(new Error('reset by the peer'))
  } catch {
    // The victim ended it.
  }
}

/** Plays the responder: answers the victim's offer. */
export async function answer (stream: Stream, sent: Sent, plan: Plan): Promise<void> {
  const decoder = new FrameDecoder()
  const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>()
  stream.addEventListener('message', ({ data }) => {
    if (data instanceof Uint8Array) decoder.push(data)
    else for (const piece of data) decoder.push(piece)
    resolve(decoder.next(2 ** 18))
  }, { once: true })
  stream.addEventListener('close', () => { resolve(undefined) })
  const first = await promise
  if (first != null) await speak(stream, responderFrames(decodeOffer(first), sent, plan), plan)
}

async function drip (stream: Stream, byte: number): Promise<void> {
  stream.send(Uint8Array.of(byte))
  await new Promise((resolve) => { setTimeout(resolve, 1) })
}
