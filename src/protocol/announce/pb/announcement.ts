import { decodeMessage, encodeMessage, MaxLengthError, message, streamMessage } from 'protons-runtime'
import { alloc as uint8ArrayAlloc } from 'uint8arrays/alloc'
import type { Codec, DecodeOptions } from 'protons-runtime'
import type { Uint8ArrayList } from 'uint8arraylist'

export interface AnnouncementFrame {
  sequence: bigint
  round: number
  rounds: number
  phase: string
  mass: number
  schemaHash: Uint8Array<ArrayBuffer>
  digest: Uint8Array<ArrayBuffer>
  sketch: Uint8Array<ArrayBuffer>
  dice?: number
  software: string
  protocols: string[]
  stepsTrained?: number
  stepsArrived?: number
  pace?: number
  credential: Uint8Array<ArrayBuffer>
  fitsAsIs: number[]
  fitsExchanged: number[]
  classDice: number[]
  instance: number
  scoredRound?: number
  globalDice?: number
  validationImages?: number
  facts: Uint8Array<ArrayBuffer>
  reads: boolean
}

export namespace AnnouncementFrame {
  let _codec: Codec<AnnouncementFrame>

  export const codec = (): Codec<AnnouncementFrame> => {
    if (_codec == null) {
      _codec = message<AnnouncementFrame>((obj, w, opts = {}) => {
        if (opts.lengthDelimited !== false) {
          w.fork()
        }

        if ((obj.sequence != null && obj.sequence !== 0n)) {
          w.uint32(8)
          w.uint64(obj.sequence)
        }

        if ((obj.round != null && obj.round !== 0)) {
          w.uint32(16)
          w.uint32(obj.round)
        }

        if ((obj.rounds != null && obj.rounds !== 0)) {
          w.uint32(24)
          w.uint32(obj.rounds)
        }

        if ((obj.phase != null && obj.phase !== '')) {
          w.uint32(34)
          w.string(obj.phase)
        }

        if ((obj.mass != null && obj.mass !== 0)) {
          w.uint32(41)
          w.double(obj.mass)
        }

        if ((obj.schemaHash != null && obj.schemaHash.byteLength > 0)) {
          w.uint32(50)
          w.bytes(obj.schemaHash)
        }

        if ((obj.digest != null && obj.digest.byteLength > 0)) {
          w.uint32(58)
          w.bytes(obj.digest)
        }

        if ((obj.sketch != null && obj.sketch.byteLength > 0)) {
          w.uint32(66)
          w.bytes(obj.sketch)
        }

        if (obj.dice != null) {
          w.uint32(73)
          w.double(obj.dice)
        }

        if ((obj.software != null && obj.software !== '')) {
          w.uint32(90)
          w.string(obj.software)
        }

        if (obj.protocols != null && obj.protocols.length > 0) {
          for (const value of obj.protocols) {
            w.uint32(98)
            w.string(value)
          }
        }

        if (obj.stepsTrained != null) {
          w.uint32(104)
          w.uint32(obj.stepsTrained)
        }

        if (obj.stepsArrived != null) {
          w.uint32(112)
          w.uint32(obj.stepsArrived)
        }

        if (obj.pace != null) {
          w.uint32(121)
          w.double(obj.pace)
        }

        if ((obj.credential != null && obj.credential.byteLength > 0)) {
          w.uint32(130)
          w.bytes(obj.credential)
        }

        if (obj.fitsAsIs != null && obj.fitsAsIs.length > 0) {
          for (const value of obj.fitsAsIs) {
            w.uint32(136)
            w.uint32(value)
          }
        }

        if (obj.fitsExchanged != null && obj.fitsExchanged.length > 0) {
          for (const value of obj.fitsExchanged) {
            w.uint32(144)
            w.uint32(value)
          }
        }

        if (obj.classDice != null && obj.classDice.length > 0) {
          for (const value of obj.classDice) {
            w.uint32(153)
            w.double(value)
          }
        }

        if ((obj.instance != null && obj.instance !== 0)) {
          w.uint32(160)
          w.uint32(obj.instance)
        }

        if (obj.scoredRound != null) {
          w.uint32(168)
          w.uint32(obj.scoredRound)
        }

        if (obj.globalDice != null) {
          w.uint32(177)
          w.double(obj.globalDice)
        }

        if (obj.validationImages != null) {
          w.uint32(184)
          w.uint32(obj.validationImages)
        }

        if ((obj.facts != null && obj.facts.byteLength > 0)) {
          w.uint32(202)
          w.bytes(obj.facts)
        }

        if ((obj.reads != null && obj.reads !== false)) {
          w.uint32(192)
          w.bool(obj.reads)
        }

        if (opts.lengthDelimited !== false) {
          w.ldelim()
        }
      }, (reader, length, opts = {}) => {
        const obj: any = {
          sequence: 0n,
          round: 0,
          rounds: 0,
          phase: '',
          mass: 0,
          schemaHash: uint8ArrayAlloc(0),
          digest: uint8ArrayAlloc(0),
          sketch: uint8ArrayAlloc(0),
          software: '',
          protocols: [],
          credential: uint8ArrayAlloc(0),
          fitsAsIs: [],
          fitsExchanged: [],
          classDice: [],
          instance: 0,
          facts: uint8ArrayAlloc(0),
          reads: false
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              obj.sequence = reader.uint64()
              break
            }
            case 2: {
              obj.round = reader.uint32()
              break
            }
            case 3: {
              obj.rounds = reader.uint32()
              break
            }
            case 4: {
              obj.phase = reader.string()
              break
            }
            case 5: {
              obj.mass = reader.double()
              break
            }
            case 6: {
              obj.schemaHash = reader.bytes()
              break
            }
            case 7: {
              obj.digest = reader.bytes()
              break
            }
            case 8: {
              obj.sketch = reader.bytes()
              break
            }
            case 9: {
              obj.dice = reader.double()
              break
            }
            case 11: {
              obj.software = reader.string()
              break
            }
            case 12: {
              if (opts.limits?.protocols != null && obj.protocols.length === opts.limits.protocols) {
                throw new MaxLengthError('Decode error - repeated field "protocols" had too many elements')
              }

              obj.protocols.push(reader.string())
              break
            }
            case 13: {
              obj.stepsTrained = reader.uint32()
              break
            }
            case 14: {
              obj.stepsArrived = reader.uint32()
              break
            }
            case 15: {
              obj.pace = reader.double()
              break
            }
            case 16: {
              obj.credential = reader.bytes()
              break
            }
            case 17: {
              if (opts.limits?.fitsAsIs != null && obj.fitsAsIs.length === opts.limits.fitsAsIs) {
                throw new MaxLengthError('Decode error - repeated field "fitsAsIs" had too many elements')
              }

              obj.fitsAsIs.push(reader.uint32())
              break
            }
            case 18: {
              if (opts.limits?.fitsExchanged != null && obj.fitsExchanged.length === opts.limits.fitsExchanged) {
                throw new MaxLengthError('Decode error - repeated field "fitsExchanged" had too many elements')
              }

              obj.fitsExchanged.push(reader.uint32())
              break
            }
            case 19: {
              if (opts.limits?.classDice != null && obj.classDice.length === opts.limits.classDice) {
                throw new MaxLengthError('Decode error - repeated field "classDice" had too many elements')
              }

              obj.classDice.push(reader.double())
              break
            }
            case 20: {
              obj.instance = reader.uint32()
              break
            }
            case 21: {
              obj.scoredRound = reader.uint32()
              break
            }
            case 22: {
              obj.globalDice = reader.double()
              break
            }
            case 23: {
              obj.validationImages = reader.uint32()
              break
            }
            case 25: {
              obj.facts = reader.bytes()
              break
            }
            case 24: {
              obj.reads = reader.bool()
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
          protocols: 0,
          fitsAsIs: 0,
          fitsExchanged: 0,
          classDice: 0
        }

        const end = length == null ? reader.len : reader.pos + length

        while (reader.pos < end) {
          const tag = reader.uint32()

          switch (tag >>> 3) {
            case 1: {
              yield {
                field: `${prefix}.sequence`,
                value: reader.uint64()
              }
              break
            }
            case 2: {
              yield {
                field: `${prefix}.round`,
                value: reader.uint32()
              }
              break
            }
            case 3: {
              yield {
                field: `${prefix}.rounds`,
                value: reader.uint32()
              }
              break
            }
            case 4: {
              yield {
                field: `${prefix}.phase`,
                value: reader.string()
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
                field: `${prefix}.schemaHash`,
                value: reader.bytes()
              }
              break
            }
            case 7: {
              yield {
                field: `${prefix}.digest`,
                value: reader.bytes()
              }
              break
            }
            case 8: {
              yield {
                field: `${prefix}.sketch`,
                value: reader.bytes()
              }
              break
            }
            case 9: {
              yield {
                field: `${prefix}.dice`,
                value: reader.double()
              }
              break
            }
            case 11: {
              yield {
                field: `${prefix}.software`,
                value: reader.string()
              }
              break
            }
            case 12: {
              if (opts.limits?.protocols != null && obj.protocols === opts.limits.protocols) {
                throw new MaxLengthError('Streaming decode error - repeated field "protocols" had too many elements')
              }

              yield {
                field: `${prefix}.protocols[]`,
                index: obj.protocols,
                value: reader.string()
              }

              obj.protocols++

              break
            }
            case 13: {
              yield {
                field: `${prefix}.stepsTrained`,
                value: reader.uint32()
              }
              break
            }
            case 14: {
              yield {
                field: `${prefix}.stepsArrived`,
                value: reader.uint32()
              }
              break
            }
            case 15: {
              yield {
                field: `${prefix}.pace`,
                value: reader.double()
              }
              break
            }
            case 16: {
              yield {
                field: `${prefix}.credential`,
                value: reader.bytes()
              }
              break
            }
            case 17: {
              if (opts.limits?.fitsAsIs != null && obj.fitsAsIs === opts.limits.fitsAsIs) {
                throw new MaxLengthError('Streaming decode error - repeated field "fitsAsIs" had too many elements')
              }

              yield {
                field: `${prefix}.fitsAsIs[]`,
                index: obj.fitsAsIs,
                value: reader.uint32()
              }

              obj.fitsAsIs++

              break
            }
            case 18: {
              if (opts.limits?.fitsExchanged != null && obj.fitsExchanged === opts.limits.fitsExchanged) {
                throw new MaxLengthError('Streaming decode error - repeated field "fitsExchanged" had too many elements')
              }

              yield {
                field: `${prefix}.fitsExchanged[]`,
                index: obj.fitsExchanged,
                value: reader.uint32()
              }

              obj.fitsExchanged++

              break
            }
            case 19: {
              if (opts.limits?.classDice != null && obj.classDice === opts.limits.classDice) {
                throw new MaxLengthError('Streaming decode error - repeated field "classDice" had too many elements')
              }

              yield {
                field: `${prefix}.classDice[]`,
                index: obj.classDice,
                value: reader.double()
              }

              obj.classDice++

              break
            }
            case 20: {
              yield {
                field: `${prefix}.instance`,
                value: reader.uint32()
              }
              break
            }
            case 21: {
              yield {
                field: `${prefix}.scoredRound`,
                value: reader.uint32()
              }
              break
            }
            case 22: {
              yield {
                field: `${prefix}.globalDice`,
                value: reader.double()
              }
              break
            }
            case 23: {
              yield {
                field: `${prefix}.validationImages`,
                value: reader.uint32()
              }
              break
            }
            case 25: {
              yield {
                field: `${prefix}.facts`,
                value: reader.bytes()
              }
              break
            }
            case 24: {
              yield {
                field: `${prefix}.reads`,
                value: reader.bool()
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

  export interface AnnouncementFrameSequenceFieldEvent {
    field: '$.sequence'
    value: bigint
  }

  export interface AnnouncementFrameRoundFieldEvent {
    field: '$.round'
    value: number
  }

  export interface AnnouncementFrameRoundsFieldEvent {
    field: '$.rounds'
    value: number
  }

  export interface AnnouncementFramePhaseFieldEvent {
    field: '$.phase'
    value: string
  }

  export interface AnnouncementFrameMassFieldEvent {
    field: '$.mass'
    value: number
  }

  export interface AnnouncementFrameSchemaHashFieldEvent {
    field: '$.schemaHash'
    value: Uint8Array<ArrayBuffer>
  }

  export interface AnnouncementFrameDigestFieldEvent {
    field: '$.digest'
    value: Uint8Array<ArrayBuffer>
  }

  export interface AnnouncementFrameSketchFieldEvent {
    field: '$.sketch'
    value: Uint8Array<ArrayBuffer>
  }

  export interface AnnouncementFrameDiceFieldEvent {
    field: '$.dice'
    value: number
  }

  export interface AnnouncementFrameSoftwareFieldEvent {
    field: '$.software'
    value: string
  }

  export interface AnnouncementFrameProtocolsFieldEvent {
    field: '$.protocols[]'
    index: number
    value: string
  }

  export interface AnnouncementFrameStepsTrainedFieldEvent {
    field: '$.stepsTrained'
    value: number
  }

  export interface AnnouncementFrameStepsArrivedFieldEvent {
    field: '$.stepsArrived'
    value: number
  }

  export interface AnnouncementFramePaceFieldEvent {
    field: '$.pace'
    value: number
  }

  export interface AnnouncementFrameCredentialFieldEvent {
    field: '$.credential'
    value: Uint8Array<ArrayBuffer>
  }

  export interface AnnouncementFrameFitsAsIsFieldEvent {
    field: '$.fitsAsIs[]'
    index: number
    value: number
  }

  export interface AnnouncementFrameFitsExchangedFieldEvent {
    field: '$.fitsExchanged[]'
    index: number
    value: number
  }

  export interface AnnouncementFrameClassDiceFieldEvent {
    field: '$.classDice[]'
    index: number
    value: number
  }

  export interface AnnouncementFrameInstanceFieldEvent {
    field: '$.instance'
    value: number
  }

  export interface AnnouncementFrameScoredRoundFieldEvent {
    field: '$.scoredRound'
    value: number
  }

  export interface AnnouncementFrameGlobalDiceFieldEvent {
    field: '$.globalDice'
    value: number
  }

  export interface AnnouncementFrameValidationImagesFieldEvent {
    field: '$.validationImages'
    value: number
  }

  export interface AnnouncementFrameFactsFieldEvent {
    field: '$.facts'
    value: Uint8Array<ArrayBuffer>
  }

  export interface AnnouncementFrameReadsFieldEvent {
    field: '$.reads'
    value: boolean
  }

  export function encode (obj: Partial<AnnouncementFrame>): Uint8Array<ArrayBuffer> {
    return encodeMessage(obj, AnnouncementFrame.codec())
  }

  export function decode (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<AnnouncementFrame>): AnnouncementFrame {
    return decodeMessage(buf, AnnouncementFrame.codec(), opts)
  }

  export function stream (buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<AnnouncementFrame>): Generator<AnnouncementFrameSequenceFieldEvent | AnnouncementFrameRoundFieldEvent | AnnouncementFrameRoundsFieldEvent | AnnouncementFramePhaseFieldEvent | AnnouncementFrameMassFieldEvent | AnnouncementFrameSchemaHashFieldEvent | AnnouncementFrameDigestFieldEvent | AnnouncementFrameSketchFieldEvent | AnnouncementFrameDiceFieldEvent | AnnouncementFrameSoftwareFieldEvent | AnnouncementFrameProtocolsFieldEvent | AnnouncementFrameStepsTrainedFieldEvent | AnnouncementFrameStepsArrivedFieldEvent | AnnouncementFramePaceFieldEvent | AnnouncementFrameCredentialFieldEvent | AnnouncementFrameFitsAsIsFieldEvent | AnnouncementFrameFitsExchangedFieldEvent | AnnouncementFrameClassDiceFieldEvent | AnnouncementFrameInstanceFieldEvent | AnnouncementFrameScoredRoundFieldEvent | AnnouncementFrameGlobalDiceFieldEvent | AnnouncementFrameValidationImagesFieldEvent | AnnouncementFrameFactsFieldEvent | AnnouncementFrameReadsFieldEvent> {
    return streamMessage(buf, AnnouncementFrame.codec(), opts)
  }
}
