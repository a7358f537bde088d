import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import sharp from 'sharp'
import { seededRandom, type Random } from '../../src/common/random.ts'
import { headerOf } from '../../src/formats/raw-volume.ts'

/** Simulated images: a bright ellipse on a ramp with noise, its mask beside it. Seeded, so that every run reads the same files. */
interface Shape { readonly seed: number, readonly count: number }
interface Pictures extends Shape { readonly side: number, readonly ending: 'png' | 'tif', readonly channels: 1 | 3 }
interface Volumes extends Shape { readonly dims: readonly [number, number, number] }
export type Input = Pictures | Volumes

const INT16 = { code: 4, bits: 16, bytes: 2 } as const
const UINT8 = { code: 2, bits: 8, bytes: 1 } as const
const VOXELS_AT = 352
/** mm */
const VOXEL = [0.8, 0.8, 1] as const

/** Writes images and masks below a folder, in the layout images/ and masks/. */
export async function makeInput (folder: string, input: Input): Promise<void> {
  for (const name of ['images', 'masks']) await mkdir(join(folder, name), { recursive: true })
  const random = seededRandom(input.seed)
  for (let at = 0; at < input.count; at++) {
    // A letter in front: numbers alone would be slices of one subject.
    const stem = `${String.fromCharCode(97 + at % 26)}${String(at).padStart(4, '0')}x`
    if ('dims' in input) await makeVolume(folder, stem, input, random)
    else await makePicture(folder, stem, input, random)
  }
}

async function makePicture (folder: string, stem: string, { side, ending, channels }: Pictures, random: Random): Promise<void> {
  const image = new Uint8Array(side * side * channels)
  const mask = new Uint8Array(side * side)
  const noise = noiseOf(random)
  const inside = ellipse(side, side, random)
  for (let y = 0, at = 0; y < side; y++) {
    for (let x = 0; x < side; x++, at++) {
      mask[at] = inside(x, y) ? 1 : 0
      for (let c = 0; c < channels; c++) image[at * channels + c] = 40 + 20 * c + 80 * x / side + 60 * mask[at]! + noise(at + c)
    }
  }
  const write = async (where: string, data: Uint8Array, samples: 1 | 3): Promise<void> => {
    const picture = sharp(data, { raw: { width: side, height: side, channels: samples }, limitInputPixels: false })
    const coded = samples === 1 ? picture.toColourspace('b-w') : picture
    const done = ending === 'png' ? coded.png({ compressionLevel: 3 }) : coded.tiff({ compression: 'lzw' })
    await done.toFile(join(folder, where, `${stem}.${ending}`))
  }
  await write('images', image, channels)
  await write('masks', mask, 1)
}

async function makeVolume (folder: string, stem: string, { dims }: Volumes, random: Random): Promise<void> {
  const [width, height, depth] = dims
  const noise = noiseOf(random)
  const inside = ellipse(width, height, random)
  const image = new Int16Array(width * height)
  const mask = new Uint8Array(width * height)
  const fill = (slice: number): void => {
    const shown = slice >= depth / 8 && slice < depth * 7 / 8
    for (let y = 0, at = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at++) {
        mask[at] = shown && inside(x, y) ? 1 : 0
        const edge = Math.min(x, y, width - 1 - x, height - 1 - y) < width / 16
        image[at] = edge ? -1000 : 20 + 60 * mask[at]! + 2 * noise(at + slice)
      }
    }
  }
  const slices = function * (data: Uint8Array): Generator<Uint8Array> {
    for (let slice = 0; slice < depth; slice++) {
      fill(slice)
      yield data.slice()
    }
  }
  const write = async (where: string, data: Uint8Array, type: typeof INT16 | typeof UINT8): Promise<void> => {
    const parts = function * (): Generator<Uint8Array> {
      yield headerBytes(dims, type)
      yield * slices(data)
    }
    await pipeline(parts, createGzip({ level: 1 }), createWriteStream(join(folder, where, `${stem}.nii.gz`)))
  }
  await write('images', new Uint8Array(image.buffer), INT16)
  await write('masks', mask, UINT8)
}

function headerBytes (dims: Volumes['dims'], { code, bits }: typeof INT16 | typeof UINT8): Uint8Array {
  const { bytes } = headerOf(dims, { axes: VOXEL.map((size, i) => VOXEL.map((_, j) => i === j ? size : 0)), origin: [0, 0, 0] })
  const view = new DataView(bytes.buffer)
  view.setInt16(70, code, true)
  view.setInt16(72, bits, true)
  const whole = new Uint8Array(VOXELS_AT)
  whole.set(bytes)
  return whole
}

/** A table of noise that is walked with an odd step: drawing a number for every pixel would take longer than what is measured. */
function noiseOf (random: Random): (at: number) => number {
  const table = Int8Array.from({ length: 65_537 }, () => Math.round(16 * random()))
  return (at) => table[at % table.length]!
}

function ellipse (width: number, height: number, random: Random): (x: number, y: number) => boolean {
  const [cx, cy] = [width * (0.4 + 0.2 * random()), height * (0.4 + 0.2 * random())]
  const [rx, ry] = [width * (0.15 + 0.15 * random()), height * (0.15 + 0.15 * random())]
  return (x, y) => ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1
}
