import { crc32, deflateSync } from 'node:zlib'
import { expect } from 'chai'
import fc from 'fast-check'
import { decode } from 'fast-png'
import { InputError } from '../../../src/errors.ts'
import { decodeInBands, type Rows } from '../../../src/formats/pages/png-bands.ts'

/** Colour types of PNG by samples a pixel. */
const TYPES = [0, 4, 2, 6] as const
const FILTERS = 5

function chunk (type: string, body: Uint8Array): Buffer {
  const inner = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const out = Buffer.alloc(inner.length + 8)
  out.writeUInt32BE(body.length, 0)
  inner.copy(out, 4)
  out.writeUInt32BE(crc32(inner), inner.length + 4)
  return out
}

interface Picture { readonly width: number, readonly height: number, readonly bits: number, readonly channels: number }

function pngOf ({ width, bits, channels }: Picture, height: number, packed: Uint8Array): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([bits, TYPES[channels - 1]!], 8)
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', packed), chunk('IEND', Buffer.alloc(0))])
}

const pictures = fc.record({
  width: fc.integer({ min: 1, max: 9 }),
  height: fc.integer({ min: 1, max: 12 }),
  bits: fc.constantFrom(8, 16),
  channels: fc.integer({ min: 1, max: 4 })
}).chain((picture) => {
  const length = picture.height * (1 + picture.width * picture.bits / 8 * picture.channels)
  return fc.record({ picture: fc.constant(picture), bytes: fc.uint8Array({ minLength: length, maxLength: length }) })
})

/** Any bytes are a picture, if every row begins with a filter. */
function withFilters ({ height }: Picture, bytes: Uint8Array): Uint8Array {
  const stride = bytes.length / height
  return bytes.map((byte, i) => i % stride === 0 ? byte % FILTERS : byte)
}

function rowsOf (picture: Picture, packed: Uint8Array, pieces: number): Rows {
  const { width, height, bits, channels } = picture
  const size = Math.ceil(packed.length / pieces)
  return {
    width,
    height,
    bytesPerPixel: bits / 8 * channels,
    packed: Array.from({ length: pieces }, (_, i) => packed.subarray(i * size, (i + 1) * size)),
    withRows: (rows, body) => pngOf(picture, rows, body)
  }
}

describe('PNG in bands', () => {
  it('is what the decoder makes of the whole, whatever the filters, the pieces and the bands', async () => {
    await fc.assert(fc.asyncProperty(
      pictures,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 200 }),
      async ({ picture, bytes }, pieces, bandBytes) => {
        const packed = deflateSync(withFilters(picture, bytes))
        const banded = await decodeInBands(rowsOf(picture, packed, pieces), bandBytes)
        expect(banded.data).to.deep.equal(decode(pngOf(picture, picture.height, packed)).data)
      }
    ))
  })

  it('refuses rows that end early', async () => {
    const picture = { width: 4, height: 6, bits: 8, channels: 1 }
    const packed = deflateSync(new Uint8Array(5 * 5))
    const failed = await decodeInBands(rowsOf(picture, packed, 1), 20).catch((error: unknown) => error)
    expect(failed).to.be.instanceOf(InputError)
    const torn = await decodeInBands(rowsOf(picture, packed.subarray(0, -6), 1), 20).catch((error: unknown) => error)
    expect(torn).to.be.instanceOf(Error)
  })
})
