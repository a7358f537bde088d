import { fromString } from 'uint8arrays/from-string'
import { toString } from 'uint8arrays/to-string'
import { ProtocolError } from '../../errors.ts'
import { AnnouncementFrame } from './pb/announcement.ts'

/** What a site says about itself to the whole federation. */
export interface Announcement {
  readonly round: number
  readonly rounds: number
  /** One word: what the site does at present. */
  readonly phase: string
  /** Mass in averages, > 0. */
  readonly mass: number
  /** 64 hex digits. */
  readonly schemaHash: string
  /** SHA-256 of the global adapter's values, 64 hex digits. */
  readonly digest: string
  /** 64 numbers. */
  readonly sketch: Float32Array
  /** Validation Dice, 0 … 1. */
  readonly dice?: number
  /** Committed exchanges so far. */
  readonly exchanges: number
}

export const MAX_ANNOUNCEMENT_BYTES = 4096
const HASH_BYTES = 32
const SKETCH_FLOATS = 64
const MAX_ROUNDS = 1_000_000
const PHASE = /^[A-Za-z-]{1,32}$/

export function encodeAnnouncement (announcement: Announcement, sequence: bigint): Uint8Array {
  const { round, rounds, phase, mass, schemaHash, digest, sketch, dice, exchanges } = announcement
  const bytes = new Uint8Array(4 * sketch.length)
  const view = new DataView(bytes.buffer)
  sketch.forEach((value, index) => { view.setFloat32(4 * index, value, true) })
  return AnnouncementFrame.encode({
    sequence,
    round,
    rounds,
    phase,
    mass,
    schemaHash: fromString(schemaHash, 'base16').slice(),
    digest: fromString(digest, 'base16').slice(),
    sketch: bytes,
    exchanges,
    ...(dice == null ? {} : { dice })
  })
}

/** ProtocolError for anything that no honest site announces. */
export function decodeAnnouncement (bytes: Uint8Array): { sequence: bigint, announcement: Announcement } {
  if (bytes.length > MAX_ANNOUNCEMENT_BYTES) {
    throw new ProtocolError(`an announcement of ${bytes.length} bytes; the most is ${MAX_ANNOUNCEMENT_BYTES}`)
  }
  const frame = parse(bytes)
  const { sequence, round, rounds, phase, mass, dice, exchanges } = frame
  const sketch = readSketch(frame.sketch)
  const checks: [string, boolean][] = [
    ['round', rounds <= MAX_ROUNDS && round <= rounds],
    ['phase', PHASE.test(phase)],
    ['mass', mass > 0 && mass < Infinity],
    ['schema hash', frame.schemaHash.length === HASH_BYTES],
    ['digest', frame.digest.length === HASH_BYTES],
    ['sketch', sketch.length === SKETCH_FLOATS && sketch.every(Number.isFinite)],
    ['Dice', dice == null || (dice >= 0 && dice <= 1)]
  ]
  const wrong = checks.find(([, ok]) => !ok)
  if (wrong != null) throw new ProtocolError(`an announcement with an impossible ${wrong[0]}`)
  const schemaHash = toString(frame.schemaHash, 'base16')
  const digest = toString(frame.digest, 'base16')
  return {
    sequence,
    announcement: { round, rounds, phase, mass, schemaHash, digest, sketch, exchanges, ...(dice == null ? {} : { dice }) }
  }
}

function parse (bytes: Uint8Array): AnnouncementFrame {
  try {
    return AnnouncementFrame.decode(bytes)
  } catch {
    throw new ProtocolError('an announcement that cannot be decoded')
  }
}

function readSketch (bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => view.getFloat32(4 * index, true))
}
