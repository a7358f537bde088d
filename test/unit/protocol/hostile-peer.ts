import { createHash } from 'node:crypto'
import type { Stream } from '@libp2p/interface'
import { encode } from 'it-length-prefixed'
import { decodeOffer, encodeAnswer, encodeCommit, encodeCommitted, encodeOffer, encodeSettled, encodeTrailer, MAX_MESSAGE_BYTES } from '../../../src/protocol/adapter-exchange/messages.ts'
import type { Offer } from '../../../src/protocol/adapter-exchange/port.ts'
import { encodeAcknowledgement, encodeQuery, encodeReply } from '../../../src/protocol/outcome/messages.ts'
import { FrameDecoder } from '../../../src/protocol/shared/frame-decoder.ts'

export const ATTACKS = ['random bytes', 'truncated', 'oversized', 'huge length', 'repeated', 'out of order', 'bit flip', 'NaN', 'wrong digest', 'wrong length', 'over the bound', 'wrong message', 'end', 'reset', 'silence', 'drip'] as const
export type Attack = typeof ATTACKS[number]

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

/** The chunk of a small vector, and its trailer. */
function vector (values: Float32Array, digestOf = values): Uint8Array[] {
  const chunk = new Uint8Array(values.slice().buffer)
  return [chunk, encodeTrailer(createHash('sha256').update(new Uint8Array(digestOf.slice().buffer)).digest())]
}

function numbers (size: number, attack: Attack): Uint8Array[] {
  const values = new Float32Array(size).fill(2)
  if (attack === 'NaN') values[size - 1] = NaN
  if (attack === 'over the bound') values.fill(1e9)
  if (attack === 'wrong length') return vector(values.subarray(1))
  return attack === 'wrong digest' ? vector(values, values.map((value) => value + 1)) : vector(values)
}

export function initiatorFrames (offer: Offer, size: number, attack: Attack): Uint8Array[] {
  return [encodeOffer(offer), ...numbers(size, attack), encodeCommit(offer.exchangeId), encodeSettled(offer.exchangeId)]
}

function responderFrames ({ exchangeId, round }: Offer, size: number, attack: Attack): Uint8Array[] {
  const accepted = { round, mass: 1, clipRadius: 10 }
  return [encodeAnswer(exchangeId, { accepted, codec: 'f32' }), ...numbers(size, attack), encodeCommitted(exchangeId)]
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
  'out of order': (frames, at) => { frames.push(...frames.splice(at, 1)) },
  'bit flip': (frames, at, random) => { frames[at]![Math.floor(frames[at]!.length * random())]! ^= 1 << Math.floor(8 * random()) },
  'wrong message': (frames, at) => { frames[at] = framed(encodeCommit('99'.repeat(16))) }
}

function scriptOf (messages: Uint8Array[], { attack, at, random }: Plan): Script {
  const frames = messages.map(framed)
  const place = at % frames.length
  TWISTS[attack]?.(frames, place, random)
  const stops = attack === 'end' || attack === 'reset' || attack === 'silence'
  return { frames: stops || attack === 'truncated' ? frames.slice(0, place + Number(!stops)) : frames, then: stops ? attack : 'end', drips: attack === 'drip' }
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
export async function answer (stream: Stream, size: number, plan: Plan): Promise<void> {
  const decoder = new FrameDecoder()
  const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>()
  stream.addEventListener('message', ({ data }) => {
    if (data instanceof Uint8Array) decoder.push(data)
    else for (const piece of data) decoder.push(piece)
    resolve(decoder.next(2 ** 18))
  }, { once: true })
  stream.addEventListener('close', () => { resolve(undefined) })
  const first = await promise
  if (first != null) await speak(stream, responderFrames(decodeOffer(first), size, plan.attack), plan)
}

async function drip (stream: Stream, byte: number): Promise<void> {
  stream.send(Uint8Array.of(byte))
  await new Promise((resolve) => { setTimeout(resolve, 1) })
}
