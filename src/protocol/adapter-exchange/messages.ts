import { fromString } from 'uint8arrays/from-string'
import { toString } from 'uint8arrays/to-string'
import { ProtocolError } from '../../errors.ts'
import * as wire from './pb/exchange.ts'
import type { Offer, Terms } from './port.ts'

/** Cap of every frame that is not a chunk. */
export const MAX_MESSAGE_BYTES = 512
export const ID_BYTES = 16
const HASH_BYTES = 32

/** Why an offer was declined. */
export type Reason = Exclude<`${wire.Verdict}`, 'ACCEPTED'>

export type Answer = { readonly accepted: Terms } | { readonly refused: Reason, readonly retryAfterMs: number }

function parse<T> (name: string, decode: (bytes: Uint8Array) => T, bytes: Uint8Array): T {
  try {
    return decode(bytes)
  } catch {
    throw new ProtocolError(`${name} cannot be decoded`)
  }
}

function checkBytes (name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new ProtocolError(`${name} has ${bytes.length} bytes, not ${length}`)
}

function checkId (name: string, actual: Uint8Array, expected: Uint8Array): void {
  checkBytes(`the exchange id in ${name}`, actual, ID_BYTES)
  if (actual.some((byte, index) => byte !== expected[index])) throw new ProtocolError(`${name} belongs to another exchange`)
}

export function encodeOffer (exchangeId: Uint8Array, { round, mass, clipRadius, schemaHash }: Offer): Uint8Array {
  return wire.Offer.encode({ exchangeId: exchangeId.slice(), schemaHash: fromString(schemaHash, 'base16').slice(), round, mass, clipRadius, codecs: 1 })
}

/** ProtocolError unless it can be decoded and has an id and a schema hash; the numbers are the averager's to judge. */
export function decodeOffer (bytes: Uint8Array): { exchangeId: Uint8Array, offer: Offer } {
  const { exchangeId, schemaHash, round, mass, clipRadius, codecs } = parse('the offer', (input) => wire.Offer.decode(input), bytes)
  checkBytes('the exchange id in the offer', exchangeId, ID_BYTES)
  checkBytes('the schema hash in the offer', schemaHash, HASH_BYTES)
  return { exchangeId, offer: { schemaHash: toString(schemaHash, 'base16'), round, mass, clipRadius, codecs: (codecs & 1) === 1 ? ['f32'] : [] } }
}

export function encodeAnswer (exchangeId: Uint8Array, answer: Answer): Uint8Array {
  const terms = 'accepted' in answer ? answer.accepted : { round: 0, mass: 0, clipRadius: 0 }
  return wire.Answer.encode({
    exchangeId: exchangeId.slice(),
    verdict: 'accepted' in answer ? wire.Verdict.ACCEPTED : answer.refused as wire.Verdict,
    codec: wire.VectorCodec.F32,
    ...terms,
    retryAfterMs: 'accepted' in answer ? 0 : Math.ceil(answer.retryAfterMs)
  })
}

export function decodeAnswer (bytes: Uint8Array, exchangeId: Uint8Array): Answer {
  const { exchangeId: id, verdict, round, mass, clipRadius, retryAfterMs } = parse('the answer', (input) => wire.Answer.decode(input), bytes)
  checkId('the answer', id, exchangeId)
  return verdict === wire.Verdict.ACCEPTED ? { accepted: { round, mass, clipRadius } } : { refused: verdict, retryAfterMs }
}

export function encodeTrailer (digest: Uint8Array): Uint8Array {
  return wire.Trailer.encode({ digest: digest.slice() })
}

/** ProtocolError unless it carries this very digest. */
export function checkTrailer (bytes: Uint8Array, digest: Uint8Array): void {
  const trailer = parse('the trailer', (input) => wire.Trailer.decode(input), bytes)
  checkBytes('the digest in the trailer', trailer.digest, HASH_BYTES)
  if (trailer.digest.some((byte, index) => byte !== digest[index])) throw new ProtocolError('the digest does not match the numbers that came')
}

export function encodeCommit (exchangeId: Uint8Array): Uint8Array {
  return wire.Commit.encode({ exchangeId: exchangeId.slice() })
}

export function checkCommit (bytes: Uint8Array, exchangeId: Uint8Array): void {
  checkId('Commit', parse('Commit', (input) => wire.Commit.decode(input), bytes).exchangeId, exchangeId)
}

export function encodeCommitted (exchangeId: Uint8Array): Uint8Array {
  return wire.Committed.encode({ exchangeId: exchangeId.slice() })
}

export function checkCommitted (bytes: Uint8Array, exchangeId: Uint8Array): void {
  checkId('Committed', parse('Committed', (input) => wire.Committed.decode(input), bytes).exchangeId, exchangeId)
}
