import { BaseDecoder, getDecoder, type GeoTIFFImage, type Pool } from 'geotiff'
import { InputError } from '../../errors.ts'
import { swapBytes } from '../swap-bytes.ts'

type Parameters = ConstructorParameters<typeof BaseDecoder>[0]

const SAMPLE_FORMAT = 339
/** SampleFormat: whole numbers are 1 where they have no sign. */
const [SIGNED, FLOAT] = [2, 3]
/** TIFF 6.0, Predictor: differences of samples; TIFF technical note 3: of the bytes of floating-point numbers, the highest first. */
const [DIFFERENCES, FLOAT_DIFFERENCES] = [2, 3]

const LONG_DIFFERENCES = 'the TIFF stores 64-bit numbers as their differences (predictor 2): store it without a predictor'

/** Undoes the predictor of a block that is unpacked already. */
class Unpacked extends BaseDecoder {
  override decodeBlock (block: ArrayBuffer): ArrayBuffer {
    return block
  }
}

/**
 * What geotiff 3.0.5 needs for blocks that it reads wrongly: it sums differences and widens packed bits in the byte order of this
 * machine, and reads the sums in that of the file; and it has no whole numbers of 64 bit. Blocks become little-endian, and such numbers
 * doubles. Nothing for all other pages.
 */
export function blockReader (image: GeoTIFFImage): { readonly pool?: Pool } {
  const bits = image.getBitsPerSample(0)
  const format = Number(image.getSampleFormat(0))
  const isLong = bits === 64 && format !== FLOAT
  const bigEndian = !image.littleEndian
  if (!isLong && (!bigEndian || bits === 8)) return {}
  const fields = image.getFileDirectory().actualizedFields
  if (isLong) fields.set(SAMPLE_FORMAT, Array.from({ length: image.getSamplesPerPixel() }, () => FLOAT))
  image.littleEndian = true
  const bindParameters = (compression: number, parameters: Parameters): { decode: (block: ArrayBuffer) => Promise<ArrayBuffer> } => ({
    async decode (block) {
      const { predictor } = parameters
      if (predictor === DIFFERENCES && bits > 32) throw new InputError(LONG_DIFFERENCES)
      const decoder = await getDecoder(compression, { ...parameters, predictor: 1 })
      const stored = await decoder.decode(block) as ArrayBuffer
      if (bigEndian && predictor !== FLOAT_DIFFERENCES && bits % 8 === 0) swapBytes(Buffer.from(stored), bits / 8)
      const plain = await new Unpacked(parameters).decode(stored) as ArrayBuffer
      return isLong ? doubles(plain, format === SIGNED) : plain
    }
  })
  return { pool: { bindParameters } as unknown as Pool }
}

function doubles (block: ArrayBuffer, signed: boolean): ArrayBuffer {
  const Type = signed ? BigInt64Array : BigUint64Array
  return Float64Array.from(new Type(block, 0, Math.floor(block.byteLength / 8)), Number).buffer
}
