import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { scanDataset, type Dataset } from '../../../src/dataset/index.ts'
import { folderOf, niftiBytes, qformOf, type Matrix, type NiftiSpec } from './fixtures.ts'

const CASES = join(import.meta.dirname, '../../fixtures/field-cases')
const dims = [6, 5, 4]
/** Bright where the mask is, so that a mask that was moved shows. */
const inside = Array.from({ length: 120 }, (_, i) => i % 6 < 2 && Math.floor(i / 6) % 5 > 2 && i > 60 ? 1 : 0)
const image = inside.map((label, i) => 100 + 800 * label + i % 7)

const A = [[2, 0, 0, 5], [0, 3, 0, 6], [0, 0, 4, 7]]
/** The same grid mirrored, so that it covers the same place. */
const MIRRORED = [[-2, 0, 0, 15], [0, 3, 0, 6], [0, 0, 4, 7]]
const TURNED = [[1.97, -0.5, 0, 5], [0.33, 2.95, 0, 6], [0, 0, 4, 30]]

/** Mean brightness of the foreground, 0..255. */
function underMask ({ slices }: Dataset): number {
  const shown = slices.flatMap((slice) => [...slice.image].filter((_, i) => slice.mask[i]! > 0))
  return shown.reduce((sum, value) => sum + value, 0) / shown.length
}

describe('where image and mask lie', () => {
  let clear: () => Promise<void>
  afterEach(async () => { await clear() })

  async function scan (ofImage: Partial<NiftiSpec>, ofMask: Partial<NiftiSpec>): Promise<Dataset> {
    const made = await folderOf({
      'images/v.nii': niftiBytes({ dims, values: image, datatype: 4, ...ofImage }),
      'masks/v.nii': niftiBytes({ dims, values: inside, ...ofMask })
    })
    clear = made.clear
    return await scanDataset(made.path)
  }

  async function reason (ofImage: Partial<NiftiSpec>, ofMask: Partial<NiftiSpec>): Promise<string | undefined> {
    return (await scan(ofImage, ofMask)).problems[0]?.reason
  }

  const places: Record<string, Matrix> = { A, MIRRORED, TURNED }
  for (const [s, q] of [['A', 'MIRRORED'], ['MIRRORED', 'A'], ['A', 'TURNED'], ['TURNED', 'A']] as const) {
    it(`with a sform ${s} and a qform ${q}, goes by whichever the mask states`, async () => {
      const two = { sform: places[s]!, qform: qformOf(places[q]!) }
      for (const stated of [s, q]) {
        for (const ofMask of [{ sform: places[stated]! }, { qform: qformOf(places[stated]!) }, two]) {
          const dataset = await scan(two, ofMask)
          expect(dataset.problems).to.deep.equal([])
          expect(underMask(dataset), stated).to.be.greaterThan(220)
          await clear()
        }
      }
      const found = await scan({ sform: places[s]! }, two)
      expect(underMask(found)).to.be.greaterThan(220)
    })
  }

  it('refuses a mask that neither of two places proves, without advice that would spoil it', async () => {
    const two = { sform: A, qform: qformOf(MIRRORED) }
    const elsewhere = [[2, 0, 0, 90], [0, 3, 0, 6], [0, 0, 4, 7]]
    expect(await reason(two, { sform: elsewhere })).to.include('qform and sform of the image').and.include('do not resample')
    await clear()
    // Stored in another order at the same place, it would be mirrored by one of them.
    expect(await reason(two, { sform: [[2, 0, 0, 5], [0, -3, 0, 18], [0, 0, 4, 7]] })).to.include('qform and sform of the image')
    await clear()
    expect(await reason({ sform: elsewhere }, two)).to.include('qform and sform of the mask')
  })

  it('tells what may be done where a mask states another place', async () => {
    expect(await reason({ sform: A }, {})).to.include("give it the image's header").and.include('different places')
  })

  it('reads masks that another program wrote by its own reading of the header', async () => {
    const micro = { sform: A.map((row) => row.map((value) => value * 1000)), unit: 3 }
    for (const [ofImage, ofMask] of [
      [micro, { sform: micro.sform }],
      [micro, { sform: A, unit: 2 }],
      [{ pixdim: [1, 2, 3, 4] }, { sform: [[-2, 0, 0, 5], [0, 3, 0, -6], [0, 0, 4, -6]] }],
      [{ pixdim: [1, 2, 3, 4] }, { sform: [[-2, 0, 0, 0], [0, -3, 0, 0], [0, 0, 4, 0]] }],
      [{ sform: A, pixdim: [1, 0, 3, 4] }, { sform: [[1, 0, 0, 5], [0, 3, 0, 6], [0, 0, 4, 7]] }]
    ]) {
      const dataset = await scan(ofImage!, ofMask!)
      expect(dataset.problems).to.deep.equal([])
      expect(underMask(dataset)).to.be.greaterThan(220)
      await clear()
    }
  })

  it('takes the one dimension of 1 for the axis of the slices, whatever plane was chosen', async () => {
    await fc.assert(fc.asyncProperty(fc.nat(2), fc.constantFrom('auto', 'axial', 'coronal', 'sagittal'), async (at, axis) => {
      const flat = [12, 10].toSpliced(at, 0, 1)
      const made = await folderOf({
        'images/v.nii': niftiBytes({ dims: flat, values: image, datatype: 4 }),
        'masks/v.nii': niftiBytes({ dims: flat, values: inside })
      })
      clear = made.clear
      const { slices } = await scanDataset(made.path, { axis })
      expect(slices.map(({ height, width }) => [height, width].sort())).to.deep.equal([[10, 12]])
      expect(underMask({ slices } as unknown as Dataset)).to.be.greaterThan(220)
      await clear()
    }), { numRuns: 20 })
  })

  it('reads the field cases', async () => {
    clear = async () => {}
    const flat = await scanDataset(join(CASES, 'D1-single-sagittal-slice'))
    expect(flat.slices.map(({ height, width }) => [width, height])).to.deep.equal([[40, 44], [40, 44], [40, 44]])
    for (const name of ['D2-qform-sform-flip', 'D3-qform-sform-rotated', 'H1-readable-said-damaged']) {
      const dataset = await scanDataset(join(CASES, name))
      expect(dataset.problems, name).to.deep.equal([])
      expect(underMask(dataset), name).to.be.greaterThan(220)
    }
  })
})
