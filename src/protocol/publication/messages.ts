import { fromString } from 'uint8arrays/from-string'
import { toString } from 'uint8arrays/to-string'
import { ProtocolError } from '../../errors.ts'
import { checkLength, decoded } from '../shared/decode.ts'
import * as wire from './pb/publication.ts'

/** Cap of every frame but those of numbers. */
export const MAX_PUBLICATION_BYTES = 256
const HASH_BYTES = 32
const MOST_ITEMS = 4
const MAX_ROUND = 1_000_000
const KIND = /^[a-z][a-z-]{1,31}$/

/** What a site shows of one kind. */
export interface Item {
  readonly kind: string
  readonly round: number
  /** SHA-256 of its numbers, hex. */
  readonly digest: string
}

export function encodeAsk (schemaHash: string): Uint8Array {
  return wire.Ask.encode({ schemaHash: fromString(schemaHash, 'base16').slice() })
}

/** The three decoders throw ProtocolError for what no honest site says. */
export function decodeAsk (bytes: Uint8Array): string {
  const { schemaHash } = decoded('the question', (input) => wire.Ask.decode(input), bytes)
  checkLength('the schema hash of the question', schemaHash, HASH_BYTES)
  return toString(schemaHash, 'base16')
}

export function encodeHave (items: readonly Item[]): Uint8Array {
  return wire.Have.encode({
    kinds: items.map(({ kind }) => kind),
    rounds: items.map(({ round }) => round),
    digests: items.map(({ digest }) => fromString(digest, 'base16').slice())
  })
}

export function decodeHave (bytes: Uint8Array): Item[] {
  const { kinds, rounds, digests } = decoded('the list of publications', (input) => wire.Have.decode(input), bytes)
  const counts = new Set([kinds.length, rounds.length, digests.length, new Set(kinds).size])
  if (kinds.length > MOST_ITEMS || counts.size > 1) throw new ProtocolError('a list of publications whose parts do not match')
  return kinds.map((kind, i) => {
    checkLength('the digest of a publication', digests[i]!, HASH_BYTES)
    if (rounds[i]! > MAX_ROUND) throw new ProtocolError('a publication of an impossible round')
    return { kind: checkedKind(kind), round: rounds[i]!, digest: toString(digests[i]!, 'base16') }
  })
}

export function encodeGet (kind: string): Uint8Array {
  return wire.Get.encode({ kind })
}

export function decodeGet (bytes: Uint8Array): string {
  return checkedKind(decoded('the request', (input) => wire.Get.decode(input), bytes).kind)
}

function checkedKind (kind: string): string {
  if (!KIND.test(kind)) throw new ProtocolError('a publication of an impossible kind')
  return kind
}
