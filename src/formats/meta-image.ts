import { InputError } from '../errors.ts'
import { readCapped } from './file.ts'
import { notRead } from './known-formats.ts'
import type { Triple } from './nifti-header.ts'
import type { Volume, Voxels } from './nifti.ts'
import { AS_STORED, headerOf, rawVoxels, readDataFile, type LeftPosterior, type NumberType, type RawData } from './raw-volume.ts'

const TYPES: Readonly<Record<string, NumberType>> = {
  MET_CHAR: 'int8',
  MET_UCHAR: 'uint8',
  MET_SHORT: 'int16',
  MET_USHORT: 'uint16',
  MET_INT: 'int32',
  MET_UINT: 'uint32',
  MET_LONG: 'int32',
  MET_ULONG: 'uint32',
  MET_LONG_LONG: 'int64',
  MET_ULONG_LONG: 'uint64',
  MET_FLOAT: 'float32',
  MET_DOUBLE: 'float64'
}
/** The last line of every header; what follows is data. */
const LAST = /^ElementDataFile[ \t]*=[ \t]*(.*?)[ \t]*\r?\n/m
const MAX_HEADER_BYTES = 2 ** 20

/** Reads .mha and .mhd with the file that it names. @throws InputError whose message is a reason without a file name */
export async function readMetaImage (file: string): Promise<Volume> {
  return (await readVolumes(file, false))[0]!
}

/** Every channel of .mha and .mhd: several numbers a voxel, or a fourth dimension. @throws InputError as `readMetaImage` does */
export async function readMetaImageChannels (file: string): Promise<Volume[]> {
  return await readVolumes(file, true)
}

async function readVolumes (file: string, several: boolean): Promise<Volume[]> {
  const bytes = await readCapped(file)
  const text = `${bytes.toString('latin1', 0, MAX_HEADER_BYTES)}\n`
  const last = LAST.exec(text)
  if (last == null) throw new InputError(notRead(bytes, 'meta-image', 'the file is not a MetaImage, or its header is damaged'))
  const end = last.index + last[0].length
  const fields = new Map(text.slice(0, end).split(/\r?\n/).map((line) => {
    const at = line.indexOf('=')
    return [line.slice(0, Math.max(0, at)).trim(), line.slice(at + 1).trim()]
  }))
  const type = TYPES[fields.get('ElementType') ?? '']
  if (type == null) throw new InputError('the voxel type of the MetaImage is not supported; store whole or floating-point numbers')
  const each = numbersEach(fields, several)
  const { dims, further } = dimsOf(fields, several)
  const size = dims[0] * dims[1] * dims[2]
  const header = headerOf(dims, placeOf(fields))
  const name = last[1]!
  const data = await dataOf(file, name, bytes, end)
  const skip = Number(fields.get('HeaderSize') ?? 0)
  const voxels = await rawVoxels(skip > 0 && name !== 'LOCAL' ? data.subarray(skip) : data, {
    type,
    count: size * each * further,
    bigEndian: isTrue(fields, 'BinaryDataByteOrderMSB') || isTrue(fields, 'ElementByteOrderMSB'),
    packing: packingOf(fields),
    atEnd: skip === -1
  })
  return Array.from({ length: each * further }, (_, at) => {
    const start = Math.floor(at / each) * size * each
    return { header, voxels: every(voxels.subarray(start, start + size * each), each, at % each), ...modalityOf(fields) }
  })
}

/** How many numbers a voxel has. */
function numbersEach (fields: Fields, several: boolean): number {
  const each = Number(fields.get('ElementNumberOfChannels') ?? 1)
  if (each !== 1 && !several) {
    throw new InputError('the volume has several numbers per voxel (colour or channels); store one volume per file')
  }
  if (!(Number.isInteger(each) && each >= 1)) throw new InputError('the file is not a MetaImage, or its header is damaged')
  return each
}

/** One number of so many that lie together. */
function every (voxels: Voxels, step: number, first: number): Voxels {
  if (step === 1) return voxels
  const out = voxels.slice(0, voxels.length / step)
  for (let i = 0; i < out.length; i++) out[i] = voxels[i * step + first]!
  return out
}

type Fields = ReadonlyMap<string, string>

function packingOf (fields: Fields): RawData['packing'] {
  if (isTrue(fields, 'CompressedData')) return 'zlib'
  return /^(false|f|0)$/i.test(fields.get('BinaryData') ?? '') ? 'text' : 'none'
}

function modalityOf (fields: Fields): Pick<Volume, 'modality'> {
  const modality = /^MET_MOD_(?!OTHER|UNKNOWN)(.+)$/.exec(fields.get('Modality') ?? '')?.[1]
  return modality == null ? {} : { modality: modality === 'CT' ? 'ct' : 'other' }
}

function isTrue (fields: Fields, key: string): boolean {
  return /^(true|t|1)$/i.test(fields.get(key) ?? '')
}

function numbers (fields: Fields, ...keys: readonly string[]): number[] {
  const text = keys.map((key) => fields.get(key)).find((value) => value != null)
  return (text?.match(/\S+/g) ?? []).map(Number)
}

function dimsOf (fields: Fields, several: boolean): { readonly dims: Triple, readonly further: number } {
  const [i = 0, j = 0, k = 1, ...further] = numbers(fields, 'DimSize')
  if (further.some((size) => size !== 1) && !(several && further.length === 1)) {
    throw new InputError('the volume has a fourth dimension (time or channels); store one volume per file')
  }
  return { dims: [i, j, k], further: further[0] ?? 1 }
}

/** The rows of TransformMatrix are the directions of the axes. */
function placeOf (fields: Fields): LeftPosterior {
  const count = Number(fields.get('NDims') ?? 3)
  const spacing = numbers(fields, 'ElementSpacing', 'ElementSize')
  const matrix = numbers(fields, 'TransformMatrix', 'Rotation', 'Orientation')
  const origin = numbers(fields, 'Offset', 'Position', 'Origin')
  const axes = AS_STORED.axes.map((axis, i) => axis.map((usual, world) => {
    const given = i < count && world < count ? matrix[i * count + world] : undefined
    return (given ?? usual) * (spacing[i] ?? 1)
  }))
  return { axes, origin: AS_STORED.origin.map((usual, world) => origin[world] ?? usual) }
}

async function dataOf (file: string, name: string, bytes: Buffer<ArrayBuffer>, end: number): Promise<Uint8Array<ArrayBuffer>> {
  if (/^local$/i.test(name)) return bytes.subarray(end)
  if (/^list/i.test(name) || name.includes('%')) throw new InputError('the MetaImage names several data files: store the volume in one')
  return await readDataFile(file, name)
}
