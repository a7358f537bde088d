import { fromString } from 'uint8arrays/from-string'
import { toString } from 'uint8arrays/to-string'
import { ProtocolError } from '../../errors.ts'
import { decoded } from '../shared/decode.ts'
import * as wire from './pb/outcome.ts'

/** Cap of every frame. */
export const MAX_OUTCOME_BYTES = 64
const ID_BYTES = 16

export type Decision = 'committed' | 'aborted'

export interface Reply {
  readonly verdict: Decision
  readonly latest: string | undefined
}

/** 32 hex digits, or undefined for none. */
function idOf (name: string, bytes: Uint8Array): string | undefined {
  if (bytes.length !== 0 && bytes.length !== ID_BYTES) {
    throw new ProtocolError(`the exchange id in ${name} has ${bytes.length} bytes, not ${ID_BYTES}`)
  }
  return bytes.length === 0 ? undefined : toString(bytes, 'base16')
}

function bytesOf (id: string | undefined): Uint8Array<ArrayBuffer> {
  return id == null ? new Uint8Array(0) : fromString(id, 'base16').slice()
}

export function encodeQuery (exchangeId: string | undefined): Uint8Array {
  return wire.Query.encode({ exchangeId: bytesOf(exchangeId) })
}

/** The three decoders throw ProtocolError for what cannot be decoded or has ids of another length. */
export function decodeQuery (bytes: Uint8Array): string | undefined {
  return idOf('the query', decoded('the query', (input) => wire.Query.decode(input), bytes).exchangeId)
}

export function encodeReply ({ verdict, latest }: Reply): Uint8Array {
  return wire.Reply.encode({ verdict: verdict === 'committed' ? wire.Verdict.COMMITTED : wire.Verdict.ABORTED, latest: bytesOf(latest) })
}

export function decodeReply (bytes: Uint8Array): Reply {
  const { verdict, latest } = decoded('the reply', (input) => wire.Reply.decode(input), bytes)
  return { verdict: verdict === wire.Verdict.COMMITTED ? 'committed' : 'aborted', latest: idOf('the reply', latest) }
}

export function encodeAcknowledgement (exchangeId: string | undefined): Uint8Array {
  return wire.Acknowledgement.encode({ exchangeId: bytesOf(exchangeId) })
}

export function decodeAcknowledgement (bytes: Uint8Array): string | undefined {
  return idOf('the acknowledgement', decoded('the acknowledgement', (input) => wire.Acknowledgement.decode(input), bytes).exchangeId)
}
