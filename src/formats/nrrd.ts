import { InputError } from '../errors.ts'
import { readCapped } from './file.ts'
import { notRead } from './known-formats.ts'
import type { Triple } from './nifti-header.ts'
import type { Volume, Voxels } from './nifti.ts'
import { AS_STORED, headerOf, rawVoxels, readDataFile, type LeftPosterior, type NumberType, type RawData } from './raw-volume.ts'
import { FOURTH, layersToLabels } from './segments.ts'

/** The names that teem.sourceforge.net/nrrd/format.html gives to types. */
const TYPES: Readonly<Record<NumberType, RegExp>> = {
  int8: /^(signed char|int8(_t)?)$/,
  uint8: /^(uchar|unsigned char|uint8(_t)?)$/,
  int16: /^(short|short int|signed short|signed short int|int16(_t)?)$/,
  uint16: /^(ushort|unsigned short|unsigned short int|uint16(_t)?)$/,
  int32: /^(int|signed int|int32(_t)?)$/,
  uint32: /^(uint|unsigned int|uint32(_t)?)$/,
  int64: /^(longlong|long long|long long int|signed long long|signed long long int|int64(_t)?)$/,
  uint64: /^(ulonglong|unsigned long long|unsigned long long int|uint64(_t)?)$/,
  float32: /^float$/,
  float64: /^double$/
}
/** Signs of world x and y where the axes do not run to the left and to the back. */
const SPACES: readonly { readonly name: RegExp, readonly signs: readonly number[] }[] = [
  { name: /^(right-anterior-superior|ras)/i, signs: [-1, -1, 1] },
  { name: /^(left-anterior-superior|las)/i, signs: [1, -1, 1] }
]

interface Nrrd { readonly fields: ReadonlyMap<string, string>, readonly values: ReadonlyMap<string, string>, readonly end: number }

/**
 * Reads .nrrd, .seg.nrrd and .nhdr; layers of segments become one label each. @throws InputError whose message is a reason without a
 * file name
 */
export async function readNrrd (file: string): Promise<Volume> {
  const { header, layers, values } = await readLayers(file)
  const segments = values.has('Segment0_ID') || values.has('Segment0_Name')
  return { header, voxels: layers.length === 1 ? layers[0]! : layersToLabels(layers, values), ...segments ? { segments } : {} }
}

/** Every channel of .nrrd and .nhdr, along an axis that is none of space, or the fourth of four. @throws InputError as `readNrrd` does */
export async function readNrrdChannels (file: string): Promise<Volume[]> {
  const { header, layers, kind } = await readLayers(file, true)
  if (layers.length > 1 && kind === 'time') throw new InputError('the fourth dimension of the NRRD is time: store one volume per file')
  return layers.map((voxels) => ({ header, voxels }))
}

interface Layers {
  readonly header: Volume['header']
  readonly layers: readonly Voxels[]
  readonly values: ReadonlyMap<string, string>
  /** of the axis of layers, in small letters */
  readonly kind?: string | undefined
}

async function readLayers (file: string, several = false): Promise<Layers> {
  const bytes = await readCapped(file)
  const nrrd = parseNrrd(bytes)
  const { fields, values } = nrrd
  const sizes = numbers(fields.get('sizes'))
  const layers = layerAxis(fields, sizes) ?? (several ? fourthAxis(sizes) : undefined)
  const header = headerOf(dimsOf(sizes, layers), placeOf(fields, layers))
  const voxels = await rawVoxels(await dataOf(file, bytes, nrrd), {
    type: typeOf(fields),
    count: sizes.reduce((product, size) => product * size, 1),
    bigEndian: fields.get('endian') === 'big',
    packing: packingOf(fields),
    atEnd: fields.get('byte skip') === '-1'
  })
  const count = layers == null ? 1 : sizes[layers]!
  const kind = layers == null ? undefined : fields.get('kinds')?.split(/\s+/)[layers]?.toLowerCase()
  return { header, layers: count === 1 ? [voxels] : apart(voxels, sizes, layers!), values, kind }
}

function dimsOf (sizes: readonly number[], layers: number | undefined): Triple {
  const [i = 0, j = 0, k = 1, ...further] = sizes.filter((_, axis) => axis !== layers)
  if (further.some((size) => size !== 1)) throw new InputError(FOURTH)
  return [i, j, k]
}

function parseNrrd (bytes: Buffer): Nrrd {
  if (bytes.toString('latin1', 0, 4) !== 'NRRD') {
    throw new InputError(notRead(bytes, 'nrrd', 'the file is not NRRD, or its header is damaged'))
  }
  // A detached header may end with the file instead of an empty line.
  const found = /\r?\n\r?\n/.exec(bytes.toString('latin1', 0, 2 ** 20))
  const end = found == null ? bytes.length : found.index + found[0].length
  const fields = new Map<string, string>()
  const values = new Map<string, string>()
  for (const line of bytes.toString('utf8', 0, end).split(/\r?\n/)) {
    const [, key, sign, value] = /^([^:#]+):(=| )\s*(.*)$/.exec(line) ?? []
    if (key == null) continue
    if (sign === '=') values.set(key, value!.trim())
    else fields.set(key.toLowerCase().replace('datafile', 'data file'), value!.trim())
  }
  return { fields, values, end }
}

/** The axis of segments or channels, which has no direction in space. */
function layerAxis (fields: ReadonlyMap<string, string>, sizes: readonly number[]): number | undefined {
  const kinds = fields.get('kinds')?.split(/\s+/) ?? []
  const directions = directionsOf(fields)
  const axis = sizes.findIndex((_, i) => directions[i] === 'none' || (kinds[i] != null && !/^(domain|space|none|\?+)$/i.test(kinds[i])))
  return axis < 0 ? undefined : axis
}

/** Some programs write channels as a fourth dimension of space. */
function fourthAxis (sizes: readonly number[]): number | undefined {
  return sizes.length === 4 ? 3 : undefined
}

function directionsOf (fields: ReadonlyMap<string, string>): (number[] | 'none')[] {
  return (fields.get('space directions')?.match(/none|\([^)]*\)/g) ?? []).map((each) => each === 'none' ? each : numbers(each))
}

function placeOf (fields: ReadonlyMap<string, string>, layers: number | undefined): LeftPosterior {
  const directions = directionsOf(fields).filter((_, axis) => axis !== layers) as number[][]
  const spacings = (fields.get('spacings')?.split(/\s+/) ?? []).filter((_, axis) => axis !== layers).map(Number)
  const { signs } = SPACES.find(({ name }) => name.test(fields.get('space') ?? '')) ?? { signs: [1, 1, 1] }
  const axes = AS_STORED.axes.map((axis, i) => {
    const given = directions[i] ?? axis.map((value) => value * (Number.isFinite(spacings[i]) ? spacings[i]! : 1))
    return axis.map((_, world) => (given[world] ?? 0) * signs[world]!)
  })
  const origin = numbers(fields.get('space origin'))
  return { axes, origin: signs.map((sign, world) => sign * (origin[world] ?? 0)) }
}

function typeOf (fields: ReadonlyMap<string, string>): NumberType {
  const name = fields.get('type')?.toLowerCase() ?? ''
  const found = (Object.keys(TYPES) as NumberType[]).find((type) => TYPES[type].test(name))
  if (found == null) throw new InputError('the voxel type of the NRRD is not supported; store whole or floating-point numbers')
  return found
}

function packingOf (fields: ReadonlyMap<string, string>): RawData['packing'] {
  const encoding = fields.get('encoding')?.toLowerCase() ?? ''
  if (encoding === 'raw') return 'none'
  if (encoding === 'gzip' || encoding === 'gz') return 'gzip'
  if (encoding === 'hex') return 'hex'
  if (/^(ascii|text|txt)$/.test(encoding)) return 'text'
  throw new InputError(`the encoding of the NRRD is not read${encoding === '' ? '' : ` (${encoding})`}: store it raw or with gzip`)
}

/** The bytes behind the header, or those of the file that it names. */
async function dataOf (file: string, bytes: Buffer<ArrayBuffer>, { fields, end }: Nrrd): Promise<Uint8Array<ArrayBuffer>> {
  const name = fields.get('data file')
  if (name != null && (name.startsWith('LIST') || name.includes('%'))) {
    throw new InputError('the NRRD names several data files: store the volume in one')
  }
  const data = name == null ? bytes.subarray(end) : await readDataFile(file, name)
  const skip = Number(fields.get('byte skip') ?? 0)
  if (Number(fields.get('line skip') ?? 0) > 0) throw new InputError('the NRRD skips lines of its data file: store the volume in one .nrrd')
  return skip > 0 ? data.subarray(skip) : data
}

/** Each layer on its own; the first axis runs fastest. */
function apart (voxels: Voxels, sizes: readonly number[], axis: number): Voxels[] {
  const step = sizes.slice(0, axis).reduce((product, size) => product * size, 1)
  const count = sizes[axis]!
  return Array.from({ length: count }, (_, layer) => {
    const own = voxels.slice(0, voxels.length / count)
    for (let to = 0; to < own.length; to += step) {
      const from = to * count + layer * step
      for (let i = 0; i < step; i++) own[to + i] = voxels[from + i]!
    }
    return own
  })
}

function numbers (text: string | undefined): number[] {
  return (text?.match(/[^\s(),]+/g) ?? []).map(Number)
}
