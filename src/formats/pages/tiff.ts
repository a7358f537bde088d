import { fromArrayBuffer, type GeoTIFFImage } from 'geotiff'
import { InputError } from '../../errors.ts'
import type { Voxels } from '../nifti.ts'
import { rawSamples } from './jpeg.ts'
import { checkSize, DAMAGED, type Samples } from './samples.ts'
import { blockReader } from './tiff-blocks.ts'
import { useOwnLzw } from './tiff-lzw.ts'

const BITS_PER_SAMPLE = 258
/** TIFF 6.0, PhotometricInterpretation. */
const WHITE_IS_ZERO = 0
const PALETTE = 3
const CMYK = 5
const YCBCR = 6
/** Black or white, grey, RGB, palette, YCbCr. */
const READ = [WHITE_IS_ZERO, 1, 2, PALETTE, YCBCR]
/** Compressions that geotiff lacks or decodes without their colours, and libtiff knows: fax, and JPEG old and new. */
const JPEGS = new Set([6, 7])
const BY_LIBTIFF = new Set([2, 3, 4, ...JPEGS])
/** None, LZW, deflate (two numbers), PackBits, LERC, zstd: what geotiff reads. */
const COMPRESSIONS = new Set([1, 5, 8, 32946, 32773, 34887, 50000])
/** Compressions that neither reads, by the numbers of libtiff and Adobe. */
const UNREAD: ReadonlyMap<number, string> = new Map([
  [32766, 'NeXT'], [32809, 'ThunderScan'], [34661, 'JBIG'], [34676, 'LogLuv'], [34677, 'LogLuv'], [34925, 'LZMA'], [34933, 'PNG'],
  ...[22610, 34934].map((code) => [code, 'JPEG XR'] as const),
  ...[33003, 33004, 33005, 34712].map((code) => [code, 'JPEG 2000'] as const),
  ...[34927, 50001].map((code) => [code, 'WebP'] as const),
  ...[50002, 52546].map((code) => [code, 'JPEG XL'] as const),
  [34892, 'lossy JPEG of a raw photograph']
])
/** NewSubfileType: a smaller copy of another page, or a transparency mask. */
const COPY = 1 | 4
/** 0 says nothing of the further samples, 1 and 2 are alpha. */
const ALPHA = new Set([1, 2])

useOwnLzw()

/** Every page of a TIFF but smaller copies. @throws InputError, or what the decoder throws, for a damaged one */
export async function decodeTiff (bytes: Buffer): Promise<Samples[]> {
  const { buffer, byteOffset, byteLength } = bytes
  const whole = (byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength)) as ArrayBuffer
  const file = await fromArrayBuffer(whole)
  const images: Array<{ readonly image: GeoTIFFImage, readonly index: number }> = []
  const count = await file.getImageCount()
  for (let index = 0; index < count; index++) {
    const image = await file.getImage(index)
    // TIFF 6.0: one bit where nothing is said; geotiff 3.0.5 knows no default.
    if (tag(image, 'BitsPerSample') == null) image.getFileDirectory().actualizedFields.set(BITS_PER_SAMPLE, [1])
    images.push({ image, index })
  }
  const originals = images.filter(({ image }) => (numberTag(image, 'NewSubfileType', 0) & COPY) === 0)
  const pages: Samples[] = []
  for (const { image, index } of originals.length > 0 ? originals : images.slice(0, 1)) pages.push(await decodePage(image, bytes, index))
  return pages
}

function tag (image: GeoTIFFImage, name: string): unknown {
  const directory = image.getFileDirectory()
  return directory.hasTag(name as 'ImageWidth') ? directory.getValue(name as 'ImageWidth') : undefined
}

function numberTag (image: GeoTIFFImage, name: string, usual: number): number {
  return Number(tag(image, name) ?? usual)
}

async function decodePage (image: GeoTIFFImage, bytes: Buffer, index: number): Promise<Samples> {
  const [width, height] = [image.getWidth(), image.getHeight()]
  checkSize(width, height)
  const photometric = numberTag(image, 'PhotometricInterpretation', 1)
  requireRead(image, photometric)
  const orientation = numberTag(image, 'Orientation', 1)
  const turn = orientation > 1 && orientation <= 8 ? { orientation } : {}
  const byLibrary = BY_LIBTIFF.has(numberTag(image, 'Compression', 1)) || photometric === YCBCR
  if (byLibrary) return { ...await byLibtiff(image, bytes, index), ...turn }
  await requireBlocks(image, bytes.length)
  const stored = image.getSamplesPerPixel()
  const data = await image.readRasters({ interleave: true, ...blockReader(image) }) as unknown as Voxels
  const channels = channelsOf(image, stored, photometric)
  return {
    height,
    width,
    channels,
    data: channels === stored ? plain(data) : firstOf(data, stored, channels),
    bits: image.getBitsPerSample(0),
    ...photometric === PALETTE ? { palette: await paletteOf(image) } : {},
    ...photometric === WHITE_IS_ZERO ? { inverted: true } : {},
    ...turn
  }
}

function requireRead (image: GeoTIFFImage, photometric: number): void {
  if (photometric === CMYK) throw new InputError('the picture is in print colours (CMYK): store it as grey or RGB')
  if (!READ.includes(photometric)) {
    throw new InputError(`the TIFF stores colours in a way that is not read (photometric ${photometric}): store it as grey or RGB`)
  }
  const compression = numberTag(image, 'Compression', 1)
  if (!COMPRESSIONS.has(compression) && !BY_LIBTIFF.has(compression)) {
    const name = UNREAD.get(compression) ?? `number ${compression}`
    throw new InputError(`the TIFF is compressed as ${name}, which is not read: store it with LZW or deflate, or as PNG`)
  }
  if (JPEGS.has(compression) && image.getBitsPerSample(0) !== 8) {
    throw new InputError(`the TIFF holds JPEG of ${image.getBitsPerSample(0)} bits a sample, and 8 are read: store it with LZW or deflate`)
  }
  if (Number(image.getSampleFormat(0)) > 3) throw new InputError('the TIFF stores complex numbers: store whole or floating-point numbers')
  const reversed = numberTag(image, 'FillOrder', 1) !== 1 && !BY_LIBTIFF.has(compression)
  if (reversed) throw new InputError('the TIFF stores its bits in reverse order: store it as PNG')
}

/** A block beyond the end of the file unpacks for ever. */
async function requireBlocks (image: GeoTIFFImage, length: number): Promise<void> {
  const directory = image.getFileDirectory()
  const kind = directory.hasTag('TileOffsets') ? 'Tile' : 'Strip'
  const [offsets, counts] = await Promise.all([`${kind}Offsets`, `${kind}ByteCounts`].map(async (name) => {
    const value = await directory.loadValue(name as 'TileOffsets') as ArrayLike<number> | number | undefined
    return typeof value === 'number' ? [value] : Array.from(value ?? [], Number)
  }))
  const isWithin = (offset: number, i: number): boolean => counts![i]! > 0 && offset + counts![i]! <= length
  if (offsets!.length === 0 || !offsets!.every(isWithin)) throw new InputError(DAMAGED)
}

/** Samples without the properties that geotiff hangs on its arrays. */
function plain (data: Voxels): Voxels {
  return data.subarray(0)
}

async function byLibtiff (image: GeoTIFFImage, bytes: Buffer, page: number): Promise<Samples> {
  const samples = await rawSamples(bytes, image.getSamplesPerPixel() === 1, page)
  return JPEGS.has(numberTag(image, 'Compression', 1)) ? { ...samples, lossy: true } : samples
}

/** How many samples of a pixel mean grey, RGB or alpha; further ones are refused, since nothing says what they are. */
function channelsOf (image: GeoTIFFImage, stored: number, photometric: number): 1 | 2 | 3 | 4 {
  const colours = photometric === 2 ? 3 : 1
  const extra = tag(image, 'ExtraSamples') as ArrayLike<number> | number | undefined
  const first = typeof extra === 'number' ? extra : extra?.[0]
  if (stored === colours) return colours
  if (stored === colours + 1) return (first == null || first === 0 || ALPHA.has(first) ? stored : colours) as 1 | 2 | 3 | 4
  if (stored < colours) throw new InputError('the picture is neither grey nor RGB')
  throw new InputError(`the picture has ${stored} channels: store grey or RGB`)
}

function firstOf (data: Voxels, stored: number, wanted: number): Voxels {
  return data.filter((_, i) => i % stored < wanted)
}

/** TIFF keeps all reds, then all greens, then all blues, in 16 bit. */
async function paletteOf (image: GeoTIFFImage): Promise<number[][]> {
  const map = await image.getFileDirectory().loadValue('ColorMap') as ArrayLike<number>
  const size = map.length / 3
  // Some programs write 8-bit values here.
  const wide = Array.from(map).some((value) => value > 255)
  return Array.from({ length: size }, (_, i) => [0, 1, 2].map((c) => wide ? map[c * size + i]! >> 8 : map[c * size + i]!))
}
