import { CorruptFileError, SchemaError } from '../errors.ts'
import { floatToHalfBits, halfToFloatBits } from './float16.ts'
import { readHeader, type Dtype, type TensorEntry } from './safetensors-header.ts'
import { elementCount, isUnsafeName } from './schema.ts'

/** A float32 tensor to be written. */
export interface NamedTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/** A tensor as it lies in a file. */
export interface StoredTensor {
  readonly dtype: Dtype
  readonly shape: readonly number[]
  /** F16 is widened to Float32Array. */
  readonly data: Float32Array | Int32Array | BigInt64Array | Uint8Array
}

const WIDTHS = { F32: 4, F16: 2, U8: 1 } as const
const LITTLE_ENDIAN_HOST = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** The numbers as the file format keeps them; a view of `data` where the host's byte order allows it. */
export function littleEndianBytes (data: Float32Array): Uint8Array {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  return LITTLE_ENDIAN_HOST ? bytes : Buffer.from(bytes).swap32()
}

/** The inverse, always a copy. */
export function littleEndianFloats (bytes: Uint8Array): Float32Array {
  const { buffer } = new Uint8Array(bytes)
  if (!LITTLE_ENDIAN_HOST) Buffer.from(buffer).swap32()
  return new Float32Array(buffer)
}

function fill<T extends { [index: number]: number | bigint, length: number }> (into: T, read: (index: number) => T[number]): T {
  for (let i = 0; i < into.length; i++) into[i] = read(i)
  return into
}

function widen (view: DataView, count: number): Float32Array {
  const data = new Float32Array(count)
  fill(new Uint32Array(data.buffer), (i) => halfToFloatBits(view.getUint16(2 * i, true)))
  return data
}

/** Views the bytes where the host's byte order and the alignment allow it, else copies. */
function readData (bytes: Uint8Array, { dtype, count }: TensorEntry): StoredTensor['data'] {
  const { buffer, byteOffset, byteLength } = bytes
  const view = new DataView(buffer, byteOffset, byteLength)
  const direct = LITTLE_ENDIAN_HOST && count > 0 && byteOffset % (byteLength / count) === 0
  switch (dtype) {
    case 'F32':
      return direct ? new Float32Array(buffer, byteOffset, count) : littleEndianFloats(bytes)
    case 'I32':
      return direct ? new Int32Array(buffer, byteOffset, count) : fill(new Int32Array(count), (i) => view.getInt32(4 * i, true))
    case 'I64':
      return direct ? new BigInt64Array(buffer, byteOffset, count) : fill(new BigInt64Array(count), (i) => view.getBigInt64(8 * i, true))
    case 'F16':
      return widen(view, count)
    case 'U8':
      return bytes
  }
}

/**
 * Reads a whole safetensors file; tensors may be views of `bytes`. CorruptFileError names the tensor that is wrong.
 * @example
 * ```ts
 * import { readSafetensors, writeSafetensors } from 'consilium'
 *
 * const file = writeSafetensors(new Map([['a', { shape: [2], data: Float32Array.of(1, 2) }]]))
 * console.log(readSafetensors(file).tensors.get('a')?.dtype) // F32
 * ```
 */
export function readSafetensors (bytes: Uint8Array): { tensors: Map<string, StoredTensor>, metadata: Record<string, string> } {
  const { entries, metadata, start } = readHeader(bytes)
  const tensors = new Map<string, StoredTensor>()
  for (const entry of entries) {
    const data = readData(bytes.subarray(start + entry.begin, start + entry.end), entry)
    tensors.set(entry.name, { dtype: entry.dtype, shape: entry.shape, data })
  }
  return { tensors, metadata }
}

/** As readSafetensors, for files that may hold nothing but F32 and F16. */
export function readFloatTensors (bytes: Uint8Array): { tensors: Map<string, NamedTensor>, metadata: Record<string, string> } {
  const { tensors, metadata } = readSafetensors(bytes)
  const floats = new Map<string, NamedTensor>()
  for (const [name, { dtype, shape, data }] of tensors) floats.set(name, { shape, data: requireFloats(name, dtype, data) })
  return { tensors: floats, metadata }
}

/** The numbers of one tensor from its own bytes; CorruptFileError unless they are F32 or F16. */
export function readFloats (bytes: Uint8Array, entry: TensorEntry): Float32Array {
  return requireFloats(entry.name, entry.dtype, readData(bytes, entry))
}

function requireFloats (name: string, dtype: Dtype, data: StoredTensor['data']): Float32Array {
  if (!(data instanceof Float32Array)) throw new CorruptFileError(`tensor ${name} is stored as ${dtype} where F32 or F16 is needed`)
  return data
}

function checkWritable (name: string, { shape, data }: NamedTensor): void {
  if (isUnsafeName(name)) throw new SchemaError(`"${name}" cannot be the name of a tensor in a safetensors file`)
  if (elementCount(shape) !== data.length) {
    throw new SchemaError(`tensor ${name} has ${data.length} numbers but the shape [${shape.join(', ')}]`)
  }
}

/** The bytes before the data of a file with these tensors, in the map's order. */
export function safetensorsHeader (
  shapes: ReadonlyMap<string, { readonly shape: readonly number[] }>,
  metadata: Record<string, string>,
  dtype: keyof typeof WIDTHS = 'F32'
): Uint8Array {
  let end = 0
  const entries = [...shapes].map(([name, { shape }]) => {
    const begin = end
    end += elementCount(shape) * WIDTHS[dtype]
    return [name, { dtype, shape, data_offsets: [begin, end] }]
  })
  const text = JSON.stringify(Object.fromEntries([['__metadata__', metadata], ...entries]))
  const json = new TextEncoder().encode(text)
  const header = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true)
  header.set(json, 8)
  return header
}

function writeHalves (view: DataView, offset: number, name: string, data: Float32Array): void {
  const bits = new Uint32Array(data.slice().buffer)
  for (let i = 0; i < bits.length; i++) {
    const half = floatToHalfBits(bits[i]!)
    if ((half & 0x7fff) === 0x7c00 && Number.isFinite(data[i])) {
      throw new SchemaError(`tensor ${name} holds ${data[i]}, which is too large for float16; write F32`)
    }
    view.setUint16(offset + 2 * i, half, true)
  }
}

/**
 * One safetensors file, tensors in the map's order; SchemaError when a shape, name or number does not fit.
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises'
 * import { writeSafetensors } from 'consilium'
 *
 * const tensors = new Map([['a', { shape: [2], data: Float32Array.of(1, 2) }]])
 * await writeFile('a.safetensors', writeSafetensors(tensors, { format: 'pt' }))
 * ```
 */
export function writeSafetensors (
  tensors: ReadonlyMap<string, NamedTensor>,
  metadata: Record<string, string> = {},
  dtype: 'F32' | 'F16' = 'F32'
): Uint8Array {
  let count = 0
  for (const [name, tensor] of tensors) {
    checkWritable(name, tensor)
    count += tensor.data.length
  }
  const header = safetensorsHeader(tensors, metadata, dtype)
  const bytes = new Uint8Array(header.length + count * (dtype === 'F32' ? 4 : 2))
  bytes.set(header)
  const view = new DataView(bytes.buffer)
  let offset = header.length
  for (const [name, { data }] of tensors) {
    if (dtype === 'F16') writeHalves(view, offset, name, data)
    else bytes.set(littleEndianBytes(data), offset)
    offset += data.length * (dtype === 'F32' ? 4 : 2)
  }
  return bytes
}
