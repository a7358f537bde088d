import { fromString } from 'uint8arrays/from-string'
import { toString } from 'uint8arrays/to-string'
import { VERSION_TEXT } from '../../common/software.ts'
import { ProtocolError } from '../../errors.ts'
import { AnnouncementFrame } from './pb/announcement.ts'

type Pair = readonly [number, number]

/** What a site says about itself to the whole federation. */
export interface Announcement {
  readonly round: number
  /** One word: what the site does at present. */
  readonly phase: string
  /** 64 hex digits. */
  readonly schemaHash: string
  /** 64 numbers. */
  readonly sketch: Float32Array
  /** Validation Dice, 0 … 1. */
  readonly dice?: number
  /** The same by class, in the order of the federation's classes; undefined for one that its validation images do not show. */
  readonly classDice?: readonly (number | undefined)[]
  /** Version of the software; none where it is older than 0.2.0. */
  readonly software?: string
  /** `name/version` of each protocol that it speaks. */
  readonly protocols: readonly string[]
  /** Of its training: optimiser steps in its adapter, and those that reached another site. None from software before 0.2.0. */
  readonly steps?: { readonly trained: number, readonly arrived: number }
  /** Part of a round's steps that it trains, above 0 to 1. */
  readonly pace?: number
  /** The last round that it scored: Dice of the global adapter, and of how many validation images. */
  readonly scored?: { readonly round: number, readonly dice: number, readonly images: number } | undefined
  /** How its masks agree with the federation's model, where the federation names classes. */
  readonly labelFits?: { readonly asIs: readonly Pair[], readonly exchanged: readonly Pair[] }
  /** A site without labels: it says nothing of training or scores. */
  readonly reads?: true
  /** What the federation's document lets sites announce beside this, as it passed the gate of facts. */
  readonly facts?: Float32Array
}

export const MAX_ANNOUNCEMENT_BYTES = 4096
const HASH_BYTES = 32
const SKETCH_FLOATS = 64
const MAX_ROUNDS = 1_000_000
/** Of facts, whatever a document says. */
const MOST_FACTS = 512
const PHASE = /^[A-Za-z-]{1,32}$/
const PROTOCOL = /^[a-z-]{1,32}\/[\w.-]{1,16}$/
const MOST_PROTOCOLS = 32
// Every two of 16 classes, and some.
const MOST_PAIRS = 128
const MOST_VALUE = 255
const MOST_CLASSES = 16
const NONE = -1
const LIMITS = { protocols: MOST_PROTOCOLS, classDice: MOST_CLASSES, fitsAsIs: 2 * MOST_PAIRS, fitsExchanged: 2 * MOST_PAIRS }
const NOTHING = new Uint8Array()
const NO_FACTS = new Float32Array()
// Nobody reads these any more, but software 0.1.0 refuses an announcement without them.
const FOR_OLD_SITES = { mass: 1, digest: new Uint8Array(HASH_BYTES) }

/** Of the author, not of what it says. */
export interface Author {
  /** What the author shows in a greeting; left out where an announcement has no room for it. */
  readonly credential?: Uint8Array | undefined
  /** What the author's process drew at its start; 0 where it does not say. */
  readonly instance?: number | undefined
}

/** `sequence` grows with every message of a site. */
export function encodeAnnouncement (announcement: Announcement, sequence: bigint, { credential, instance }: Author = {}): Uint8Array {
  const whole = encode(announcement, sequence, { credential, instance })
  return whole.length > MAX_ANNOUNCEMENT_BYTES ? encode(announcement, sequence, { instance }) : whole
}

function encode (announcement: Announcement, sequence: bigint, { credential = NOTHING, instance = 0 }: Author): Uint8Array {
  const { round, phase, schemaHash, sketch, dice, classDice = [], software = '', protocols, steps, pace, labelFits, scored } = announcement
  const { reads = false, facts } = announcement
  return AnnouncementFrame.encode({
    sequence,
    round,
    rounds: round,
    phase,
    schemaHash: fromString(schemaHash, 'base16').slice(),
    sketch: floatBytes(sketch),
    software,
    protocols: [...protocols],
    credential: credential.slice(),
    instance,
    ...FOR_OLD_SITES,
    ...(dice == null ? {} : { dice }),
    ...(scored == null ? {} : { scoredRound: scored.round, globalDice: scored.dice, validationImages: scored.images }),
    ...(steps == null ? {} : { stepsTrained: steps.trained, stepsArrived: steps.arrived }),
    classDice: classDice.map((each) => each ?? NONE),
    fitsAsIs: flat(labelFits?.asIs),
    fitsExchanged: flat(labelFits?.exchanged),
    ...(pace == null ? {} : { pace }),
    reads,
    facts: floatBytes(facts)
  })
}

export interface SignedAnnouncement {
  readonly sequence: bigint
  /** 0 where it does not say. */
  readonly instance: number
  /** Of its author; missing where it shows none. */
  readonly credential?: Uint8Array
  readonly announcement: Announcement
}

/** What the documents of a federation let its sites announce. */
export interface Announceable {
  /** No later round; any if not given. */
  readonly rounds?: number | undefined
  /** How many numbers facts have; any within the cap if not given. */
  readonly facts?: number | undefined
}

/** ProtocolError for anything that no honest site of such a federation announces. */
export function decodeAnnouncement (
  bytes: Uint8Array,
  { rounds = MAX_ROUNDS, facts: factCount }: Announceable = {}
): SignedAnnouncement {
  if (bytes.length > MAX_ANNOUNCEMENT_BYTES) {
    throw new ProtocolError(`an announcement of ${bytes.length} bytes; the most is ${MAX_ANNOUNCEMENT_BYTES}`)
  }
  const frame = parse(bytes)
  const { sequence, credential, instance, round, phase, software, protocols } = frame
  const [sketch, facts] = [readFloats(frame.sketch), readFloats(frame.facts)]
  const checks: [string, boolean][] = [
    ['round', round <= rounds],
    ['phase', PHASE.test(phase)],
    ['schema hash', frame.schemaHash.length === HASH_BYTES],
    ['sketch', sketch.length === SKETCH_FLOATS && sketch.every(Number.isFinite)],
    ['fact', areFacts(frame, facts, factCount)],
    ['scored round', (frame.scoredRound ?? 0) <= rounds],
    ['Dice', dicesOf(frame).every(isDice)],
    ['software', software === '' || VERSION_TEXT.test(software)],
    ['count of steps', areSteps(frame)],
    ['pace', isShare(frame.pace ?? 1)],
    ['score of a site without labels', !frame.reads || hasNoScores(frame)],
    ['pair of labels', [frame.fitsAsIs, frame.fitsExchanged].every(arePairs)],
    ['protocol', protocols.every((each) => PROTOCOL.test(each))]
  ]
  const wrong = checks.find(([, ok]) => !ok)
  if (wrong != null) throw new ProtocolError(`an announcement with an impossible ${wrong[0]}`)
  return { sequence, instance, ...(credential.length === 0 ? {} : { credential }), announcement: announcementOf(frame, sketch, facts) }
}

function announcementOf (frame: AnnouncementFrame, sketch: Float32Array, facts: Float32Array): Announcement {
  const { round, phase, dice, software, protocols } = frame
  return {
    round,
    phase,
    schemaHash: toString(frame.schemaHash, 'base16'),
    sketch,
    protocols,
    ...(dice == null ? {} : { dice }),
    ...trainingOf(frame),
    ...scoredOf(frame),
    ...labelFitsOf(frame),
    ...(frame.reads ? { reads: true } : {}),
    ...(frame.classDice.length === 0 ? {} : { classDice: frame.classDice.map((each) => each === NONE ? undefined : each) }),
    ...(software === '' ? {} : { software }),
    ...(facts.length === 0 ? {} : { facts })
  }
}

function dicesOf ({ dice = 0, globalDice = 0, classDice }: AnnouncementFrame): number[] {
  return [dice, globalDice, ...classDice.filter((each) => each !== NONE)]
}

function hasNoScores ({ dice, globalDice, stepsTrained, classDice, fitsAsIs, fitsExchanged }: AnnouncementFrame): boolean {
  const isNone = [classDice, fitsAsIs, fitsExchanged].every(({ length }) => length === 0)
  return isNone && [dice, globalDice, stepsTrained].every((each) => each == null)
}

/** None, as long as a site has none to say, or all of them; a site without labels says none. */
function areFacts ({ facts: bytes, reads }: AnnouncementFrame, facts: Float32Array, count = facts.length): boolean {
  if (bytes.length === 0) return true
  const isWhole = bytes.length === 4 * facts.length && facts.length === count && facts.length <= MOST_FACTS
  return isWhole && !reads && facts.every(Number.isFinite)
}

function areSteps ({ stepsTrained = 0, stepsArrived = 0 }: AnnouncementFrame): boolean {
  return stepsArrived <= stepsTrained
}

function isDice (value: number): boolean {
  return value >= 0 && value <= 1
}

function isShare (value: number): boolean {
  return value > 0 && value <= 1
}

function trainingOf ({ stepsTrained: trained, stepsArrived: arrived, pace }: AnnouncementFrame): Pick<Announcement, 'steps' | 'pace'> {
  return { ...(trained == null || arrived == null ? {} : { steps: { trained, arrived } }), ...(pace == null ? {} : { pace }) }
}

function scoredOf ({ scoredRound: round, globalDice: dice, validationImages: images }: AnnouncementFrame): Pick<Announcement, 'scored'> {
  return round == null || dice == null || images == null || images === 0 ? {} : { scored: { round, dice, images } }
}

/** The first pairs, where there are more than a frame may hold. */
function flat (pairs: readonly Pair[] = []): number[] {
  return pairs.slice(0, MOST_PAIRS).flat()
}

function arePairs (values: readonly number[]): boolean {
  return values.length % 2 === 0 && values.every((value) => value <= MOST_VALUE)
}

function labelFitsOf ({ fitsAsIs, fitsExchanged }: AnnouncementFrame): Pick<Announcement, 'labelFits'> {
  const pairs = (values: readonly number[]): Pair[] => values.flatMap((a, i) => i % 2 === 0 ? [[a, values[i + 1]!] as const] : [])
  if (fitsAsIs.length === 0 && fitsExchanged.length === 0) return {}
  return { labelFits: { asIs: pairs(fitsAsIs), exchanged: pairs(fitsExchanged) } }
}

function parse (bytes: Uint8Array): AnnouncementFrame {
  try {
    return AnnouncementFrame.decode(bytes, { limits: LIMITS })
  } catch {
    throw new ProtocolError('an announcement that cannot be decoded')
  }
}

function floatBytes (values: Float32Array = NO_FACTS): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 * values.length)
  const view = new DataView(bytes.buffer)
  values.forEach((value, index) => { view.setFloat32(4 * index, value, true) })
  return bytes
}

function readFloats (bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => view.getFloat32(4 * index, true))
}
