import { InputError } from '../../errors.ts'
import { mapInto } from '../map-into.ts'
import type { Affine } from '../nifti-header.ts'
import type { Volume, Voxels } from '../nifti.ts'
import type { Samples } from '../pages/samples.ts'
import { pictureOf, type Picture } from '../picture.ts'
import { headerOf, type LeftPosterior } from '../raw-volume.ts'
import { shorts } from './elements.ts'
import type { Frame } from './instance.ts'
import { openPixels, type PixelFile } from './pixels.ts'
import type { Stack } from './stacks.ts'
import { isInverted, valuesOf, type FrameValues } from './values.ts'

const MAX_VOXELS = 2 ** 29
const TURNED = 'DICOM images stored inverted (MONOCHROME1): turned over, so that bright is bright'

export type PlacedStack = Stack & { readonly place: LeftPosterior }

export function isPlaced (stack: Stack): stack is PlacedStack {
  return stack.place != null
}

/**
 * The volume of a stack of planes, slice after slice; slopes that differ between slices are applied. @throws InputError whose message is
 * a reason without a file name
 */
export async function readStack ({ frames, dims, place, instance }: PlacedStack): Promise<{ volume: Volume, notes: readonly string[] }> {
  const size = dims[0] * dims[1]
  if (size * frames.length > MAX_VOXELS) throw new InputError('the series has more than 512 million voxels')
  const slices = new Slices(size, frames.length)
  let turned = false
  for await (const [at, pixels, { index }] of opened(frames)) {
    turned ||= isInverted(pixels)
    slices.add(at, await valuesOf(pixels, index))
  }
  const { voxels, slope, intercept } = slices
  const header = { ...headerOf(dims, place), affine: affineOf(place), slope, intercept }
  return { volume: { header, voxels: voxels!, modality: instance.modality === 'CT' ? 'ct' : 'other' }, notes: turned ? [TURNED] : [] }
}

/** The frames of a stack without places, each a picture in grey or colour. @throws InputError without a file name */
export async function * readPictures ({ frames }: Stack): AsyncGenerator<Picture> {
  for await (const [, pixels, { index }] of opened(frames)) {
    const picture = pictureOf(await samplesOf(pixels, index))
    yield isInverted(pixels) ? { ...picture, notes: [...picture.notes, TURNED] } : picture
  }
}

/** Each frame with its file, which is read once for frames that follow each other. */
async function * opened (frames: readonly Frame[]): AsyncGenerator<readonly [at: number, pixels: PixelFile, frame: Frame]> {
  let [file, pixels] = ['', undefined as PixelFile | undefined]
  for (const [at, frame] of frames.entries()) {
    if (pixels == null || frame.file !== file) [file, pixels] = [frame.file, await openPixels(frame.file)]
    yield [at, pixels, frame]
  }
}

async function samplesOf (pixels: PixelFile, index: number): Promise<Samples> {
  const { rows: height, columns: width, photometric } = pixels
  const bits = Math.max(8, pixels.bits)
  if (photometric === 'PALETTE COLOR') {
    return { height, width, channels: 1, data: await pixels.frame(index), bits: 8, palette: paletteOf(pixels) }
  }
  if (pixels.samples === 3) return { height, width, channels: 3, data: await pixels.frame(index), bits }
  const { stored, slope, intercept } = await valuesOf(pixels, index)
  return { height, width, channels: 1, data: isPlain(slope, intercept) ? stored : applied({ stored, slope, intercept }), bits }
}

/** The colours of numbers from 0 (PS3.3 C.7.9), in 8 bit. @throws InputError for tables in pieces */
function paletteOf ({ dataSet }: PixelFile): number[][] {
  const [count = 0, first = 0, bits = 16] = shorts(dataSet, 'x00281101')
  const tables = ['x00281201', 'x00281202', 'x00281203'].map((tag) => tableOf(dataSet, tag, count === 0 ? 2 ** 16 : count, bits))
  return Array.from({ length: first + tables[0]!.length }, (_, number) => tables.map((table) => table[Math.max(0, number - first)]!))
}

function tableOf (dataSet: PixelFile['dataSet'], tag: string, count: number, bits: number): number[] {
  const words = shorts(dataSet, tag)
  const bytes = bits === 8 && words.length * 2 === count + count % 2
  const values = bytes
    ? words.flatMap((word) => [word & 255, word >> 8]).slice(0, count)
    : words.map((word) => bits === 8 ? word & 255 : word >> 8)
  if (values.length < count) throw new InputError('the colours of the image are in pieces, which is not read: export it in grey or RGB')
  return values
}

function isPlain (slope: number, intercept: number): boolean {
  return slope === 1 && intercept === 0
}

function applied ({ stored, slope, intercept }: FrameValues): Float64Array {
  return mapInto(stored, new Float64Array(stored.length), (value) => value * slope + intercept)
}

/** Slices as stored as long as one slope holds for all; else their values. */
class Slices {
  voxels: Voxels | undefined
  slope = 1
  intercept = 0
  readonly #size: number
  readonly #count: number

  constructor (size: number, count: number) {
    this.#size = size
    this.#count = count
  }

  add (at: number, slice: FrameValues): void {
    const { stored, slope, intercept } = slice
    if (stored.length !== this.#size) throw new InputError('the slices of the series differ in size')
    if (this.voxels == null) {
      this.voxels = new (stored.constructor as Uint8ArrayConstructor)(this.#size * this.#count)
      ;[this.slope, this.intercept] = [slope, intercept]
    }
    const isAlike = this.voxels.constructor === stored.constructor && this.slope === slope && this.intercept === intercept
    if (!isAlike && !(this.voxels instanceof Float64Array && isPlain(this.slope, this.intercept))) {
      this.voxels = applied({ stored: this.voxels, slope: this.slope, intercept: this.intercept })
      ;[this.slope, this.intercept] = [1, 0]
    }
    this.voxels.set(isAlike ? stored : applied(slice), at * this.#size)
  }
}

/** The same place in the axes of NIfTI, which run to the right, the front and the head. */
function affineOf ({ axes, origin }: LeftPosterior): Affine {
  return [-1, -1, 1].map((sign, world) => [...axes.map((axis) => sign * axis[world]!), sign * origin[world]!]) as unknown as Affine
}
