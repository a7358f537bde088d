import { expect } from 'chai'
import fc from 'fast-check'
import { hasForeground, splitSlices, type Slice, type VoxelGrid } from '../../../src/dataset/index.ts'
import { casesOf, unseenSlices } from '../../../src/site-model/evaluate/site-cases.ts'
import { slice } from '../dataset/fixtures.ts'

const grid = (): VoxelGrid => ({ axis: 'axial', height: 8, width: 8, spacing: [3, 1, 1] })

/** Slices of a volume, with foreground where `shown` says 1. */
function volume (subject: string, shown: readonly number[], name = subject): Slice[] {
  const voxels = grid()
  return shown.map((value, index) => ({ ...slice(subject, index), id: `${name}#${index}`, mask: new Uint8Array(64).fill(value), voxels }))
}

const ids = (slices: readonly Slice[]): string[] => slices.map(({ id }) => id)

describe('what is scored of a site', () => {
  it('takes whole patients that training never saw, and those without the organ', () => {
    const patients = ['a', 'b', 'c', 'd', 'e'].map((name) => volume(name, [0, 1, 1, 0, 1, 0]))
    const without = volume('none', [0, 0, 0])
    const all = [...patients.flat(), ...without]
    const unseen = unseenSlices(all, { seed: 3 })
    const { train, validation } = splitSlices(patients.flat().filter(hasForeground), { seed: 3 })
    expect(unseen.filter(hasForeground)).to.have.members(validation)
    const subjects = new Set(unseen.map(({ subject }) => subject))
    expect(train.some(({ subject }) => subjects.has(subject))).to.equal(false)
    expect(unseen).to.include.members(without)
    expect(unseen).to.have.length(3 + 6 * new Set(validation.map(({ subject }) => subject)).size)
  })

  it('takes of a single patient only what lies within the slab', () => {
    const shown = Array.from({ length: 60 }, (_, i) => i % 7 === 3 ? 0 : 1)
    const unseen = unseenSlices(volume('a', shown), { seed: 1 })
    const places = unseen.map(({ index }) => index)
    expect(places).to.deep.equal(Array.from({ length: places.length }, (_, i) => places[0]! + i))
    expect(unseen.some((each) => !hasForeground(each))).to.equal(true)
    expect(unseen.filter(hasForeground)).to.have.members(splitSlices(volume('a', shown).filter(hasForeground), { seed: 1 }).validation
      .map(({ id }) => unseen.find((each) => each.id === id)!))
  })

  it('never takes a slice that training sees', () => {
    const site = fc.array(fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 5 })
    fc.assert(fc.property(site, fc.integer(), (patients, seed) => {
      const all = patients.flatMap((shown, i) => volume(`p${i}`, shown))
      const unseen = new Set(unseenSlices(all, { seed }))
      const { train, validation } = splitSlices(all.filter(hasForeground), { seed })
      expect(train.some((each) => unseen.has(each))).to.equal(false)
      expect(validation.every((each) => unseen.has(each))).to.equal(true)
    }))
  })

  it('makes a case of each volume, and one of all pictures of a patient', () => {
    const pictures = [slice('p', 4), slice('p', 1)]
    const two = [...volume('a', [1, 1], 'a-early'), ...volume('a', [1], 'a-late')]
    const cases = casesOf([...two.toReversed(), ...pictures])
    expect(cases.map(({ patient, name, slices }) => [patient, name, ids(slices)])).to.deep.equal([
      ['a', 'a-late', ['a-late#0']],
      ['a', 'a-early', ['a-early#0', 'a-early#1']],
      ['p', 'p', ids([pictures[1]!, pictures[0]!])]
    ])
    expect(cases.map(({ voxels }) => voxels?.spacing)).to.deep.equal([[3, 1, 1], [3, 1, 1], undefined])
  })
})
