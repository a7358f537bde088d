import { fromString } from 'uint8arrays/from-string'
import { toString } from 'uint8arrays/to-string'
import { ProtocolError } from '../../errors.ts'
import { checkLength, decoded } from '../shared/decode.ts'
import * as wire from './pb/exchange.ts'
import type { Codec, Offer, Terms } from './port.ts'

/** Cap of every frame that is not a chunk. */
export const MAX_MESSAGE_BYTES = 512
export const ID_BYTES = 16
const HASH_BYTES = 32

/** Why an offer was declined. */
export type RefusalReason = Exclude<`${wire.Verdict}`, 'ACCEPTED'>

export type Answer =
  | { readonly accepted: Terms, readonly codec: Codec }
  | { readonly refused: RefusalReason, readonly retryAfterMs: number, readonly round?: number }

/** In the order of their bits. */
const CODECS: readonly (readonly [Codec, wire.VectorCodec])[] = [
  ['f32', wire.VectorCodec.F32],
  ['f16', wire.VectorCodec.F16],
  ['q8', wire.VectorCodec.Q8],
  ['q16', wire.VectorCodec.Q16],
  ['q6', wire.VectorCodec.Q6]
]

function checkId (name: string, actual: Uint8Array, expected: string): void {
  checkLength(`the exchange id in ${name}`, actual, ID_BYTES)
  if (hex(actual) !== expected) throw new ProtocolError(`${name} belongs to another exchange`)
}

function hex (bytes: Uint8Array): string {
  return toString(bytes, 'base16')
}

function bytesOf (text: string): Uint8Array<ArrayBuffer> {
  return fromString(text, 'base16').slice()
}

function toWire (codec: string): wire.VectorCodec {
  return CODECS.find(([name]) => name === codec)?.[1] ?? wire.VectorCodec.F32
}

function fromWire (codec: wire.VectorCodec): Codec {
  return CODECS.find(([, code]) => code === codec)![0]
}

/** What software of 0.1.0 could not decode as a wish: the next finer one is said, and the bit says the rest. */
const LATER: Readonly<Record<string, Codec>> = { q6: 'q8' }

export function encodeOffer (offer: Offer): Uint8Array {
  const { exchangeId, round, mass, clipRadius, steps, reads = false, scope = '', schemaHash, codecs, want } = offer
  const said = codecs.filter((name) => LATER[name] == null || name === want)
  const bits = CODECS.reduce((set, [name], bit) => set | Number(said.includes(name)) << bit, 0)
  return wire.Offer.encode({
    exchangeId: bytesOf(exchangeId),
    schemaHash: bytesOf(schemaHash),
    round,
    mass,
    clipRadius,
    ...stated({ steps }),
    reads,
    scope: bytesOf(scope),
    codecs: bits,
    want: toWire(LATER[want] ?? want)
  })
}

/** ProtocolError unless it can be decoded and has an id and a schema hash; the numbers are the averager's to judge. */
export function decodeOffer (bytes: Uint8Array): Offer {
  const { exchangeId, schemaHash, round, mass, clipRadius, steps, reads, scope, codecs, want } = decoded(
    'the offer',
    (input) => wire.Offer.decode(input),
    bytes
  )
  checkLength('the exchange id in the offer', exchangeId, ID_BYTES)
  checkLength('the schema hash in the offer', schemaHash, HASH_BYTES)
  const can = CODECS.filter((_, bit) => (codecs >>> bit & 1) === 1).map(([name]) => name)
  const terms = { round, mass, clipRadius, ...stated({ steps }), ...(reads ? { reads } : {}), ...scopeOf('offer', scope) }
  return { exchangeId: hex(exchangeId), schemaHash: hex(schemaHash), ...terms, codecs: can, want: wishOf(fromWire(want), can) }
}

function wishOf (said: Codec, can: readonly Codec[]): Codec {
  return can.find((name) => LATER[name] === said) ?? said
}

/** Undefined where none is said. */
function scopeOf (frame: string, bytes: Uint8Array): { readonly scope?: string } {
  if (bytes.length > HASH_BYTES) throw new ProtocolError(`the scope in the ${frame} has ${bytes.length} bytes; the most is ${HASH_BYTES}`)
  return bytes.length === 0 ? {} : { scope: hex(bytes) }
}

/** Said only where it is known. */
function stated ({ steps }: Pick<Terms, 'steps'>): { readonly steps?: number } {
  return steps == null ? {} : { steps }
}

export function encodeAnswer (exchangeId: string, answer: Answer): Uint8Array {
  const none = { round: 0, mass: 0, clipRadius: 0, steps: undefined, scope: undefined }
  const { steps, scope = '', ...terms } = 'accepted' in answer ? answer.accepted : none
  return wire.Answer.encode({
    exchangeId: bytesOf(exchangeId),
    verdict: 'accepted' in answer ? wire.Verdict.ACCEPTED : answer.refused as wire.Verdict,
    codec: 'accepted' in answer ? toWire(answer.codec) : wire.VectorCodec.F32,
    ...terms,
    ...stated({ steps }),
    scope: bytesOf(scope),
    retryAfterMs: 'accepted' in answer ? 0 : Math.ceil(answer.retryAfterMs),
    ...('accepted' in answer || answer.round == null ? {} : { atRound: answer.round })
  })
}

/** ProtocolError unless it answers this offer with one of its codecs. */
export function decodeAnswer (bytes: Uint8Array, { exchangeId, codecs }: Pick<Offer, 'exchangeId' | 'codecs'>): Answer {
  const { exchangeId: id, verdict, round, mass, clipRadius, steps, retryAfterMs, codec, atRound, scope } = decoded(
    'the answer',
    (input) => wire.Answer.decode(input),
    bytes
  )
  checkId('the answer', id, exchangeId)
  if (verdict !== wire.Verdict.ACCEPTED) return { refused: verdict, retryAfterMs, ...(atRound == null ? {} : { round: atRound }) }
  if (!codecs.includes(fromWire(codec))) throw new ProtocolError(`the answer chooses the codec ${fromWire(codec)}, which was not offered`)
  return { accepted: { round, mass, clipRadius, ...stated({ steps }), ...scopeOf('answer', scope) }, codec: fromWire(codec) }
}

export function encodeTrailer (digest: Uint8Array): Uint8Array {
  return wire.Trailer.encode({ digest: digest.slice() })
}

/** ProtocolError unless it carries this very digest. */
export function checkTrailer (bytes: Uint8Array, digest: Uint8Array): void {
  const trailer = decoded('the trailer', (input) => wire.Trailer.decode(input), bytes)
  checkLength('the digest in the trailer', trailer.digest, HASH_BYTES)
  if (trailer.digest.some((byte, index) => byte !== digest[index])) {
    throw new ProtocolError('the digest does not match the numbers that came')
  }
}

export function encodeCommit (exchangeId: string): Uint8Array {
  return wire.Commit.encode({ exchangeId: bytesOf(exchangeId) })
}

export function checkCommit (bytes: Uint8Array, exchangeId: string): void {
  checkId('Commit', decoded('Commit', (input) => wire.Commit.decode(input), bytes).exchangeId, exchangeId)
}

export function encodeCommitted (exchangeId: string): Uint8Array {
  return wire.Committed.encode({ exchangeId: bytesOf(exchangeId) })
}

export function checkCommitted (bytes: Uint8Array, exchangeId: string): void {
  checkId('Committed', decoded('Committed', (input) => wire.Committed.decode(input), bytes).exchangeId, exchangeId)
}

export function encodeSettled (exchangeId: string): Uint8Array {
  return wire.Settled.encode({ exchangeId: bytesOf(exchangeId) })
}

export function checkSettled (bytes: Uint8Array, exchangeId: string): void {
  checkId('Settled', decoded('Settled', (input) => wire.Settled.decode(input), bytes).exchangeId, exchangeId)
}
