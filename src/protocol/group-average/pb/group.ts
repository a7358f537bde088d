import { decodeMessage, encodeMessage, enumeration, MaxLengthError, message, streamMessage } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import type { Codec, DecodeOptions } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

export enum Kind {
  INVITE = 'INVITE',
  VECTOR = 'VECTOR',
  ASK = 'ASK'
}

enum __KindValues {
  INVITE = 0,
  VECTOR = 1,
  ASK = 2
}

export namespace Kind {
  export const codec = (): Codec<Kind> => {
    return enumeration<Kind>(__KindValues)
  }
}

export interface Opening {
  kind: Kind
  groupId: Uint8Array<ArrayBuffer>
  schemaHash: Uint8Array<ArrayBuffer>
}

export namespace Opening {
  let _codec: Codec<Opening>

  export const codec = (): Codec<Opening> => {
    if (_codec == null) {
      _codec = message<Opening>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.kind != null && __KindValues[obj.kind] !== 0) {
          w.uint32(8)
          Kind.codec().encode(obj.kind, w)
        }

        if ((obj.groupId != null && obj.groupId.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.groupId)
        }

        if ((obj.schemaHash != null && obj.schemaHash.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.schemaHash)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          kind: Kind.INVITE,
          groupId: uint8ArrayAlloc(0),
          schemaHash: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.kind = Kind.codec().decode(reader)
              break
            }
            case 2: {
              obj.groupId = reader.bytes()
              break
            }
            case 3: {
              obj.schemaHash = reader.bytes()
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
                field: `${prefix}.kind`,
                value: Kind.codec().decode(reader)
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.groupId`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.schemaHash`,
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

  export interface OpeningKindFieldEvent {
    field: '$.kind'
    value: Kind
  }

  export interface OpeningGroupIdFieldEvent {
    field: '$.groupId'
    value: Uint8Array<ArrayBuffer>
  }

  export interface OpeningSchemaHashFieldEvent {
    field: '$.schemaHash'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Opening>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Opening.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Opening>): Opening {
    return decodeMessage(buf, Opening.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Opening>): Generator<OpeningKindFieldEvent | OpeningGroupIdFieldEvent | OpeningSchemaHashFieldEvent> {
    return streamMessage(buf, Opening.codec(), opts)
  }
}

export enum Verdict {
  JOINED = 'JOINED',
  BUSY = 'BUSY',
  NOT_READY = 'NOT_READY',
  SCHEMA = 'SCHEMA',
  NOT_MEMBER = 'NOT_MEMBER',
  RATE_LIMITED = 'RATE_LIMITED'
}

enum __VerdictValues {
  JOINED = 0,
  BUSY = 1,
  NOT_READY = 2,
  SCHEMA = 3,
  NOT_MEMBER = 4,
  RATE_LIMITED = 5
}

export namespace Verdict {
  export const codec = (): Codec<Verdict> => {
    return enumeration<Verdict>(__VerdictValues)
  }
}

export interface Party {
  id: string
  key: Uint8Array<ArrayBuffer>
  mass: number
  signature: Uint8Array<ArrayBuffer>
}

export namespace Party {
  let _codec: Codec<Party>

  export const codec = (): Codec<Party> => {
    if (_codec == null) {
      _codec = message<Party>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.id != null && obj.id !== '')) {
          w.uint32(10)
          w.string(obj.id)
        }

        if ((obj.key != null && obj.key.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.key)
        }

        if ((obj.mass != null && obj.mass !== 0)) {
          w.uint32(24)
          w.uint32(obj.mass)
        }

        if ((obj.signature != null && obj.signature.byteLength > 0)) {
          w.uint32(34)
          w.bytes(obj.signature)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          id: '',
          key: uint8ArrayAlloc(0),
          mass: 0,
          signature: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.id = reader.string()
              break
            }
            case 2: {
              obj.key = reader.bytes()
              break
            }
            case 3: {
              obj.mass = reader.uint32()
              break
            }
            case 4: {
              obj.signature = reader.bytes()
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
                field: `${prefix}.id`,
                value: reader.string()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.key`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.mass`,
                value: reader.uint32()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.signature`,
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

  export interface PartyIdFieldEvent {
    field: '$.id'
    value: string
  }

  export interface PartyKeyFieldEvent {
    field: '$.key'
    value: Uint8Array<ArrayBuffer>
  }

  export interface PartyMassFieldEvent {
    field: '$.mass'
    value: number
  }

  export interface PartySignatureFieldEvent {
    field: '$.signature'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Party>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Party.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Party>): Party {
    return decodeMessage(buf, Party.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Party>): Generator<PartyIdFieldEvent | PartyKeyFieldEvent | PartyMassFieldEvent | PartySignatureFieldEvent> {
    return streamMessage(buf, Party.codec(), opts)
  }
}

export interface Answer {
  verdict: Verdict
  party: Uint8Array<ArrayBuffer>
}

export namespace Answer {
  let _codec: Codec<Answer>

  export const codec = (): Codec<Answer> => {
    if (_codec == null) {
      _codec = message<Answer>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.verdict != null && __VerdictValues[obj.verdict] !== 0) {
          w.uint32(8)
          Verdict.codec().encode(obj.verdict, w)
        }

        if ((obj.party != null && obj.party.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.party)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          verdict: Verdict.JOINED,
          party: uint8ArrayAlloc(0)
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
              obj.party = reader.bytes()
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
                field: `${prefix}.party`,
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

  export interface AnswerVerdictFieldEvent {
    field: '$.verdict'
    value: Verdict
  }

  export interface AnswerPartyFieldEvent {
    field: '$.party'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Answer>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Answer.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Answer>): Answer {
    return decodeMessage(buf, Answer.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Answer>): Generator<AnswerVerdictFieldEvent | AnswerPartyFieldEvent> {
    return streamMessage(buf, Answer.codec(), opts)
  }
}

export interface Members {
  parties: Uint8Array<ArrayBuffer>[]
}

export namespace Members {
  let _codec: Codec<Members>

  export const codec = (): Codec<Members> => {
    if (_codec == null) {
      _codec = message<Members>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.parties != null && obj.parties.length > 0) {
          for (const value of obj.parties) {
            w.uint32(10)
            w.bytes(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          parties: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.parties != null && obj.parties.length === opts.limits.parties) {
                throw new MaxLengthError('Decode error - repeated field "parties" had too many elements')
              }

              obj.parties.push(reader.bytes())
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
        const obj = {
          parties: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.parties != null && obj.parties === opts.limits.parties) {
                throw new MaxLengthError('Streaming decode error - repeated field "parties" had too many elements')
              }

              yield {
                field: `${prefix}.parties[]`,
                index: obj.parties,
                value: reader.bytes()
              }

              obj.parties++

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

  export interface MembersPartiesFieldEvent {
    field: '$.parties[]'
    index: number
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Members>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Members.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Members>): Members {
    return decodeMessage(buf, Members.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Members>): Generator<MembersPartiesFieldEvent> {
    return streamMessage(buf, Members.codec(), opts)
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

export interface Report {
  mean: Uint8Array<ArrayBuffer>
  vectors: Uint8Array<ArrayBuffer>[]
  signature: Uint8Array<ArrayBuffer>
}

export namespace Report {
  let _codec: Codec<Report>

  export const codec = (): Codec<Report> => {
    if (_codec == null) {
      _codec = message<Report>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.mean != null && obj.mean.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.mean)
        }

        if (obj.vectors != null && obj.vectors.length > 0) {
          for (const value of obj.vectors) {
            w.uint32(18)
            w.bytes(value)
          }
        }

        if ((obj.signature != null && obj.signature.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.signature)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          mean: uint8ArrayAlloc(0),
          vectors: [],
          signature: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.mean = reader.bytes()
              break
            }
            case 2: {
              if (opts.limits?.vectors != null && obj.vectors.length === opts.limits.vectors) {
                throw new MaxLengthError('Decode error - repeated field "vectors" had too many elements')
              }

              obj.vectors.push(reader.bytes())
              break
            }
            case 3: {
              obj.signature = reader.bytes()
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
        const obj = {
          vectors: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.mean`,
                value: reader.bytes()
              }
              break
            }
            case 2: {
              if (opts.limits?.vectors != null && obj.vectors === opts.limits.vectors) {
                throw new MaxLengthError('Streaming decode error - repeated field "vectors" had too many elements')
              }

              yield {
                field: `${prefix}.vectors[]`,
                index: obj.vectors,
                value: reader.bytes()
              }

              obj.vectors++

              break
            }
            case 3: {
              yield {
                field: `${prefix}.signature`,
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

  export interface ReportMeanFieldEvent {
    field: '$.mean'
    value: Uint8Array<ArrayBuffer>
  }

  export interface ReportVectorsFieldEvent {
    field: '$.vectors[]'
    index: number
    value: Uint8Array<ArrayBuffer>
  }

  export interface ReportSignatureFieldEvent {
    field: '$.signature'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Report>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Report.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Report>): Report {
    return decodeMessage(buf, Report.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Report>): Generator<ReportMeanFieldEvent | ReportVectorsFieldEvent | ReportSignatureFieldEvent> {
    return streamMessage(buf, Report.codec(), opts)
  }
}

export interface Commit {
  reports: Uint8Array<ArrayBuffer>[]
}

export namespace Commit {
  let _codec: Codec<Commit>

  export const codec = (): Codec<Commit> => {
    if (_codec == null) {
      _codec = message<Commit>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.reports != null && obj.reports.length > 0) {
          for (const value of obj.reports) {
            w.uint32(10)
            w.bytes(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          reports: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.reports != null && obj.reports.length === opts.limits.reports) {
                throw new MaxLengthError('Decode error - repeated field "reports" had too many elements')
              }

              obj.reports.push(reader.bytes())
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
        const obj = {
          reports: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.reports != null && obj.reports === opts.limits.reports) {
                throw new MaxLengthError('Streaming decode error - repeated field "reports" had too many elements')
              }

              yield {
                field: `${prefix}.reports[]`,
                index: obj.reports,
                value: reader.bytes()
              }

              obj.reports++

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

  export interface CommitReportsFieldEvent {
    field: '$.reports[]'
    index: number
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Commit>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Commit.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Commit>): Commit {
    return decodeMessage(buf, Commit.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Commit>): Generator<CommitReportsFieldEvent> {
    return streamMessage(buf, Commit.codec(), opts)
  }
}

export interface Settled {
  groupId: Uint8Array<ArrayBuffer>
}

export namespace Settled {
  let _codec: Codec<Settled>

  export const codec = (): Codec<Settled> => {
    if (_codec == null) {
      _codec = message<Settled>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.groupId != null && obj.groupId.byteLength > 0)) {
          w.uint32(10)
          w.bytes(obj.groupId)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          groupId: uint8ArrayAlloc(0)
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.groupId = reader.bytes()
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
                field: `${prefix}.groupId`,
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

  export interface SettledGroupIdFieldEvent {
    field: '$.groupId'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Settled>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Settled.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Settled>): Settled {
    return decodeMessage(buf, Settled.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Settled>): Generator<SettledGroupIdFieldEvent> {
    return streamMessage(buf, Settled.codec(), opts)
  }
}

export enum Outcome {
  ABORTED = 'ABORTED',
  COMMITTED = 'COMMITTED'
}

enum __OutcomeValues {
  ABORTED = 0,
  COMMITTED = 1
}

export namespace Outcome {
  export const codec = (): Codec<Outcome> => {
    return enumeration<Outcome>(__OutcomeValues)
  }
}

export interface Reply {
  outcome: Outcome
  unheard: Uint8Array<ArrayBuffer>[]
}

export namespace Reply {
  let _codec: Codec<Reply>

  export const codec = (): Codec<Reply> => {
    if (_codec == null) {
      _codec = message<Reply>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.outcome != null && __OutcomeValues[obj.outcome] !== 0) {
          w.uint32(8)
          Outcome.codec().encode(obj.outcome, w)
        }

        if (obj.unheard != null && obj.unheard.length > 0) {
          for (const value of obj.unheard) {
            w.uint32(18)
            w.bytes(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          outcome: Outcome.ABORTED,
          unheard: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.outcome = Outcome.codec().decode(reader)
              break
            }
            case 2: {
              if (opts.limits?.unheard != null && obj.unheard.length === opts.limits.unheard) {
                throw new MaxLengthError('Decode error - repeated field "unheard" had too many elements')
              }

              obj.unheard.push(reader.bytes())
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
        const obj = {
          unheard: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.outcome`,
                value: Outcome.codec().decode(reader)
              }
              break
            }
            case 2: {
              if (opts.limits?.unheard != null && obj.unheard === opts.limits.unheard) {
                throw new MaxLengthError('Streaming decode error - repeated field "unheard" had too many elements')
              }

              yield {
                field: `${prefix}.unheard[]`,
                index: obj.unheard,
                value: reader.bytes()
              }

              obj.unheard++

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

  export interface ReplyOutcomeFieldEvent {
    field: '$.outcome'
    value: Outcome
  }

  export interface ReplyUnheardFieldEvent {
    field: '$.unheard[]'
    index: number
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Reply>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Reply.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Reply>): Reply {
    return decodeMessage(buf, Reply.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Reply>): Generator<ReplyOutcomeFieldEvent | ReplyUnheardFieldEvent> {
    return streamMessage(buf, Reply.codec(), opts)
  }
}

export interface Acknowledgement {
  groupIds: Uint8Array<ArrayBuffer>[]
}

export namespace Acknowledgement {
  let _codec: Codec<Acknowledgement>

  export const codec = (): Codec<Acknowledgement> => {
    if (_codec == null) {
      _codec = message<Acknowledgement>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.groupIds != null && obj.groupIds.length > 0) {
          for (const value of obj.groupIds) {
            w.uint32(10)
            w.bytes(value)
          }
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          groupIds: []
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.groupIds != null && obj.groupIds.length === opts.limits.groupIds) {
                throw new MaxLengthError('Decode error - repeated field "groupIds" had too many elements')
              }

              obj.groupIds.push(reader.bytes())
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
        const obj = {
          groupIds: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              if (opts.limits?.groupIds != null && obj.groupIds === opts.limits.groupIds) {
                throw new MaxLengthError('Streaming decode error - repeated field "groupIds" had too many elements')
              }

              yield {
                field: `${prefix}.groupIds[]`,
                index: obj.groupIds,
                value: reader.bytes()
              }

              obj.groupIds++

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

  export interface AcknowledgementGroupIdsFieldEvent {
    field: '$.groupIds[]'
    index: number
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<Acknowledgement>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, Acknowledgement.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Acknowledgement>): Acknowledgement {
    return decodeMessage(buf, Acknowledgement.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<Acknowledgement>): Generator<AcknowledgementGroupIdsFieldEvent> {
    return streamMessage(buf, Acknowledgement.codec(), opts)
  }
}
