import { fromBufferPromise } from 'yauzl'
import { InputError } from '../../errors.ts'
import { toFloats } from '../map-into.ts'
import type { Voxels } from '../nifti.ts'
import { swapBytes } from '../swap-bytes.ts'
import { checkSize, DAMAGED, type Samples } from './samples.ts'

const MAX_BYTES = 1024 ** 3
/** A last dimension of these is grey, RGB or RGBA, unless the first is as short. */
const COLOURS = [1, 3, 4]
const MAX_CHANNELS = 4
/** NumPy's letters: b boolean, u and i whole numbers, f floating point, with bytes per number. */
const TYPES: Readonly<Record<string, (buffer: ArrayBuffer) => Voxels>> = {
  b1: (buffer) => new Uint8Array(buffer),
  u1: (buffer) => new Uint8Array(buffer),
  u2: (buffer) => new Uint16Array(buffer),
  u4: (buffer) => new Uint32Array(buffer),
  u8: (buffer) => toFloats(new BigUint64Array(buffer)),
  i1: (buffer) => new Int8Array(buffer),
  i2: (buffer) => new Int16Array(buffer),
  i4: (buffer) => new Int32Array(buffer),
  i8: (buffer) => toFloats(new BigInt64Array(buffer)),
  f2: (buffer) => Float32Array.from(new Uint16Array(buffer), fromHalf),
  f4: (buffer) => new Float32Array(buffer),
  f8: (buffer) => new Float64Array(buffer)
}

/** IEEE 754 binary16. */
function fromHalf (bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 === 0 ? 1 : -1, bits >> 10 & 31, bits & 1023]
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

/** Pages of a NumPy array of height×width, height×width×(1, 3 or 4) or pages×height×width. @throws InputError for others and damage */
export function decodeNpy (bytes: Buffer): Samples[] {
  const { descr, fortran, shape, start } = headerOf(bytes)
  const [order, type] = [descr[0], descr.slice(1)]
  const view = TYPES[type]
  if (view == null) {
    throw new InputError(`the numbers of the array (NumPy type ${descr}) are not read: store whole or floating-point numbers`)
  }
  const count = shape.reduce((product, side) => product * side, 1)
  const width = Number(type.slice(1))
  if (!(count > 0) || start + count * width > bytes.length) throw new InputError(DAMAGED)
  const body = Buffer.from(new Uint8Array(bytes.subarray(start, start + count * width)).buffer)
  if (order === '>') swapBytes(body, width)
  const data = view(body.buffer)
  return pagesOf(fortran ? rowsFirst(data, shape) : data, shape, 8 * width)
}

/** The only array of a .npz. @throws InputError for several and damage */
export async function decodeNpz (bytes: Buffer): Promise<Samples[]> {
  const zip = await fromBufferPromise(bytes)
  const entries = []
  for await (const entry of zip.eachEntry()) if (entry.fileName.endsWith('.npy')) entries.push(entry)
  const [entry] = entries
  if (entry == null) throw new InputError('the .npz holds no array')
  if (entries.length > 1) throw new InputError(`the .npz holds ${entries.length} arrays: store one array per file`)
  if (entry.uncompressedSize > MAX_BYTES) throw new InputError('the array unpacks to more than 1024 MiB')
  const parts: Buffer[] = []
  for await (const part of await zip.openReadStreamPromise(entry)) parts.push(part as Buffer)
  return decodeNpy(Buffer.concat(parts))
}

interface Header { readonly descr: string, readonly fortran: boolean, readonly shape: readonly number[], readonly start: number }

/** The header is the text of a Python dictionary with three keys. */
function headerOf (bytes: Buffer): Header {
  const long = bytes[6]! > 1
  const start = long ? 12 + bytes.readUInt32LE(8) : 10 + bytes.readUInt16LE(8)
  const text = bytes.toString('latin1', long ? 12 : 10, Math.min(start, bytes.length))
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1]
  const fortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1]
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1]
  if (descr == null || fortran == null || shape == null) {
    throw new InputError('the file holds no plain NumPy array: store whole or floating-point numbers')
  }
  return { descr, fortran: fortran === 'True', shape: shape.split(',').filter((side) => side.trim() !== '').map(Number), start }
}

/** Fortran order runs along the first axis fastest. */
function rowsFirst (data: Voxels, shape: readonly number[]): Voxels {
  const out = data.slice()
  const steps = shape.map((_, axis) => shape.slice(0, axis).reduce((product, side) => product * side, 1))
  const at = shape.map(() => 0)
  for (let i = 0; i < out.length; i++) {
    out[i] = data[at.reduce((sum, index, axis) => sum + index * steps[axis]!, 0)]!
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis] = at[axis]! + 1
      if (at[axis]! < shape[axis]!) break
      at[axis] = 0
    }
  }
  return out
}

function pagesOf (data: Voxels, shape: readonly number[], bits: number): Samples[] {
  const [a = 0, b = 0, c = 0] = shape
  if (shape.length !== 2 && shape.length !== 3) {
    throw new InputError(`the array has ${shape.length} dimensions: store height×width, or slices×height×width`)
  }
  if (shape.length === 2) return [page(data, a, b, 1, bits)]
  if (COLOURS.includes(c) && a > MAX_CHANNELS) return [page(data, a, b, c as 1 | 3 | 4, bits)]
  return Array.from({ length: a }, (_, at) => page(data.subarray(at * b * c, (at + 1) * b * c), b, c, 1, bits))
}

function page (data: Voxels, height: number, width: number, channels: 1 | 3 | 4, bits: number): Samples {
  checkSize(width, height)
  return { height, width, channels, data, bits }
}
