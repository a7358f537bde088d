import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { InputError } from '../../../../src/errors.ts'
import { readInstance } from '../../../../src/formats/dicom/instance.ts'
import { openPixels } from '../../../../src/formats/dicom/pixels.ts'
import { readStructures } from '../../../../src/formats/dicom/rtstruct.ts'
import { readSeg } from '../../../../src/formats/dicom/seg.ts'
import { DICOM, onlyStack } from './fixtures.ts'

const RUNS = 4_000
/** Some of the runs decode what is left of the pixels, too. */
const DECODED = 8
const SLOWEST_MS = 10_000
const WHOLE = [
  'ct/a.dcm', 'mr/a.dcm', 'enhanced.dcm', 'us.dcm', 'dx.dcm', 'ct-binary.dcm', 'ct-structures.dcm', 'pydicom/MR_small_RLE.dcm',
  'pydicom/MR_small_bigendian.dcm', 'pydicom/MR_small_jp2klossless.dcm', 'pydicom/MR_small_jpeg_ls_lossless.dcm', 'pydicom/image_dfl.dcm',
  'pydicom/SC_rgb_jpeg_gdcm.dcm'
]

describe('damaged DICOM files', function () {
  this.timeout(600_000)
  let folder: string

  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-dicom-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  it('thousands of changed and cut headers are each read or refused in a sentence, soon', async () => {
    const wholes = await Promise.all(WHOLE.map(async (name) => await readFile(join(DICOM, name))))
    const stack = await onlyStack(join(DICOM, 'ct'))
    const asNumbered = (): { valueOf: () => { value: number, isKnown: boolean }, notes: [] } =>
      ({ valueOf: () => ({ value: 1, isKnown: false }), notes: [] })
    const path = join(folder, 'hostile.dcm')
    let [run, slowest] = [0, 0]
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    const anyByte = fc.constantFrom(0, 1, 0x20, 0x51, 0x7f, 0x80, 0xfe, 0xff)
    const change = fc.record({ at: share, byte: anyByte, length: fc.integer({ min: 1, max: 4 }) })
    const changes = fc.array(change, { minLength: 1, maxLength: 6 })
    await fc.assert(fc.asyncProperty(
      fc.nat(wholes.length - 1),
      changes,
      share,
      fc.boolean(),
      async (which, made, cut, early) => {
        // Half of the files are cut, too.
        const bytes = Buffer.from(wholes[which]!.subarray(0, Math.ceil(Math.min(1, 0.4 + 1.2 * cut) * wholes[which]!.length)))
        const reach = early ? Math.min(bytes.length, 1_500) : bytes.length
        for (const { at, byte, length } of made) {
          const from = 128 + Math.floor(at * (reach - 132))
          bytes.fill(byte, from, from + length)
        }
        await writeFile(path, bytes)
        const begin = performance.now()
        try {
          await readInstance(path)
          if (run++ % DECODED === 0) {
            if (WHOLE[which]!.includes('binary')) await readSeg(path, stack, asNumbered)
            else if (WHOLE[which]!.includes('structures')) await readStructures(path, stack, asNumbered)
            else await (await openPixels(path)).frame(0)
          }
        } catch (error) {
          expect(error, String(error)).to.be.instanceOf(InputError)
        }
        slowest = Math.max(slowest, performance.now() - begin)
      }
    ), { numRuns: RUNS })
    expect(slowest).to.be.below(SLOWEST_MS)
  })

  it('names what is truncated, encrypted, empty and something else', async () => {
    const whole = await readFile(join(DICOM, 'ct/a.dcm'))
    const packed = await readFile(join(DICOM, 'pydicom/MR_small_RLE.dcm'))
    const cms = Buffer.concat([Buffer.from('308006092a864886f70d010703a080', 'hex'), Buffer.alloc(400, 7)])
    for (const [bytes, part] of [
      [whole.subarray(0, 700), 'truncated'],
      [whole.subarray(0, whole.length - 10), 'truncated'],
      [packed.subarray(0, packed.length - 500), 'truncated'],
      [Buffer.from('-----BEGIN PGP MESSAGE-----\n' + 'x'.repeat(200)), 'encrypted'],
      [cms, 'encrypted'],
      [Buffer.alloc(0), 'empty'],
      [Buffer.from('hello '.repeat(100)), 'is not DICOM']
    ] as const) {
      const path = join(folder, 'one.dcm')
      await writeFile(path, bytes)
      expect(await readInstance(path).then(() => 'read', (error: Error) => error.message)).to.include(part)
    }
  })
})
