import { InputError } from '../../errors.ts'
import { readCapped } from './file.ts'
import { notRead } from './known-formats.ts'
import type { Triple } from './nifti-header.ts'
import type { Volume } from './nifti.ts'
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
const LAST = /^ElementDataFile\s*=\s*(.*?)\s*\r?\n/m
const MAX_HEADER_BYTES = 2 ** 20

/** Reads .mha and .mhd with the file that it names. @throws InputError whose message is a reason without a file name */
export async function readMetaImage (file: string): Promise<Volume> {
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
  if (Number(fields.get('ElementNumberOfChannels') ?? 1) !== 1) {
    throw new InputError('the volume has several numbers per voxel (colour or channels); store one volume per file')
  }
  const dims = dimsOf(fields)
  const header = headerOf(dims, placeOf(fields))
  const name = last[1]!
  const data = await dataOf(file, name, bytes, end)
  const skip = Number(fields.get('HeaderSize') ?? 0)
  const voxels = await rawVoxels(skip > 0 && name !== 'LOCAL' ? data.subarray(skip) : data, {
    type,
    count: dims[0] * dims[1] * dims[2],
    bigEndian: isTrue(fields, 'BinaryDataByteOrderMSB') || isTrue(fields, 'ElementByteOrderMSB'),
    packing: packingOf(fields),
    atEnd: skip === -1
  })
  return { header, voxels, ...modalityOf(fields) }
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

function dimsOf (fields: Fields): Triple {
  const [i = 0, j = 0, k = 1, ...further] = numbers(fields, 'DimSize')
  if (further.some((size) => size !== 1)) {
    throw new InputError('the volume has a fourth dimension (time or channels); store one volume per file')
  }
  return [i, j, k]
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

async function dataOf (file: string, name: string, bytes: Buffer, end: number): Promise<Uint8Array> {
  if (/^local$/i.test(name)) return bytes.subarray(end)
  if (/^list/i.test(name) || name.includes('%')) throw new InputError('the MetaImage names several data files: store the volume in one')
  return await readDataFile(file, name)
}
