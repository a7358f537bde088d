import { decodeMessage, encodeMessage, enumeration, MaxLengthError, message, streamMessage } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import type { Codec, DecodeOptions } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

export enum Kind {
  HELLO = 'HELLO',
  STATEMENTS = 'STATEMENTS',
  VERDICT = 'VERDICT'
}

enum __KindValues {
  HELLO = 0,
  STATEMENTS = 1,
  VERDICT = 2
}

export namespace Kind {
  export const codec = (): Codec<Kind> => {
    return enumeration<Kind>(__KindValues)
  }
}

export enum Reason {
  ACCEPTED = 'ACCEPTED',
  NONE = 'NONE',
  MALFORMED = 'MALFORMED',
  WRONG_FEDERATION = 'WRONG_FEDERATION',
  WRONG_SIGNER = 'WRONG_SIGNER',
  OTHER_PEER = 'OTHER_PEER',
  REVOKED = 'REVOKED',
  NOT_YET_VALID = 'NOT_YET_VALID',
  EXPIRED = 'EXPIRED',
  LATE = 'LATE'
}

enum __ReasonValues {
  ACCEPTED = 0,
  NONE = 1,
  MALFORMED = 2,
  WRONG_FEDERATION = 3,
  WRONG_SIGNER = 4,
  OTHER_PEER = 5,
  REVOKED = 6,
  NOT_YET_VALID = 7,
  EXPIRED = 8,
  LATE = 9
}

export namespace Reason {
  export const codec = (): Codec<Reason> => {
    return enumeration<Reason>(__ReasonValues)
  }
}

export interface MembershipFrame {
  kind: Kind
  credential: Uint8Array<ArrayBuffer>
  digest: Uint8Array<ArrayBuffer>
  keyEpoch: number
  keyHash: Uint8Array<ArrayBuffer>
  statements: Uint8Array<ArrayBuffer>[]
  last: boolean
  reason: Reason
  keyStatement: Uint8Array<ArrayBuffer>
  key: Uint8Array<ArrayBuffer>
  documentsDigest: Uint8Array<ArrayBuffer>
  documents: Uint8Array<ArrayBuffer>[]
  scoresDigest: Uint8Array<ArrayBuffer>
  scores: Uint8Array<ArrayBuffer>[]
  instance: number
  twin: number
  certificate: Uint8Array<ArrayBuffer>
}

export namespace MembershipFrame {
  let _codec: Codec<MembershipFrame>

  export const codec = (): Codec<MembershipFrame> => {
    if (_codec == null) {
      _codec = message<MembershipFrame>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if (obj.kind != null && __KindValues[obj.kind] !== 0) {
          w.uint32(8)
          Kind.codec().encode(obj.kind, w)
        }

        if ((obj.credential != null && obj.credential.byteLength > 0)) {
          w.uint32(18)
          w.bytes(obj.credential)
        }

        if ((obj.digest != null && obj.digest.byteLength > 0)) {
          w.uint32(26)
          w.bytes(obj.digest)
        }

        if ((obj.keyEpoch != null && obj.keyEpoch !== 0)) {
          w.uint32(32)
          w.uint32(obj.keyEpoch)
        }

        if ((obj.keyHash != null && obj.keyHash.byteLength > 0)) {
          w.uint32(42)
          w.bytes(obj.keyHash)
        }

        if (obj.statements != null && obj.statements.length > 0) {
          for (const value of obj.statements) {
            w.uint32(50)
            w.bytes(value)
          }
        }

        if ((obj.last != null && obj.last !== false)) {
          w.uint32(56)
          w.bool(obj.last)
        }

        if (obj.reason != null && __ReasonValues[obj.reason] !== 0) {
          w.uint32(64)
          Reason.codec().encode(obj.reason, w)
        }

        if ((obj.keyStatement != null && obj.keyStatement.byteLength > 0)) {
          w.uint32(74)
          w.bytes(obj.keyStatement)
        }

        if ((obj.key != null && obj.key.byteLength > 0)) {
          w.uint32(82)
          w.bytes(obj.key)
        }

        if ((obj.documentsDigest != null && obj.documentsDigest.byteLength > 0)) {
          w.uint32(90)
          w.bytes(obj.documentsDigest)
        }

        if (obj.documents != null && obj.documents.length > 0) {
          for (const value of obj.documents) {
            w.uint32(98)
            w.bytes(value)
          }
        }

        if ((obj.scoresDigest != null && obj.scoresDigest.byteLength > 0)) {
          w.uint32(106)
          w.bytes(obj.scoresDigest)
        }

        if (obj.scores != null && obj.scores.length > 0) {
          for (const value of obj.scores) {
            w.uint32(114)
            w.bytes(value)
          }
        }

        if ((obj.instance != null && obj.instance !== 0)) {
          w.uint32(120)
          w.uint32(obj.instance)
        }

        if ((obj.twin != null && obj.twin !== 0)) {
          w.uint32(128)
          w.uint32(obj.twin)
        }

        if ((obj.certificate != null && obj.certificate.byteLength > 0)) {
          w.uint32(138)
          w.bytes(obj.certificate)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          kind: Kind.HELLO,
          credential: uint8ArrayAlloc(0),
          digest: uint8ArrayAlloc(0),
          keyEpoch: 0,
          keyHash: uint8ArrayAlloc(0),
          statements: [],
          last: false,
          reason: Reason.ACCEPTED,
          keyStatement: uint8ArrayAlloc(0),
          key: uint8ArrayAlloc(0),
          documentsDigest: uint8ArrayAlloc(0),
          documents: [],
          scoresDigest: uint8ArrayAlloc(0),
          scores: [],
          instance: 0,
          twin: 0,
          certificate: uint8ArrayAlloc(0)
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
              obj.credential = reader.bytes()
              break
            }
            case 3: {
              obj.digest = reader.bytes()
              break
            }
            case 4: {
              obj.keyEpoch = reader.uint32()
              break
            }
            case 5: {
              obj.keyHash = reader.bytes()
              break
            }
            case 6: {
              if (opts.limits?.statements != null && obj.statements.length === opts.limits.statements) {
                throw new MaxLengthError('Decode error - repeated field "statements" had too many elements')
              }

              obj.statements.push(reader.bytes())
              break
            }
            case 7: {
              obj.last = reader.bool()
              break
            }
            case 8: {
              obj.reason = Reason.codec().decode(reader)
              break
            }
            case 9: {
              obj.keyStatement = reader.bytes()
              break
            }
            case 10: {
              obj.key = reader.bytes()
              break
            }
            case 11: {
              obj.documentsDigest = reader.bytes()
              break
            }
            case 12: {
              if (opts.limits?.documents != null && obj.documents.length === opts.limits.documents) {
                throw new MaxLengthError('Decode error - repeated field "documents" had too many elements')
              }

              obj.documents.push(reader.bytes())
              break
            }
            case 13: {
              obj.scoresDigest = reader.bytes()
              break
            }
            case 14: {
              if (opts.limits?.scores != null && obj.scores.length === opts.limits.scores) {
                throw new MaxLengthError('Decode error - repeated field "scores" had too many elements')
              }

              obj.scores.push(reader.bytes())
              break
            }
            case 15: {
              obj.instance = reader.uint32()
              break
            }
            case 16: {
              obj.twin = reader.uint32()
              break
            }
            case 17: {
              obj.certificate = reader.bytes()
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
          statements: 0,
          documents: 0,
          scores: 0
        }

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
                field: `${prefix}.credential`,
                value: reader.bytes()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.digest`,
                value: reader.bytes()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.keyEpoch`,
                value: reader.uint32()
              }
              break
            }
            case 5: {
              yield {
                field: `${prefix}.keyHash`,
                value: reader.bytes()
              }
              break
            }
            case 6: {
              if (opts.limits?.statements != null && obj.statements === opts.limits.statements) {
                throw new MaxLengthError('Streaming decode error - repeated field "statements" had too many elements')
              }

              yield {
                field: `${prefix}.statements[]`,
                index: obj.statements,
                value: reader.bytes()
              }

              obj.statements++

              break
            }
            case 7: {
              yield {
                field: `${prefix}.last`,
                value: reader.bool()
              }
              break
            }
            case 8: {
              yield {
                field: `${prefix}.reason`,
                value: Reason.codec().decode(reader)
              }
              break
            }
            case 9: {
              yield {
                field: `${prefix}.keyStatement`,
                value: reader.bytes()
              }
              break
            }
            case 10: {
              yield {
                field: `${prefix}.key`,
                value: reader.bytes()
              }
              break
            }
            case 11: {
              yield {
                field: `${prefix}.documentsDigest`,
                value: reader.bytes()
              }
              break
            }
            case 12: {
              if (opts.limits?.documents != null && obj.documents === opts.limits.documents) {
                throw new MaxLengthError('Streaming decode error - repeated field "documents" had too many elements')
              }

              yield {
                field: `${prefix}.documents[]`,
                index: obj.documents,
                value: reader.bytes()
              }

              obj.documents++

              break
            }
            case 13: {
              yield {
                field: `${prefix}.scoresDigest`,
                value: reader.bytes()
              }
              break
            }
            case 14: {
              if (opts.limits?.scores != null && obj.scores === opts.limits.scores) {
                throw new MaxLengthError('Streaming decode error - repeated field "scores" had too many elements')
              }

              yield {
                field: `${prefix}.scores[]`,
                index: obj.scores,
                value: reader.bytes()
              }

              obj.scores++

              break
            }
            case 15: {
              yield {
                field: `${prefix}.instance`,
                value: reader.uint32()
              }
              break
            }
            case 16: {
              yield {
                field: `${prefix}.twin`,
                value: reader.uint32()
              }
              break
            }
            case 17: {
              yield {
                field: `${prefix}.certificate`,
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

  export interface MembershipFrameKindFieldEvent {
    field: '$.kind'
    value: Kind
  }

  export interface MembershipFrameCredentialFieldEvent {
    field: '$.credential'
    value: Uint8Array<ArrayBuffer>
  }

  export interface MembershipFrameDigestFieldEvent {
    field: '$.digest'
    value: Uint8Array<ArrayBuffer>
  }

  export interface MembershipFrameKeyEpochFieldEvent {
    field: '$.keyEpoch'
    value: number
  }

  export interface MembershipFrameKeyHashFieldEvent {
    field: '$.keyHash'
    value: Uint8Array<ArrayBuffer>
  }

  export interface MembershipFrameStatementsFieldEvent {
    field: '$.statements[]'
    index: number
    value: Uint8Array<ArrayBuffer>
  }

  export interface MembershipFrameLastFieldEvent {
    field: '$.last'
    value: boolean
  }

  export interface MembershipFrameReasonFieldEvent {
    field: '$.reason'
    value: Reason
  }

  export interface MembershipFrameKeyStatementFieldEvent {
    field: '$.keyStatement'
    value: Uint8Array<ArrayBuffer>
  }

  export interface MembershipFrameKeyFieldEvent {
    field: '$.key'
    value: Uint8Array<ArrayBuffer>
  }

  export interface MembershipFrameDocumentsDigestFieldEvent {
    field: '$.documentsDigest'
    value: Uint8Array<ArrayBuffer>
  }

  export interface MembershipFrameDocumentsFieldEvent {
    field: '$.documents[]'
    index: number
    value: Uint8Array<ArrayBuffer>
  }

  export interface MembershipFrameScoresDigestFieldEvent {
    field: '$.scoresDigest'
    value: Uint8Array<ArrayBuffer>
  }

  export interface MembershipFrameScoresFieldEvent {
    field: '$.scores[]'
    index: number
    value: Uint8Array<ArrayBuffer>
  }

  export interface MembershipFrameInstanceFieldEvent {
    field: '$.instance'
    value: number
  }

  export interface MembershipFrameTwinFieldEvent {
    field: '$.twin'
    value: number
  }

  export interface MembershipFrameCertificateFieldEvent {
    field: '$.certificate'
    value: Uint8Array<ArrayBuffer>
  }

  export function encode (obj: Partial<MembershipFrame>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, MembershipFrame.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<MembershipFrame>): MembershipFrame {
    return decodeMessage(buf, MembershipFrame.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<MembershipFrame>): Generator<MembershipFrameKindFieldEvent | MembershipFrameCredentialFieldEvent | MembershipFrameDigestFieldEvent | MembershipFrameKeyEpochFieldEvent | MembershipFrameKeyHashFieldEvent | MembershipFrameStatementsFieldEvent | MembershipFrameLastFieldEvent | MembershipFrameReasonFieldEvent | MembershipFrameKeyStatementFieldEvent | MembershipFrameKeyFieldEvent | MembershipFrameDocumentsDigestFieldEvent | MembershipFrameDocumentsFieldEvent | MembershipFrameScoresDigestFieldEvent | MembershipFrameScoresFieldEvent | MembershipFrameInstanceFieldEvent | MembershipFrameTwinFieldEvent | MembershipFrameCertificateFieldEvent> {
    return streamMessage(buf, MembershipFrame.codec(), opts)
  }
}
