import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import { isCompressed, readHeader } from 'nifti-reader-js'
import sharp from 'sharp'
import {
  contactSheet,
  describeSummary,
  loadDataset,
  readImage,
  summarise,
  writeMaskNifti,
  writeMaskPng,
  type Axis,
  type VolumeImage
} from '../../../src/dataset/index.ts'
import { InputError } from '../../../src/errors.ts'
import { parseHeader } from '../../../src/formats/nifti-header.ts'
import { readNifti } from '../../../src/formats/nifti.ts'
import { readPages } from '../../../src/formats/pages/read-pages.ts'
import { folderOf, niftiBytes, pixels, png, qformOf, slice, type NiftiSpec } from './fixtures.ts'

const dims = [5, 4, 6]
const values = Array.from({ length: 120 }, (_, i) => (i * 37) % 200)

describe('writing masks', () => {
  let folder: Awaited<ReturnType<typeof folderOf>>
  beforeEach(async () => { folder = await folderOf({}) })
  afterEach(async () => { await folder.clear() })
  const at = (name: string): string => join(folder.path, name)

  async function volumeOf (spec: Partial<NiftiSpec>, axis: Axis): Promise<VolumeImage> {
    const { writeFile } = await import('node:fs/promises')
    await writeFile(at('in.nii'), niftiBytes({ dims, values, ...spec }))
    const image = await readImage(at('in.nii'), { axis })
    if (image.kind !== 'volume') throw new Error('not a volume')
    return image
  }

  it('turns a volume\'s slices back into a volume of the same geometry', async () => {
    // Labels that are the 8-bit image itself: what comes back must be the input, voxel by voxel.
    const sform = [[0, 0, -2, 7], [1.5, 0, 0, -3], [0, 1.5, 0, 9]]
    for (const version of [1, 2] as const) {
      for (const littleEndian of [true, false]) {
        for (const axis of ['axial', 'coronal', 'sagittal'] as const) {
          const image = await volumeOf({ version, littleEndian, sform, qform: qformOf(sform), text: 'Jane Doe' }, axis)
          const masks = image.slices.map(({ image: shown }) => shown)
          const square = image.stack.height * image.stack.width === image.stack.cut.rows.count * image.stack.cut.columns.count
          await writeMaskNifti(at('out.nii.gz'), image, masks)
          const back = await readNifti(at('out.nii.gz'))
          expect(back.header).to.include({ version, littleEndian, datatype: 2, slope: 1, intercept: 0 })
          expect(back.header.dims).to.deep.equal(dims)
          expect(back.header.affine).to.deep.equal(image.header.affine)
          if (square) expect([...back.voxels]).to.deep.equal(values)
        }
      }
    }
  })

  it('keeps sform, qform and voxel sizes to the byte, and no text of the scanner', async () => {
    const sform = [[0, 0, -2, 7], [1.5, 0, 0, -3], [0, 1.5, 0, 9]]
    const image = await volumeOf({ datatype: 4, slope: 3, intercept: -4, sform, qform: qformOf(sform), text: 'Jane Doe' }, 'axial')
    await writeMaskNifti(at('out.nii.gz'), image, image.slices.map(({ mask }) => mask.map((_, i) => i % 2)))
    const packed = await readFile(at('out.nii.gz'))
    expect(isCompressed(new Uint8Array(packed).buffer)).to.equal(true)
    const bytes = new Uint8Array(gunzipSync(packed))
    const [before, after] = [readHeader(image.header.bytes.buffer), readHeader(bytes.buffer)]
    for (
      const field of [
        'dims',
        'pixDims',
        'affine',
        'qform_code',
        'sform_code',
        'quatern_b',
        'quatern_c',
        'quatern_d',
        'qoffset_x',
        'qoffset_y',
        'qoffset_z',
        'xyzt_units'
      ] as const
    ) {
      expect(after[field], field).to.deep.equal(before[field])
    }
    expect([...bytes.subarray(252, 328)]).to.deep.equal([...image.header.bytes.subarray(252, 328)])
    expect(after).to.include({ datatypeCode: 2, numBitsPerVoxel: 8, vox_offset: 352, scl_slope: 1, scl_inter: 0, description: '' })
    expect(bytes).to.have.length(352 + 120)
    expect(Buffer.from(bytes).includes('Jane')).to.equal(false)
  })

  it('undoes the resampling to square pixels', async () => {
    const image = await volumeOf({ pixdim: [1, 1, 1, 3] }, 'coronal')
    expect(image.slices[0]).to.include({ height: 18, width: 5 })
    const truth = (i: number, j: number, k: number): number => (i + 2 * j + 3 * k) % 5 === 0 ? 1 : 0
    const masks = image.slices.map((_, j) => pixels(18, 5, (x, y) => truth(4 - x, j, 5 - Math.floor(y / 3))))
    await writeMaskNifti(at('out.nii'), image, masks)
    const { header, voxels } = await readNifti(at('out.nii'))
    expect(header.dims).to.deep.equal(dims)
    expect([...voxels]).to.deep.equal(values.map((_, v) => truth(v % 5, Math.floor(v / 5) % 4, Math.floor(v / 20))))
  })

  it('writes pictures that read back as the same labels', async () => {
    const binary = pixels(4, 6, (x) => x % 2)
    await writeMaskPng(at('m.png'), binary, 4, 6)
    const [page] = await readPages(at('m.png'))
    const { data, height, width, channels } = page!
    expect({ height, width, channels }).to.deep.equal({ height: 4, width: 6, channels: 1 })
    expect([...data]).to.deep.equal([...binary].map((label) => label * 255))
    const many = pixels(4, 6, (x) => x % 3)
    await writeMaskPng(at('n.png'), many, 4, 6)
    expect([...(await readPages(at('n.png')))[0]!.data]).to.deep.equal([...many])
  })

  it('leaves nothing behind when it cannot write, and refuses masks of a wrong size', async () => {
    await writeMaskPng(at('no/where.png'), new Uint8Array(4), 2, 2).then(() => { throw new Error('written') }, (error: unknown) => {
      expect(error).to.be.instanceOf(InputError)
      expect((error as Error).message).to.include('cannot be written: its folder does not exist')
    })
    expect(await readdir(folder.path)).to.deep.equal([])
    await writeMaskPng(at('x.png'), new Uint8Array(5), 2, 2).then(() => {
      throw new Error('written')
    }, (error: unknown) => {
      expect(error).to.be.instanceOf(RangeError)
    })
  })

  it('reads a picture to be segmented and names the file it cannot read', async () => {
    const made = await folderOf({ 'a_3.png': await png(3, 5, (x, y) => x + y), 'b.png': 'garbage', 'c.txt': '' })
    try {
      const image = await readImage(join(made.path, 'a_3.png'))
      expect(image.kind).to.equal('picture')
      expect(image.slices[0]).to.include({ height: 3, width: 5, id: 'a_3' })
      for (
        const [name, part] of [['b.png', 'b.png cannot be used: the picture cannot be decoded'], ['c.txt', 'format'], [
          'gone.nii',
          'does not exist'
        ]] as const
      ) {
        await readImage(join(made.path, name)).then(() => {
          throw new Error('read')
        }, (error: unknown) => {
          expect(error).to.be.instanceOf(InputError)
          expect((error as Error).message).to.include(part)
        })
      }
    } finally {
      await made.clear()
    }
  })

  it('parses the header it keeps', async () => {
    const image = await volumeOf({}, 'axial')
    expect(parseHeader(image.header.bytes)).to.deep.equal(image.header)
  })

  it('draws a sheet of at most 48 tiles with red outlines', async () => {
    const disc = (height: number, width: number): Uint8Array => pixels(height, width, (x, y) => x > 2 && x < 6 && y > 2 && y < 6 ? 1 : 0)
    const slices = Array.from(
      { length: 3 },
      (_, i) => slice('s', i, { height: 8, width: 10, image: pixels(8, 10, () => 90), mask: disc(8, 10) })
    )
    await contactSheet(slices, at('sheet.png'))
    const { data, info } = await sharp(at('sheet.png')).raw().toBuffer({ resolveWithObject: true })
    expect([info.width, info.height]).to.deep.equal([4 + 3 * 164, 4 + 180])
    let red = 0
    for (let i = 0; i < data.length; i += 3) if (data[i] === 255 && data[i + 1] === 48) red++
    // Outline of 3×3 pixels enlarged 16 times: 4·48 − 4 each.
    expect(red).to.equal(3 * 188)
    await contactSheet(Array.from({ length: 100 }, (_, i) => slice('s', i)), at('big.png'))
    const big = await sharp(at('big.png')).metadata()
    expect([big.width, big.height]).to.deep.equal([4 + 8 * 164, 4 + 6 * 180])
    expect((await stat(at('big.png'))).size).to.be.greaterThan(100)
  })

  it('sums a folder up without file names', async () => {
    const made = await folderOf({
      'images/secret.png': await png(4, 6, (x) => x),
      'masks/secret.png': await png(4, 6, (x) => x === 0 ? 1 : 0),
      'images/alone.png': await png(4, 6, (x) => x)
    })
    try {
      const summary = summarise(await loadDataset(made.path))
      expect(summary).to.deep.include({
        slices: 1,
        subjects: 1,
        classes: 1,
        smallest: [4, 6],
        largest: [4, 6],
        colour: 0,
        skipped: 1,
        reasons: { 'the image has no mask of the same name': 1 }
      })
      expect(summary.foreground).to.be.closeTo(1 / 6, 1e-9)
      const text = describeSummary(summary)
      expect(text).to.include('1 slice of 1 subject, 6×4 pixels, grey').and.include('1 file skipped').and.include('slabs')
      expect(JSON.stringify(summary) + text).to.not.match(/secret|alone/)
    } finally {
      await made.clear()
    }
  })
})
