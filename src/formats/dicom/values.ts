import { InputError } from '../../errors.ts'
import { mapInto } from '../map-into.ts'
import type { Voxels } from '../nifti.ts'
import { decimals, item, items, shorts } from './elements.ts'
import type { DataSet } from './parse.ts'
import type { PixelFile } from './pixels.ts'

/** Stored numbers of a frame with what makes values of them: value = stored · slope + intercept. */
export interface FrameValues {
  readonly stored: Voxels
  readonly slope: number
  readonly intercept: number
}

const [SHARED, PER_FRAME] = ['x52009229', 'x52009230']
const INVERTED = 'MONOCHROME1'
const NO_TABLE = 'the table of values (Modality LUT) is not read: export the images with it applied'

/** Grey values of a frame, by its table or its slope and intercept, turned over where 0 is white. @throws InputError for colour */
export async function valuesOf (file: PixelFile, index: number): Promise<FrameValues> {
  if (file.samples !== 1) throw new InputError('the image is in colour, and a volume is grey: leave it out')
  const stored = await file.frame(index)
  const table = item(file.dataSet, 'x00283000')
  const plain = isInverted(file) ? turnedOver(stored, file) : stored
  if (table != null) return { stored: through(plain, table, file.signed), slope: 1, intercept: 0 }
  return { stored: plain, ...scaleOf(file.dataSet, index) }
}

/** Whether 0 is white in the images of a file. */
export function isInverted ({ photometric }: Pick<PixelFile, 'photometric'>): boolean {
  return photometric === INVERTED
}

function turnedOver (stored: Voxels, { bits, signed }: PixelFile): Voxels {
  const sum = signed ? -1 : 2 ** bits - 1
  const out = stored.slice()
  const isReal = out instanceof Float32Array || out instanceof Float64Array
  return mapInto(stored, out, isReal ? (value) => -value : (value) => sum - value)
}

/** Of a frame, or of the file; a slope of 0 is none. */
function scaleOf (dataSet: DataSet, index: number): { slope: number, intercept: number } {
  const within = item(items(dataSet, PER_FRAME)[index], 'x00289145') ?? item(dataSet, SHARED, 'x00289145') ?? dataSet
  const slope = decimals(within, 'x00281053')?.[0] ?? 1
  return { slope: slope === 0 ? 1 : slope, intercept: decimals(within, 'x00281052')?.[0] ?? 0 }
}

/** A table of values (PS3.3 C.11.1): the first is for `first` and all below it, the last for all above. */
function through (stored: Voxels, table: DataSet, signed: boolean): Voxels {
  const [count = 0, start = 0, bits = 16] = shorts(table, 'x00283002')
  const values = shorts(table, 'x00283006').slice(0, count === 0 ? 2 ** 16 : count)
  if (values.length === 0 || bits > 16) throw new InputError(NO_TABLE)
  const first = signed && start > 32767 ? start - 65536 : start
  return mapInto(stored, new Uint16Array(stored.length), (value) => values[Math.min(values.length - 1, Math.max(0, value - first))]!)
}
