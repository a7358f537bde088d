import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadDataset, readImage, splitSlices, summarise } from '../../../src/dataset/index.ts'

const SAMPLES = join(import.meta.dirname, '../../../samples')
/** As the NOTICE beside the sample says: slices, width, height. */
const HOSPITALS = { a: [48, 120, 144], b: [44, 120, 120], c: [47, 144, 120], d: [47, 120, 144] } as const

describe('bundled sample', () => {
  for (const [letter, [count, width, height]] of Object.entries(HOSPITALS)) {
    it(`hospital ${letter} loads whole and splits with a gap`, async () => {
      const dataset = await loadDataset(join(SAMPLES, `colin27/hospital-${letter}`))
      const { slices, subjects, classes, problems } = dataset
      expect(problems).to.deep.equal([])
      expect({ count: slices.length, subjects, classes }).to.deep.equal({ count, subjects: 1, classes: 1 })
      expect(new Set(slices.map((slice) => `${slice.width}×${slice.height} ${slice.subject}`))).to.deep.equal(
        new Set([`${width}×${height} colin27`])
      )
      const { foreground } = summarise(dataset)
      expect(foreground).to.be.within(0.2, 0.45)
      const { train, validation } = splitSlices(slices, { seed: 1 })
      expect(train.length).to.be.at.least(28)
      expect(validation.length).to.be.within(8, 12)
    })
  }

  it('is cut in the planes in which the volumes were stored', async () => {
    const facts = async (letter: string): Promise<unknown> => (await loadDataset(join(SAMPLES, `colin27/hospital-${letter}`))).volumes[0]
    expect(await facts('b')).to.deep.include({ axis: 'coronal', slices: 44, spacing: [1.5, 1.5, 4] })
    expect(await facts('c')).to.deep.include({ axis: 'sagittal', slices: 47, spacing: [1.5, 1.5, 3] })
  })

  it('keeps the place of the head: the middle of the brain is at the same point in both volumes', async () => {
    const centres = await Promise.all(['b', 'c'].map(async (letter) => {
      const { slices } = await loadDataset(join(SAMPLES, `colin27/hospital-${letter}`))
      const image = await readImage(
        join(SAMPLES, letter === 'b' ? 'colin27/hospital-b/imagesTr/colin27_0000.nii.gz' : 'colin27/hospital-c/images/colin27.nii.gz')
      )
      if (image.kind !== 'volume') throw new Error('not a volume')
      const { affine } = image.header
      const sum = [0, 0, 0, 0]
      // Both are stored column, row, slice, so that an index is a voxel.
      for (const slice of slices) {
        slice.mask.forEach((label, at) => {
          if (label > 0) {
            ;[at % slice.width, Math.floor(at / slice.width), slice.index, 1].forEach((value, i) => {
              sum[i] = sum[i]! + value
            })
          }
        })
      }
      const [i, j, k] = sum.map((value) => value / sum[3]!)
      return affine.map((row) => row[0] * i! + row[1] * j! + row[2] * k! + row[3])
    }))
    centres[0]!.forEach((value, axis) => { expect(value).to.be.closeTo(centres[1]![axis]!, 1.5) })
  })

  it('stays small and ships its notice', async () => {
    const files = await readdir(SAMPLES, { recursive: true, withFileTypes: true })
    const sizes = await Promise.all(
      files.filter((file) => file.isFile()).map(async (file) => (await stat(join(file.parentPath, file.name))).size)
    )
    expect(sizes.reduce((sum, size) => sum + size, 0)).to.be.lessThan(4e6)
    expect(files.map((file) => file.name)).to.include('NOTICE')
  })
})
