import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import fc from 'fast-check'
import { InputError } from '../../../src/errors.ts'
import { parseHeader } from '../../../src/formats/nifti-header.ts'
import { readNifti } from '../../../src/formats/nifti.ts'
import { folderOf, gz, niftiBytes, qformOf, type NiftiSpec } from './fixtures.ts'

const dims = [2, 3, 2] as const
const values = Array.from({ length: 12 }, (_, i) => i * 10)
const TYPES = { uint8: 2, int16: 4, int32: 8, float32: 16, float64: 64, int8: 256, uint16: 512, uint32: 768, int64: 1024, uint64: 1280 }

describe('NIfTI reader', () => {
  let folder: Awaited<ReturnType<typeof folderOf>>
  before(async () => { folder = await folderOf({}) })
  after(async () => { await folder.clear() })

  async function read (bytes: Uint8Array, limit?: number): ReturnType<typeof readNifti> {
    const file = join(folder.path, 'v.nii')
    await writeFile(file, bytes)
    return await readNifti(file, limit)
  }

  async function reasonOf (bytes: Uint8Array, limit?: number): Promise<string> {
    try {
      await read(bytes, limit)
    } catch (error) {
      expect(error).to.be.instanceOf(InputError)
      return (error as Error).message
    }
    return 'was read'
  }

  for (const [name, datatype] of Object.entries(TYPES)) {
    it(`reads ${name} in both byte orders and versions, plain and compressed`, async () => {
      for (const littleEndian of [true, false]) {
        for (const version of [1, 2] as const) {
          const bytes = niftiBytes({ dims, values, datatype, littleEndian, version, slope: 2, intercept: -3 })
          for (const file of [bytes, gz(bytes)]) {
            const { header, voxels } = await read(file)
            expect([...voxels]).to.deep.equal(values)
            expect(header).to.include({ version, littleEndian, slope: 2, intercept: -3, datatype })
            expect(header.dims).to.deep.equal(dims)
          }
        }
      }
    })
  }

  it('takes a slope of 0 or NaN as no scaling', async () => {
    expect((await read(niftiBytes({ dims, values, slope: 0, intercept: 9 }))).header).to.include({ slope: 1, intercept: 0 })
    expect((await read(niftiBytes({ dims, values, slope: NaN }))).header).to.include({ slope: 1, intercept: 0 })
  })

  it('prefers the sform, then the qform, then voxel sizes', async () => {
    const sform = [[0, 0, 3, 1], [-2, 0, 0, 2], [0, 4, 0, 3]]
    const qform = qformOf([[0, 2, 0, 5], [0, 0, 3, 6], [4, 0, 0, 7]])
    const affine = async (spec: Partial<NiftiSpec>): Promise<number[][]> =>
      (await read(niftiBytes({ dims, values, ...spec }))).header.affine.map((row) => row.map((value) => Math.round(value * 1e4) / 1e4 + 0))
    expect(await affine({ sform, qform })).to.deep.equal([[0, 0, 3, 1], [-2, 0, 0, 2], [0, 4, 0, 3]])
    expect(await affine({ qform })).to.deep.equal([[0, 2, 0, 5], [0, 0, 3, 6], [4, 0, 0, 7]])
    expect(await affine({ pixdim: [1, 2, 3, 4] })).to.deep.equal([[2, 0, 0, 0], [0, 3, 0, 0], [0, 0, 4, 0]])
  })

  it('accepts a quaternion a hair longer than 1', async () => {
    const { header } = await read(
      niftiBytes({ dims, values, qform: { pixdim: [1, 1, 1, 1], quaternion: [1, 3e-4, 3e-4], offset: [0, 0, 0] } })
    )
    expect(header.affine[0][0]).to.be.closeTo(1, 1e-3)
    expect(header.affine[1][1]).to.be.closeTo(-1, 1e-3)
  })

  it('names the reason for what it refuses', async () => {
    const good = niftiBytes({ dims, values })
    const broken = (at: number, change: (view: DataView) => void): Uint8Array => {
      const copy = good.slice()
      change(new DataView(copy.buffer, at))
      return copy
    }
    expect(await reasonOf(new Uint8Array(0))).to.include('is empty')
    expect(await reasonOf(new TextEncoder().encode('not an image'))).to.include('not NIfTI')
    expect(await reasonOf(good.slice(0, -1))).to.include('truncated')
    expect(await reasonOf(gz(good).slice(0, -9))).to.include('damaged or truncated')
    expect(await reasonOf(gz(good), 100)).to.include('unpacks to more than')
    expect(await reasonOf(niftiBytes({ dims, values, datatype: 128 }))).to.include('code 128')
    expect(await reasonOf(niftiBytes({ dims: [2, 3, 1, 2], values }))).to.include('fourth dimension')
    expect(await reasonOf(niftiBytes({ dims: [2, 0, 6], values }))).to.include('size')
    expect(await reasonOf(broken(42, (view) => { view.setInt16(0, -2, true) }))).to.include('size')
    expect(await reasonOf(niftiBytes({ dims, values, sform: [[NaN, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]] }))).to.include(
      'orientation and voxel size'
    )
    expect(await reasonOf(niftiBytes({ dims, values, sform: [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]] }))).to.include(
      'orientation and voxel size'
    )
  })

  it('takes voxel sizes of 0 or that are no number as 1, and metres and micrometres as such', async () => {
    const affine = async (spec: Partial<NiftiSpec>): Promise<number[][]> =>
      (await read(niftiBytes({ dims, values, ...spec }))).header.affine.map((row) => row.map((value) => Math.round(value * 1e6) / 1e6 + 0))
    const qform = qformOf([[2, 0, 0, 5], [0, 3, 0, 6], [0, 0, 4, 7]])
    expect(await affine({ pixdim: [1, 0, 3, NaN] })).to.deep.equal([[1, 0, 0, 0], [0, 3, 0, 0], [0, 0, 1, 0]])
    expect(await affine({ qform: { ...qform, pixdim: [1, 0, 3, -4] } })).to.deep.equal([[1, 0, 0, 5], [0, 3, 0, 6], [0, 0, 4, 7]])
    const sform = [[2, 0, 0, 5], [0, 3, 0, 6], [0, 0, 4, 7]]
    for (const [unit, factor] of [[0, 1], [1, 1000], [2, 1], [3, 0.001], [3 + 8, 0.001]] as const) {
      const expected = sform.map((row) => row.map((value) => value * factor))
      expect(await affine({ sform, unit }), `sform, unit ${unit}`).to.deep.equal(expected)
      expect(await affine({ qform, unit }), `qform, unit ${unit}`).to.deep.equal(expected)
    }
  })

  it('goes by the qform where the sform is none', async () => {
    const qform = qformOf([[2, 0, 0, 5], [0, 3, 0, 6], [0, 0, 4, 7]])
    for (const bad of [0, NaN]) {
      const { header } = await read(niftiBytes({ dims, values, qform, sform: [[bad, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]] }))
      expect(header.affine.map((row) => row.map((value) => Math.round(value)))).to.deep.equal([[2, 0, 0, 5], [0, 3, 0, 6], [0, 0, 4, 7]])
    }
  })

  it('reads compressed data with other bytes behind its end, and refuses it where it is damaged', async () => {
    const packed = gz(niftiBytes({ dims, values }))
    const behind = new TextEncoder().encode('left over')
    expect([...(await read(Buffer.concat([packed, behind]))).voxels]).to.deep.equal(values)
    expect([...(await read(Buffer.concat([named(packed), behind]))).voxels]).to.deep.equal(values)
    const damaged = packed.slice()
    damaged[packed.length - 6]! ^= 1
    expect(await reasonOf(Buffer.concat([damaged, behind]))).to.include('damaged or truncated')
    expect(await reasonOf(Buffer.concat([packed, behind]), 100)).to.include('unpacks to more than')
  })

  it('takes the first of as many channels as were named', async () => {
    const file = join(folder.path, 'channels.nii')
    await writeFile(file, niftiBytes({ dims: [2, 3, 1, 2], values }))
    const { header, voxels } = await readNifti(file, undefined, 2)
    expect([header.dims, header.channels, [...voxels]]).to.deep.equal([[2, 3, 1], 2, values.slice(0, 6)])
    await readNifti(file, undefined, 3).then(() => { throw new Error('was read') }, (error: unknown) => {
      expect((error as Error).message).to.include('fourth dimension')
    })
  })

  it('reads a single slice and a fourth dimension of one', async () => {
    expect((await read(niftiBytes({ dims: [4, 3], values }))).header.dims).to.deep.equal([4, 3, 1])
    expect((await read(niftiBytes({ dims: [2, 3, 2, 1], values }))).header.dims).to.deep.equal(dims)
  })

  it('answers damage anywhere in a header with a reason, never with another error or a hang', () => {
    const good = niftiBytes({ dims, values, sform: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]] })
    fc.assert(fc.property(fc.nat(351), fc.uint8Array({ minLength: 1, maxLength: 16 }), fc.nat(good.length), (at, noise, length) => {
      const file = good.slice()
      file.set(noise.subarray(0, file.length - at), at)
      try {
        parseHeader(file.slice(0, length))
      } catch (error) {
        if (!(error instanceof InputError)) throw error
      }
    }), { numRuns: 500 })
  })
})

/** The same with an extra field, a file name, a comment and a check sum in the header of the gzip file. */
function named (packed: Uint8Array): Buffer {
  const head = Buffer.from(packed.subarray(0, 10))
  head[3] = 4 + 8 + 16 + 2
  const fields = Buffer.concat([head, Buffer.from('\x03\x00abcscan.nii\0said\0', 'latin1')])
  const sum = crc32(fields)
  return Buffer.concat([fields, Buffer.of(sum & 255, sum >> 8 & 255), packed.subarray(10)])
}
