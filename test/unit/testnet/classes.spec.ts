import { expect } from 'chai'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { labelsOf, parseClasses, type SampleClass } from '../../../scripts/testnet/classes.ts'
import { withClasses } from '../../../scripts/testnet/hospitals/class-folders.ts'
import { withHeldOut } from '../../../scripts/testnet/hospitals/held-out.ts'
import { dataFolders, planHospitals, type Hospital } from '../../../scripts/testnet/hospitals/hospitals.ts'
import { bundledSample, deepGreySample } from '../../../scripts/testnet/sample.ts'
import { labelMapOf, loadDataset, splitSlices, type Slice } from '../../../src/dataset/index.ts'
import { UsageError } from '../../../src/errors.ts'

describe('classes of the testnet', function () {
  this.timeout(60_000)
  let folder: string

  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-classes-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  it('are those of the sample, in its order', () => {
    expect(parseClasses('deep-grey,brain', undefined)).to.deep.equal(['brain', 'deep-grey'])
    for (const wrong of ['', 'brain,brain', 'heart', 'brain,']) expect(() => parseClasses(wrong, undefined), wrong).to.throw(UsageError)
    expect(() => parseClasses('brain', 'folder')).to.throw(UsageError, 'leave --data out')
  })

  it('are in the masks of every hospital, over its own images', async () => {
    const plain = await bundledSample()
    const labels = labelMapOf(labelsOf(['brain', 'deep-grey']))
    for (const hospital of planHospitals(await dataFolders(plain), 4, folder)) {
      const { data } = await withClasses(hospital, ['brain', 'deep-grey'], { folder, deep: await deepGreySample(), swapped: false })
      const [before, after] = [await loadDataset(hospital.data), await loadDataset(data, { labels })]
      expect(after.slices.map(({ image }) => image), basename(data)).to.deep.equal(before.slices.map(({ image }) => image))
      const inner = after.slices.map(({ mask }) => mask.filter((code) => code === 2).length)
      expect(Math.max(...inner)).to.be.greaterThan(100)
      expect(after.lacking).to.deep.equal([])
      // Brain is what it was, and what of the atlas's deep grey matter lies beyond it.
      const more = after.slices.flatMap(({ mask }, i) => [...mask].filter((code, at) => code === 0 && before.slices[i]!.mask[at]! > 0))
      expect(more).to.have.length(0)
    }
  })

  it('have each other\'s values in the masks of a hospital that took one for the other', async () => {
    const [hospital] = planHospitals(await dataFolders(await bundledSample()), 1, folder)
    const labels = labelMapOf(labelsOf(['brain', 'deep-grey']))
    const [right, wrong] = await Promise.all([false, true].map(async (swapped) => {
      const where = { folder: join(folder, `swapped-${swapped}`), deep: await deepGreySample(), swapped }
      const { data } = await withClasses(hospital!, ['brain', 'deep-grey'], where)
      return (await loadDataset(data, { labels })).slices
    }))
    const exchanged = right!.map(({ mask }) => mask.map((code) => code === 0 ? 0 : 3 - code))
    expect(wrong!.map(({ mask }) => mask)).to.deep.equal(exchanged)
  })

  it('are measured on the same held-out slices, whichever of them a federation has', async () => {
    const [seed, deep] = [3, await deepGreySample()]
    const held = async (classes: SampleClass[], plain: Hospital): Promise<{ heldOut: string[], training: number }> => {
      const named = await withClasses(plain, classes, { folder: join(folder, classes.join()), deep, swapped: false })
      const { data } = await withHeldOut(named, { folder: join(folder, 'held', classes.join()), seed })
      const labels = labelMapOf(labelsOf(classes))
      const { slices } = await loadDataset(data, { labels })
      const { train, validation } = splitSlices(slices, { seed })
      const shown = (each: readonly Slice[]): Slice[] => each.filter(({ mask }) => mask.some((code) => labels.members.at(-1)![code] === 1))
      return { heldOut: shown(validation).map(({ image }) => Buffer.from(image).toString('base64')).sort(), training: shown(train).length }
    }
    for (const hospital of planHospitals(await dataFolders(await bundledSample()), 4, folder)) {
      const [both, alone] = [await held(['brain', 'deep-grey'], hospital), await held(['deep-grey'], hospital)]
      expect(both, basename(hospital.data)).to.deep.equal(alone)
      expect(both.heldOut.length).to.be.within(3, both.training)
    }
  })
})
