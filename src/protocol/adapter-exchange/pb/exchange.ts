import { decodeMessage, encodeMessage, enumeration, message, streamMessage } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import type { Codec, DecodeOptions } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

export enum VectorCodec {
  F32 = 'F32',
  F16 = 'F16',
  Q8 = 'Q8',
  Q16 = 'Q16',
  Q6 = 'Q6'
}

enum __VectorCodecValues {
  F32 = 0,
  F16 = 1,
  Q8 = 2,
  Q16 = 3,
  Q6 = 4
}

export namespace VectorCodec {
  export const codec = (): Codec<VectorCodec> => {
    return enumeration<VectorCodec>(__VectorCodecValues)
  }
}

export interface Offer {
  exchangeId: Uint8Array<ArrayBuffer>
  schemaHash: Uint8Array<ArrayBuffer>
  round: number
  mass: number
  clipRadius: number
  codecs: number
  want: VectorCodec
  steps?: number
  reads: boolean
  scope: Uint8Array<ArrayBuffer>
}

export namespace Offer {
  let _codec: Codec<Offer>

  export const codec = (): Codec<Offer> => {
    if (_codec == null) {
      _codec = message<Offer>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.exchangeId != null && obj.exchangeId.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.exchangeId)
        }

        if ((obj.schemaHash != null && obj.schemaHash.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.schemaHash)
        }

        if ((obj.round != null && obj.round !== 0)) {
          w.uint32(24)
          w.uint32(obj.round)
        }

        if ((obj.mass != null && obj.mass !== 0)) {
          w.uint32(33)
          w.double(obj.mass)
        }

        if ((obj.clipRadius != null && obj.clipRadius !== 0)) {
          w.uint32(41)
          w.double(obj.clipRadius)
        }

        if ((obj.codecs != null && obj.codecs !== 0)) {
          w.uint32(48)
          w.uint32(obj.codecs)
        }

        if (obj.want != null && __VectorCodecValues[obj.want] !== 0) {
          w.uint32(56)
          VectorCodec.codec().encode(obj.want, w)
        }

        if (obj.steps != null) {
          w.uint32(64)
          w.uint32(obj.steps)
        }

        if ((obj.reads != null && obj.reads !== false)) {
          w.uint32(72)
          w.bool(obj.reads)
        }

        if ((obj.scope != null && obj.scope.byteLength > 0)) {
          w.uint32(82)
          w.bytes(obj.scope)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          exchangeId: uint8ArrayAlloc(0),
          schemaHash: uint8ArrayAlloc(0),
          round: 0,
          mass: 0,
          clipRadius: 0,
          codecs: 0,
          want: VectorCodec.F32,
          reads: false,
          scope: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.exchangeId = reader.bytes()
              break
            }
            case 2: {
              obj.schemaHash = reader.bytes()
              break
            }
            case 3: {
              obj.round = reader.uint32()
              break
            }
            case 4: {
              obj.mass = reader.double()
              break
            }
            case 5: {
              obj.clipRadius = reader.double()
              break
            }
            case 6: {
              obj.codecs = reader.uint32()
              break
            }
            case 7: {
              obj.want = VectorCodec.codec().decode(reader)
              break
            }
            case 8: {
              obj.steps = reader.uint32()
              break
            }
            case 9: {
              obj.reads = reader.bool()
              break
            }
            case 10: {
              obj.scope = reader.bytes()
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
            case 2: {
              yield {
                field: `${prefix}.schemaHash`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.round`,
                value: reader.uint32()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.mass`,
                value: reader.double()
              }
              break
            }
            case 5: {
              yield {
                field: `${prefix}.clipRadius`,
                value: reader.double()
              }
              break
            }
            case 6: {
              yield {
                field: `${prefix}.codecs`,
                value: reader.uint32()
              }
              break
            }
            case 7: {
              yield {
                field: `${prefix}.want`,
                value: VectorCodec.codec().decode(reader)
              }
              break
            }
            case 8: {
              yield {
                field: `${prefix}.steps`,
                value: reader.uint32()
              }
              break
            }
            case 9: {
              yield {
                field: `${prefix}.reads`,
                value: reader.bool()
              }
              break
            }
            case 10: {
              yield {
                field: `${prefix}.scope`,
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

  export interface OfferExchangeIdFieldEvent {
    field: '$.exchangeId'
    value: Uint8Array<ArrayBuffer>
  }

  export interface OfferSchemaHashFieldEvent {
    field: '$.schemaHash'
    value: Uint8Array<ArrayBuffer>
  }

  export interface OfferRoundFieldEvent {
    field: '$.round'
    value: number
  }

  export interface OfferMassFieldEvent {
    field: '$.mass'
    value: number
  }

  export interface OfferClipRadiusFieldEvent {
    field: '$.clipRadius'
    value: number
  }

  export interface OfferCodecsFieldEvent {
    field: '$.codecs'
    value: number
  }

  export interface OfferWantFieldEvent {
    field: '$.want'
    value: VectorCodec
  }

  export interface OfferStepsFieldEvent {
    field: '$.steps'
    value: number
  }

  export interface OfferReadsFieldEvent {
    field: '$.reads'
    value: boolean
  }

  export interface OfferScopeFieldEvent {
    field: '$.scope'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Offer>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Offer.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Offer>): Offer {
    return decodeMessage(buf, Offer.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Offer>): Generator<OfferExchangeIdFieldEvent | OfferSchemaHashFieldEvent | OfferRoundFieldEvent | OfferMassFieldEvent | OfferClipRadiusFieldEvent | OfferCodecsFieldEvent | OfferWantFieldEvent | OfferStepsFieldEvent | OfferReadsFieldEvent | OfferScopeFieldEvent> {
    return streamMessage(buf, Offer.codec(), opts)
  }
}

export enum Verdict {
  ACCEPTED = 'ACCEPTED',
  BUSY = 'BUSY',
  SCHEMA = 'SCHEMA',
  STALE = 'STALE',
  NOT_MEMBER = 'NOT_MEMBER',
  RATE_LIMITED = 'RATE_LIMITED',
  PAUSED = 'PAUSED'
}

enum __VerdictValues {
  ACCEPTED = 0,
  BUSY = 1,
  SCHEMA = 2,
  STALE = 3,
  NOT_MEMBER = 4,
  RATE_LIMITED = 5,
  PAUSED = 6
}

export namespace Verdict {
  export const codec = (): Codec<Verdict> => {
    return enumeration<Verdict>(__VerdictValues)
  }
}

export interface Answer {
  exchangeId: Uint8Array<ArrayBuffer>
  verdict: Verdict
  codec: VectorCodec
  round: number
  mass: number
  clipRadius: number
  retryAfterMs: number
  steps?: number
  atRound?: number
  scope: Uint8Array<ArrayBuffer>
}

export namespace Answer {
  let _codec: Codec<Answer>

  export const codec = (): Codec<Answer> => {
    if (_codec == null) {
      _codec = message<Answer>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.exchangeId != null && obj.exchangeId.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.exchangeId)
        }

        if (obj.verdict != null && __VerdictValues[obj.verdict] !== 0) {
          w.uint32(16)
          Verdict.codec().encode(obj.verdict, w)
        }

        if (obj.codec != null && __VectorCodecValues[obj.codec] !== 0) {
          w.uint32(24)
          VectorCodec.codec().encode(obj.codec, w)
        }

        if ((obj.round != null && obj.round !== 0)) {
          w.uint32(32)
          w.uint32(obj.round)
        }

        if ((obj.mass != null && obj.mass !== 0)) {
          w.uint32(41)
          w.double(obj.mass)
        }

        if ((obj.clipRadius != null && obj.clipRadius !== 0)) {
          w.uint32(49)
          w.double(obj.clipRadius)
        }

        if ((obj.retryAfterMs != null && obj.retryAfterMs !== 0)) {
          w.uint32(56)
          w.uint32(obj.retryAfterMs)
        }

        if (obj.steps != null) {
          w.uint32(64)
          w.uint32(obj.steps)
        }

        if (obj.atRound != null) {
          w.uint32(72)
          w.uint32(obj.atRound)
        }

        if ((obj.scope != null && obj.scope.byteLength > 0)) {
          w.uint32(82)
          w.bytes(obj.scope)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          exchangeId: uint8ArrayAlloc(0),
          verdict: Verdict.ACCEPTED,
          codec: VectorCodec.F32,
          round: 0,
          mass: 0,
          clipRadius: 0,
          retryAfterMs: 0,
          scope: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.exchangeId = reader.bytes()
              break
            }
            case 2: {
              obj.verdict = Verdict.codec().decode(reader)
              break
            }
            case 3: {
              obj.codec = VectorCodec.codec().decode(reader)
              break
            }
            case 4: {
              obj.round = reader.uint32()
              break
            }
            case 5: {
              obj.mass = reader.double()
              break
            }
            case 6: {
              obj.clipRadius = reader.double()
              break
            }
            case 7: {
              obj.retryAfterMs = reader.uint32()
              break
            }
            case 8: {
              obj.steps = reader.uint32()
              break
            }
            case 9: {
              obj.atRound = reader.uint32()
              break
            }
            case 10: {
              obj.scope = reader.bytes()
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
            case 2: {
              yield {
                field: `${prefix}.verdict`,
                value: Verdict.codec().decode(reader)
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.codec`,
                value: VectorCodec.codec().decode(reader)
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.round`,
                value: reader.uint32()
              }
              break
            }
            case 5: {
              yield {
                field: `${prefix}.mass`,
                value: reader.double()
              }
              break
            }
            case 6: {
              yield {
                field: `${prefix}.clipRadius`,
                value: reader.double()
              }
              break
            }
            case 7: {
              yield {
                field: `${prefix}.retryAfterMs`,
                value: reader.uint32()
              }
              break
            }
            case 8: {
              yield {
                field: `${prefix}.steps`,
                value: reader.uint32()
              }
              break
            }
            case 9: {
              yield {
                field: `${prefix}.atRound`,
                value: reader.uint32()
              }
              break
            }
            case 10: {
              yield {
                field: `${prefix}.scope`,
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

  export interface AnswerExchangeIdFieldEvent {
    field: '$.exchangeId'
    value: Uint8Array<ArrayBuffer>
  }

  export interface AnswerVerdictFieldEvent {
    field: '$.verdict'
    value: Verdict
  }

  export interface AnswerCodecFieldEvent {
    field: '$.codec'
    value: VectorCodec
  }

  export interface AnswerRoundFieldEvent {
    field: '$.round'
    value: number
  }

  export interface AnswerMassFieldEvent {
    field: '$.mass'
    value: number
  }

  export interface AnswerClipRadiusFieldEvent {
    field: '$.clipRadius'
    value: number
  }

  export interface AnswerRetryAfterMsFieldEvent {
    field: '$.retryAfterMs'
    value: number
  }

  export interface AnswerStepsFieldEvent {
    field: '$.steps'
    value: number
  }

  export interface AnswerAtRoundFieldEvent {
    field: '$.atRound'
    value: number
  }

  export interface AnswerScopeFieldEvent {
    field: '$.scope'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Answer>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Answer.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Answer>): Answer {
    return decodeMessage(buf, Answer.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Answer>): Generator<AnswerExchangeIdFieldEvent | AnswerVerdictFieldEvent | AnswerCodecFieldEvent | AnswerRoundFieldEvent | AnswerMassFieldEvent | AnswerClipRadiusFieldEvent | AnswerRetryAfterMsFieldEvent | AnswerStepsFieldEvent | AnswerAtRoundFieldEvent | AnswerScopeFieldEvent> {
    return streamMessage(buf, Answer.codec(), opts)
  }
}

export interface Trailer {
  digest: Uint8Array<ArrayBuffer>
}

export namespace Trailer {
  let _codec: Codec<Trailer>

  export const codec = (): Codec<Trailer> => {
    if (_codec == null) {
      _codec = message<Trailer>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.digest != null && obj.digest.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.digest)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          digest: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.digest = reader.bytes()
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
                field: `${prefix}.digest`,
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

  export interface TrailerDigestFieldEvent {
    field: '$.digest'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Trailer>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Trailer.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Trailer>): Trailer {
    return decodeMessage(buf, Trailer.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Trailer>): Generator<TrailerDigestFieldEvent> {
    return streamMessage(buf, Trailer.codec(), opts)
  }
}

export interface Commit {
  exchangeId: Uint8Array<ArrayBuffer>
}

export namespace Commit {
  let _codec: Codec<Commit>

  export const codec = (): Codec<Commit> => {
    if (_codec == null) {
      _codec = message<Commit>((obj, w, opts = {}) => {
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

  export interface CommitExchangeIdFieldEvent {
    field: '$.exchangeId'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Commit>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Commit.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Commit>): Commit {
    return decodeMessage(buf, Commit.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Commit>): Generator<CommitExchangeIdFieldEvent> {
    return streamMessage(buf, Commit.codec(), opts)
  }
}

export interface Committed {
  exchangeId: Uint8Array<ArrayBuffer>
}

export namespace Committed {
  let _codec: Codec<Committed>

  export const codec = (): Codec<Committed> => {
    if (_codec == null) {
      _codec = message<Committed>((obj, w, opts = {}) => {
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

  export interface CommittedExchangeIdFieldEvent {
    field: '$.exchangeId'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Committed>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Committed.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Committed>): Committed {
    return decodeMessage(buf, Committed.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Committed>): Generator<CommittedExchangeIdFieldEvent> {
    return streamMessage(buf, Committed.codec(), opts)
  }
}

export interface Settled {
  exchangeId: Uint8Array<ArrayBuffer>
}

export namespace Settled {
  let _codec: Codec<Settled>

  export const codec = (): Codec<Settled> => {
    if (_codec == null) {
      _codec = message<Settled>((obj, w, opts = {}) => {
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

  export interface SettledExchangeIdFieldEvent {
    field: '$.exchangeId'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Settled>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Settled.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Settled>): Settled {
    return decodeMessage(buf, Settled.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Settled>): Generator<SettledExchangeIdFieldEvent> {
    return streamMessage(buf, Settled.codec(), opts)
  }
}
