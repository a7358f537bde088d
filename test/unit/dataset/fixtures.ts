import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import type { Fitted, Slice } from '../../../src/dataset/index.ts'

export type Matrix = readonly (readonly number[])[]

export interface NiftiSpec {
  dims: readonly number[]
  /** i fastest */
  values: readonly number[]
  datatype?: number
  littleEndian?: boolean
  version?: 1 | 2
  slope?: number
  intercept?: number
  sform?: Matrix
  /** pixdim[0..3] and quaternion b, c, d, offset x, y, z */
  qform?: { pixdim: readonly number[], quaternion: readonly number[], offset: readonly number[] }
  pixdim?: readonly number[]
  text?: string
  /** xyzt_units */
  unit?: number
}

const BYTES: Record<number, number> = { 2: 1, 4: 2, 8: 4, 16: 4, 64: 8, 256: 1, 512: 2, 768: 4, 1024: 8, 1280: 8, 128: 3 }

const PUT: Record<number, (view: DataView, at: number, value: number, little: boolean) => void> = {
  2: (view, at, value) => { view.setUint8(at, value) },
  4: (view, at, value, little) => { view.setInt16(at, value, little) },
  8: (view, at, value, little) => { view.setInt32(at, value, little) },
  16: (view, at, value, little) => { view.setFloat32(at, value, little) },
  64: (view, at, value, little) => { view.setFloat64(at, value, little) },
  256: (view, at, value) => { view.setInt8(at, value) },
  512: (view, at, value, little) => { view.setUint16(at, value, little) },
  768: (view, at, value, little) => { view.setUint32(at, value, little) },
  1024: (view, at, value, little) => { view.setBigInt64(at, BigInt(value), little) },
  1280: (view, at, value, little) => { view.setBigUint64(at, BigInt(value), little) }
}

interface Places {
  readonly size: number
  readonly magic: readonly [number, readonly number[]]
  readonly dim: number
  readonly datatype: number
  readonly pixdim: number
  readonly offset: number
  readonly slope: number
  readonly text: number
  readonly unit: number
  readonly codes: readonly [number, number]
  readonly qform: number
  readonly sform: number
}

const PLACES: Record<1 | 2, Places> = {
  1: {
    size: 348,
    magic: [344, [0x6e, 0x2b, 0x31, 0]],
    dim: 40,
    datatype: 70,
    pixdim: 76,
    offset: 108,
    slope: 112,
    text: 148,
    unit: 123,
    codes: [252, 254],
    qform: 256,
    sform: 280
  },
  2: {
    size: 540,
    magic: [4, [0x6e, 0x2b, 0x32, 0, 0x0d, 0x0a, 0x1a, 0x0a]],
    dim: 16,
    datatype: 12,
    pixdim: 104,
    offset: 168,
    slope: 176,
    text: 240,
    unit: 500,
    codes: [344, 348],
    qform: 352,
    sform: 400
  }
}

/** Writes numbers one after the other in the widths of a NIfTI version. */
function writers (
  view: DataView,
  version: 1 | 2,
  little: boolean
): Record<'reals' | 'counts' | 'codes', (at: number, values: readonly number[]) => void> {
  const [real, count, code] = version === 1 ? [16, 4, 4] : [64, 1024, 8]
  const write = (type: number) => (at: number, values: readonly number[]) => {
    values.forEach((value, i) => {
      PUT[type]!(view, at + i * BYTES[type]!, value, little)
    })
  }
  return { reals: write(real), counts: write(count), codes: write(code) }
}

const DEFAULTS = { datatype: 2, littleEndian: true, version: 1, slope: 0, intercept: 0, pixdim: [1, 1, 1, 1], text: '', unit: 0 } as const

/** A NIfTI file written field by field from the standard, independently of any library. */
export function niftiBytes (spec: NiftiSpec): Uint8Array<ArrayBuffer> {
  const { dims, values, datatype, littleEndian, version, slope, intercept, pixdim, text, unit, qform, sform }:
    & Required<Omit<NiftiSpec, 'qform' | 'sform'>>
    & NiftiSpec = { ...DEFAULTS, ...spec }
  const at = PLACES[version]
  const start = at.size + 4
  const width = BYTES[datatype]!
  const file = new Uint8Array(start + values.length * width)
  const view = new DataView(file.buffer)
  const { reals, counts, codes } = writers(view, version, littleEndian)
  view.setInt32(0, at.size, littleEndian)
  file.set(at.magic[1], at.magic[0])
  file.set(new TextEncoder().encode(text), at.text)
  if (version === 1) view.setUint8(at.unit, unit)
  else view.setInt32(at.unit, unit, littleEndian)
  counts(at.dim, [dims.length, ...dims, ...Array<number>(7 - dims.length).fill(1)])
  view.setInt16(at.datatype, datatype, littleEndian)
  view.setInt16(at.datatype + 2, width * 8, littleEndian)
  reals(at.pixdim, qform?.pixdim ?? pixdim)
  ;(version === 1 ? reals : counts)(at.offset, [start])
  reals(at.slope, [slope, intercept])
  codes(at.codes[0], [qform == null ? 0 : 1])
  codes(at.codes[1], [sform == null ? 0 : 1])
  reals(at.qform, qform == null ? [] : [...qform.quaternion, ...qform.offset])
  reals(at.sform, sform?.flat() ?? [])
  values.forEach((value, i) => { PUT[datatype]?.(view, start + i * width, value, littleEndian) })
  return file
}

/** pixdim and quaternion of a rotation (or, with a mirrored third axis, an improper one), by the recipe of the NIfTI standard. */
export function qformOf (affine: Matrix): NonNullable<NiftiSpec['qform']> {
  const size = [0, 1, 2].map((axis) => Math.hypot(...affine.map((row) => row[axis]!)))
  const r = affine.map((row) => [0, 1, 2].map((axis) => row[axis]! / size[axis]!))
  const m = (i: number, j: number): number => r[i]![j]!
  const det = m(0, 0) * (m(1, 1) * m(2, 2) - m(1, 2) * m(2, 1)) - m(0, 1) * (m(1, 0) * m(2, 2) - m(1, 2) * m(2, 0)) +
    m(0, 2) * (m(1, 0) * m(2, 1) - m(1, 1) * m(2, 0))
  const qfac = det < 0 ? -1 : 1
  r.forEach((row) => { row[2] = row[2]! * qfac })
  // Symmetric matrix whose greatest eigenvector is the quaternion (a, b, c, d): found by repeated multiplication.
  const k = [
    [m(0, 0) + m(1, 1) + m(2, 2), m(2, 1) - m(1, 2), m(0, 2) - m(2, 0), m(1, 0) - m(0, 1)],
    [m(2, 1) - m(1, 2), m(0, 0) - m(1, 1) - m(2, 2), m(1, 0) + m(0, 1), m(2, 0) + m(0, 2)],
    [m(0, 2) - m(2, 0), m(1, 0) + m(0, 1), m(1, 1) - m(0, 0) - m(2, 2), m(2, 1) + m(1, 2)],
    [m(1, 0) - m(0, 1), m(2, 0) + m(0, 2), m(2, 1) + m(1, 2), m(2, 2) - m(0, 0) - m(1, 1)]
  ]
  let q = [0.9, 0.31, 0.2, 0.11]
  for (let i = 0; i < 200; i++) {
    const next = k.map((row, at) => 4 * q[at]! + row.reduce((sum, value, j) => sum + value * q[j]!, 0))
    const norm = Math.hypot(...next)
    q = next.map((value) => value / norm)
  }
  const sign = q[0]! < 0 ? -1 : 1
  return { pixdim: [qfac, ...size], quaternion: q.slice(1).map((value) => value * sign), offset: affine.map((row) => row[3]!) }
}

/** A temporary folder with the given files (bytes or text), removed after the test by `clear`. */
export async function folderOf (files: Record<string, Uint8Array | string>): Promise<{ path: string, clear: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'dataset-'))
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true })
    if (!name.endsWith('/.keep')) await writeFile(join(path, name), content)
  }
  return { path, clear: async () => { await rm(path, { recursive: true, force: true }) } }
}

export async function png (height: number, width: number, pixel: (x: number, y: number) => number): Promise<Uint8Array> {
  return await sharp(pixels(height, width, pixel), { raw: { height, width, channels: 1 } }).toColourspace('b-w').png().toBuffer()
}

export function pixels (height: number, width: number, pixel: (x: number, y: number) => number): Uint8Array {
  return Uint8Array.from({ length: height * width }, (_, i) => pixel(i % width, Math.floor(i / width)))
}

export function gz (bytes: Uint8Array): Uint8Array {
  return gzipSync(bytes)
}

export function fitted (height: number, width: number, side: number, change: Partial<Fitted> = {}): Fitted {
  return {
    id: 'x',
    height,
    width,
    side,
    fittedHeight: height,
    fittedWidth: width,
    channels: 1,
    image: pixels(height, width, (x, y) => (x * 7 + y * 31) % 256),
    mask: pixels(height, width, (x, y) => (x * 5 + y * 3) % 4 === 0 ? 1 : 0),
    ...change
  }
}

export function slice (subject: string, index: number, change: Partial<Slice> = {}): Slice {
  return {
    id: `${subject}#${index}`,
    subject,
    index,
    height: 2,
    width: 2,
    channels: 1,
    image: new Uint8Array(4),
    mask: new Uint8Array(4),
    ...change
  }
}
