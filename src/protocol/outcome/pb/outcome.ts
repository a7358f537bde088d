import { decodeMessage, encodeMessage, enumeration, message, streamMessage } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import type { Codec, DecodeOptions } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

export interface Query {
  exchangeId: Uint8Array<ArrayBuffer>
}

export namespace Query {
  let _codec: Codec<Query>

  export const codec = (): Codec<Query> => {
    if (_codec == null) {
      _codec = message<Query>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.exchangeId != null && obj.exchangeId.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.exchangeId)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          exchangeId: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.exchangeId = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.exchangeId`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface QueryExchangeIdFieldEvent {
    field: '$.exchangeId'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Query>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Query.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Query>): Query {
    return decodeMessage(buf, Query.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Query>): Generator<QueryExchangeIdFieldEvent> {
    return streamMessage(buf, Query.codec(), opts)
  }
}

export enum Verdict {
  ABORTED = 'ABORTED',
  COMMITTED = 'COMMITTED'
}

enum __VerdictValues {
  ABORTED = 0,
  COMMITTED = 1
}

export namespace Verdict {
  export const codec = (): Codec<Verdict> => {
    return enumeration<Verdict>(__VerdictValues)
  }
}

export interface Reply {
  verdict: Verdict
  latest: Uint8Array<ArrayBuffer>
}

export namespace Reply {
  let _codec: Codec<Reply>

  export const codec = (): Codec<Reply> => {
    if (_codec == null) {
      _codec = message<Reply>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.verdict != null && __VerdictValues[obj.verdict] !== 0) {
          w.uint32(8)
          Verdict.codec().encode(obj.verdict, w)
        }

        if ((obj.latest != null && obj.latest.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.latest)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          verdict: Verdict.ABORTED,
          latest: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.verdict = Verdict.codec().decode(reader)
              break
            }
            case 2: {
              obj.latest = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.verdict`,
                value: Verdict.codec().decode(reader)
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.latest`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface ReplyVerdictFieldEvent {
    field: '$.verdict'
    value: Verdict
  }

  export interface ReplyLatestFieldEvent {
    field: '$.latest'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Reply>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Reply.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Reply>): Reply {
    return decodeMessage(buf, Reply.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Reply>): Generator<ReplyVerdictFieldEvent | ReplyLatestFieldEvent> {
    return streamMessage(buf, Reply.codec(), opts)
  }
}

export interface Acknowledgement {
  exchangeId: Uint8Array<ArrayBuffer>
}

export namespace Acknowledgement {
  let _codec: Codec<Acknowledgement>

  export const codec = (): Codec<Acknowledgement> => {
    if (_codec == null) {
      _codec = message<Acknowledgement>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.exchangeId != null && obj.exchangeId.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.exchangeId)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          exchangeId: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.exchangeId = reader.bytes()
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }

        return obj
      }, function * (reader, length, prefix, opts = {}) {
        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.exchangeId`,
                value: reader.bytes()
              }
              break
            }
            default: {
              reader.skipType(tag & 7)
              break
            }
          }
        }
      })
    }

    return _codec
  }

  export interface AcknowledgementExchangeIdFieldEvent {
    field: '$.exchangeId'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Acknowledgement>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Acknowledgement.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Acknowledgement>): Acknowledgement {
    return decodeMessage(buf, Acknowledgement.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Acknowledgement>): Generator<AcknowledgementExchangeIdFieldEvent> {
    return streamMessage(buf, Acknowledgement.codec(), opts)
  }
}
