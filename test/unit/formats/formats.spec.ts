import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import fc from 'fast-check'
import {
  describeSummary,
  readImage,
  readMaskOf,
  scanDataset,
  summarise,
  writeMaskNifti,
  writeMaskPng
} from '../../../src/dataset/index.ts'
import { InputError } from '../../../src/errors.ts'
import { readNrrd } from '../../../src/formats/nrrd.ts'
import { readPages } from '../../../src/formats/pages/read-pages.ts'
import type { Samples } from '../../../src/formats/pages/samples.ts'
import { pictureOf } from '../../../src/formats/picture.ts'
import { folderOf, niftiBytes, pixels, png } from '../dataset/fixtures.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/pictures')

describe('formats', () => {
  let folder: Awaited<ReturnType<typeof folderOf>>
  before(async () => { folder = await folderOf({}) })
  after(async () => { await folder.clear() })
  const at = (name: string): string => join(folder.path, name)

  async function reasonOf (work: Promise<unknown>): Promise<string> {
    return await work.then(() => 'read', (error: unknown) => {
      expect(error).to.be.instanceOf(InputError)
      return (error as Error).message
    })
  }

  it('give random labels back bit for bit that were written as PNG', async () => {
    const labels = fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 2, max: 32 }), fc.nat())
    await fc.assert(fc.asyncProperty(labels, async ([height, width, top, seed]) => {
      const mask = pixels(height, width, (x, y) => (x * 7919 + y * 104729 + seed) % (top + 1))
      mask[0] = top
      await writeFile(at('i.png'), await png(height, width, (x) => x))
      await writeMaskPng(at('m.png'), mask, height, width)
      expect([...(await readMaskOf(await readImage(at('i.png')), at('m.png')))[0]!]).to.deep.equal([...mask])
    }), { numRuns: 60 })
  })

  it('give random labels, spacings and orientations back bit for bit that were written as NIfTI', async () => {
    const side = fc.integer({ min: 2, max: 7 })
    const spacing = fc.constantFrom(0.4, 0.4, 0.7, 1, 2.5)
    const axes = fc.constantFrom([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0])
    const signs = fc.tuple(fc.constantFrom(-1, 1), fc.constantFrom(-1, 1), fc.constantFrom(-1, 1))
    const volume = fc.tuple(fc.tuple(side, side, side), spacing, fc.tuple(axes, signs), fc.nat(), fc.constantFrom('.nii', '.nii.gz'))
    await fc.assert(fc.asyncProperty(volume, async ([dims, mm, [order, sign], seed, ending]) => {
      const values = Array.from({ length: dims[0] * dims[1] * dims[2] }, (_, i) => (i * 7919 + seed) % 9)
      values[0] = 8
      const sform = [0, 1, 2].map((world) => [...[0, 1, 2].map((i) => order[i] === world ? sign[i]! * mm : 0), world * 3.25])
      await writeFile(at('i.nii'), niftiBytes({ dims, values: values.map((_, i) => i), datatype: 4, sform }))
      await writeFile(at('m.nii'), niftiBytes({ dims, values, sform }))
      const image = await readImage(at('i.nii'))
      if (image.kind !== 'volume') throw new Error('not a volume')
      const masks = await readMaskOf(image, at('m.nii'))
      await writeMaskNifti(at(`out${ending}`), image, masks)
      const back = await readImage(at(`out${ending}`))
      expect(back.kind === 'volume' && back.header.affine).to.deep.equal(image.header.affine)
      expect((await readMaskOf(image, at(`out${ending}`))).map((mask) => [...mask])).to.deep.equal(masks.map((mask) => [...mask]))
    }), { numRuns: 60 })
  })

  it('answer damage with a reason, never with another error', async () => {
    const names = ['grey8-icc.png', 'palette4-interlaced.png', 'uint8-predictor.tif', 'palette8.tif', 'bit1.bmp', 'palette8.gif', 'u1.npy']
      .concat('runs-of-8.bmp', 'os2.bmp', 'five-six-five.bmp', 'i2-big-endian-predictor.tif', 'int64.tif', 'bit12-big-endian.tif')
      .concat('stray.jpg', 'f2.npy')
    const files = await Promise.all(names.map((name) => readFile(join(FIXTURES, name))))
    const damage = fc.tuple(fc.nat(names.length - 1), fc.nat(), fc.uint8Array({ maxLength: 12 }), fc.nat())
    await fc.assert(fc.asyncProperty(damage, async ([which, place, noise, cut]) => {
      const bytes = Uint8Array.from(files[which]!)
      bytes.set(noise.subarray(0, bytes.length - place % bytes.length), place % bytes.length)
      await writeFile(at('damaged'), bytes.subarray(0, 1 + cut % bytes.length))
      await readPages(at('damaged')).then((pages) => pages.map(pictureOf)).catch((error: unknown) => {
        if (!(error instanceof InputError)) throw error
      })
    }), { numRuns: 300 })
  })

  describe('of pictures to be looked at', () => {
    const grey: Samples = { height: 1, width: 3, channels: 1, data: Uint8Array.of(0, 1, 3), bits: 8 }
    const page = (change: Partial<Samples>): Samples => ({ ...grey, ...change })

    it('widen narrow grey, turn over what is stored inverted, and show palettes in their colours', () => {
      expect([...pictureOf(page({ bits: 2 })).data]).to.deep.equal([0, 85, 255])
      const inverted = pictureOf(page({ inverted: true }))
      expect([...inverted.data]).to.deep.equal([255, 254, 252])
      expect(inverted.notes.join()).to.include('turned over')
      const palette = [[1, 2, 3], [4, 5, 6], [7, 7, 7], [8, 9, 10]]
      const { channels, data } = pictureOf(page({ palette }))
      expect([channels, ...data]).to.deep.equal([3, 1, 2, 3, 4, 5, 6, 8, 9, 10])
      expect([...pictureOf(page({ palette: [[9, 9, 9], [5, 5, 5], [0, 0, 0], [1, 1, 1]] })).data]).to.deep.equal([9, 5, 1])
      expect(() => pictureOf(page({ palette: [[1, 2, 3]] }))).to.throw(InputError, 'damaged')
    })

    it('leave alpha out and say so, unless all is in it', () => {
      const alpha = pictureOf(page({ channels: 2, data: Uint8Array.of(5, 255, 6, 0, 7, 255) }))
      expect([...alpha.data]).to.deep.equal([5, 6, 7])
      expect(alpha.notes.join()).to.include('transparen')
      expect(pictureOf(page({ channels: 2, data: Uint8Array.of(5, 255, 6, 255, 7, 255) })).notes).to.deep.equal([])
      expect(() => pictureOf(page({ channels: 2, data: Uint8Array.of(5, 255, 5, 0, 5, 255) }))).to.throw(InputError, 'transparency')
    })
  })

  it('are named where they are not read, and called damaged by their own reader alone', async () => {
    const dicom = Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')])
    for (const [name, bytes, part] of [
      ['a.png', dicom, 'DICOM'],
      ['a.png', 'version https://git-lfs.github.com/spec/v1\n', 'git lfs pull'],
      ['a.tif', '<!DOCTYPE html>', 'a web page'],
      ['a.jpg', Buffer.of(0x1f, 0x8b, 8, 0), 'unpack it'],
      ['a.png', 'NRRD0004\n', 'the ending .nrrd'],
      ['a.nii', await png(4, 4, (x) => x), 'the ending .png'],
      ['a.nii', dicom, 'DICOM'],
      ['a.mha', await png(4, 4, (x) => x), 'the ending .png'],
      ['a.nrrd', 'ObjectType = Image\n', 'the ending .mha']
    ] as const) {
      await writeFile(at(name), bytes)
      expect(await reasonOf(readImage(at(name))), `${name}, ${part}`).to.include(part).and.not.include('damaged')
    }
    for (const [name, bytes] of [['a.png', (await png(4, 4, (x) => x)).subarray(0, 30)], ['a.mha', 'ObjectType = Image\n']] as const) {
      await writeFile(at(name), bytes)
      expect(await reasonOf(readImage(at(name))), name).to.include('damaged')
    }
  })

  it('say in their own headers that they are CT', async () => {
    const values = Array.from({ length: 60 }, (_, i) => 1024 + i)
    const range = async (name: string, bytes: Uint8Array | string): Promise<string> => {
      const mask = niftiBytes({ dims: [5, 4, 3], values: values.map((_, i) => i % 2) })
      const made = await folderOf({ [`images/${name}`]: bytes, 'masks/v.nii': mask })
      const [how] = summarise(await scanDataset(made.path)).brightness
      await made.clear()
      return `${how!.how}, ${how!.because}`
    }
    const rescaled = (intercept: number): Uint8Array => niftiBytes({ dims: [5, 4, 3], values, datatype: 4, slope: 1, intercept })
    expect(await range('v.nii', rescaled(-1024))).to.equal('window, stated')
    expect(await range('v.nii', rescaled(-24))).to.equal('percentiles, values')
    const meta = (modality: string): string => [
      'ObjectType = Image', 'NDims = 3', 'BinaryData = False', 'TransformMatrix = -1 0 0 0 -1 0 0 0 1', `Modality = ${modality}`,
      'DimSize = 5 4 3', 'ElementType = MET_SHORT', 'ElementDataFile = LOCAL', values.join(' ')
    ].join('\n')
    expect(await range('v.mha', meta('MET_MOD_CT'))).to.equal('window, stated')
    expect(await range('v.mha', meta('MET_MOD_MR'))).to.equal('percentiles, stated')
    expect(await range('v.mha', meta('MET_MOD_UNKNOWN'))).to.equal('percentiles, values')
  })

  it('of segments become one label each, unless they overlap', async () => {
    const nrrd = (fields: readonly string[], data: Uint8Array): Uint8Array =>
      Buffer.concat([Buffer.from(`NRRD0004\n${fields.join('\n')}\n\n`), gzipSync(data)])
    const fields = ['type: uchar', 'dimension: 4', 'space: right-anterior-superior', 'sizes: 2 2 2 1', 'kinds: list domain domain domain',
      'space directions: none (2,0,0) (0,3,0) (0,0,4)', 'space origin: (1,2,3)', 'encoding: gzip', 'Segment0_ID:=a', 'Segment1_ID:=b']
    // The layer runs fastest.
    await writeFile(at('s.seg.nrrd'), nrrd(fields, Uint8Array.of(1, 0, 0, 1, 0, 0, 0, 1)))
    const { header, voxels } = await readNrrd(at('s.seg.nrrd'))
    expect([...voxels]).to.deep.equal([1, 2, 0, 2])
    expect(header.affine).to.deep.equal([[2, 0, 0, 1], [0, 3, 0, 2], [0, 0, 4, 3]])
    const layered = [...fields, 'Segment0_Layer:=0', 'Segment0_LabelValue:=2', 'Segment1_Layer:=1', 'Segment1_LabelValue:=7']
    await writeFile(at('l.seg.nrrd'), nrrd(layered, Uint8Array.of(2, 0, 0, 7, 1, 0, 0, 0)))
    expect([...(await readNrrd(at('l.seg.nrrd'))).voxels]).to.deep.equal([1, 2, 0, 0])
    await writeFile(at('o.seg.nrrd'), nrrd(fields, Uint8Array.of(1, 1, 0, 1, 0, 0, 0, 1)))
    expect(await reasonOf(readNrrd(at('o.seg.nrrd')))).to.include('overlap')
    await writeFile(at('t.nrrd'), nrrd(fields.slice(0, -2), new Uint8Array(8)))
    expect(await reasonOf(readNrrd(at('t.nrrd')))).to.include('fourth dimension')
    await writeFile(at('short.nrrd'), nrrd(fields.map((field) => field.replace('2 2 2 1', '2 2 2 2')), new Uint8Array(8)))
    expect(await reasonOf(readNrrd(at('short.nrrd')))).to.include('truncated')
  })

  it('of stacks are volumes, page by page as stored, and what was decided is counted', async () => {
    const fixture = async (name: string): Promise<Uint8Array> => await readFile(join(FIXTURES, name))
    const made = await folderOf({
      'images/a.tif': await fixture('stack.tif'),
      'masks/a.tif': await fixture('stack.tif'),
      'images/d.mhd': await fixture('float.mhd'),
      'images/float.raw': await fixture('float.raw'),
      'masks/d.nrrd': await fixture('uint8.nrrd'),
      'images/b.png': await fixture('rgb8-icc.png'),
      'masks/b.png': await fixture('palette2.png'),
      'images/c.nrrd': await fixture('int16.nrrd'),
      'masks/c.nii': niftiBytes({ dims: [1, 1, 1], values: [1] })
    })
    try {
      const dataset = await scanDataset(made.path)
      const [pages, stack] = [await readPages(join(FIXTURES, 'stack.tif')), dataset.slices.filter(({ subject }) => subject === 'a')]
      expect(stack.map(({ id }) => id)).to.deep.equal(['a#000', 'a#001', 'a#002'])
      expect(stack.map(({ image }) => [...image])).to.deep.equal(pages.map(({ data }) => [...data]))
      // A page has no size in mm.
      expect(stack.some((each) => 'voxels' in each)).to.equal(false)
      expect(stack.map(({ mask }) => [...mask])).to.deep.equal(pages.map(({ data }) => [...data]))
      expect(dataset.problems.map(({ file }) => file)).to.deep.equal(['images/c.nrrd'])
      const summary = summarise(dataset)
      expect(Object.entries(summary.notes)).to.deep.equal([[Object.keys(dataset.notes)[0], 1]])
      expect(describeSummary(summary)).to.include('1 pair: masks with a palette')
      const image = await readImage(join(made.path, 'images/a.tif'))
      expect(image.kind).to.equal('volume')
      expect(await readMaskOf(image, join(made.path, 'masks/a.tif'))).to.deep.equal(stack.map(({ mask }) => mask))
      expect(await reasonOf(readMaskOf(image, join(made.path, 'masks/b.png')))).to.include('not a volume')
    } finally {
      await made.clear()
    }
  })

  it('of masks with faint noise are cut where others of the folder were', async () => {
    const mask = async (noise: (i: number) => number): Promise<Uint8Array> =>
      await png(12, 12, (x, y) => x > 3 && x < 9 && y > 3 && y < 9 ? 255 - noise(x) : noise(x + y))
    const image = await png(12, 12, (x) => x)
    const [noisy, faint] = [await mask((i) => i % 4), await png(12, 12, (x, y) => x > 5 ? 255 : x + y === 5 ? 1 : 0)]
    const alone = await folderOf({ 'images/a.png': image, 'masks/a.png': faint })
    const beside = await folderOf({ 'images/a.png': image, 'masks/a.png': faint, 'images/b.png': image, 'masks/b.png': noisy })
    try {
      expect((await scanDataset(alone.path)).classes).to.equal(2)
      const dataset = await scanDataset(beside.path)
      expect([dataset.classes, ...Object.values(dataset.notes)]).to.deep.equal([1, 2])
      expect(dataset.slices.map(({ mask: labels }) => labels.filter((label) => label > 0).length)).to.deep.equal([72, 25])
    } finally {
      await Promise.all([alone.clear(), beside.clear()])
    }
  })

  it('of a colour table name the file that is wrong, and are used where right', async () => {
    const files = { 'images/a.png': await png(4, 4, (x) => x), 'masks/a.png': await png(4, 4, (x) => x % 2) }
    const good = await folderOf({ ...files, 'colours.json': '{ "#FF0000": 1 }' })
    const bad = await folderOf({ ...files, 'colours.json': '{ "red": 1 }' })
    try {
      expect((await scanDataset(good.path)).slices).to.have.length(1)
      expect(await reasonOf(scanDataset(bad.path))).to.include('colours.json is not a table').and.include('{ "#000000": 0')
    } finally {
      await Promise.all([good.clear(), bad.clear()])
    }
  })
})
