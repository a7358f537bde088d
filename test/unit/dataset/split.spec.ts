import { expect } from 'chai'
import fc from 'fast-check'
import { seededRandom, shuffled } from '../../../src/common/random.ts'
import { splitSlices, type Slice } from '../../../src/dataset/index.ts'
import { subjectOf } from '../../../src/dataset/subject.ts'
import { slice } from './fixtures.ts'

const stack = (count: number): Slice[] => Array.from({ length: count }, (_, i) => slice('s', i))
const indices = (slices: readonly Slice[]): number[] => slices.map((each) => each.index)

describe('splits', () => {
  it('cut one subject by a slab with a gap on both sides', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 120 }),
        fc.integer(),
        fc.double({ min: 0.05, max: 0.5, noNaN: true }),
        (count, seed, validationShare) => {
          const { train, validation } = splitSlices(stack(count), { seed, validationShare })
          const held = indices(validation)
          const gap = Math.max(2, Math.ceil(0.06 * count))
          expect(held).to.deep.equal(held.map((_, i) => held[0]! + i))
          for (const index of indices(train)) {
            for (const other of held) expect(Math.abs(index - other)).to.be.greaterThan(gap)
          }
          expect(train.length).to.be.at.least(1)
          if (count >= 4) {
            expect(validation.length).to.be.at.least(count > 10 ? 1 : 0)
          }
        }
      )
    )
  })

  it('leave a stack of 48 with 32 for training and 10 for validation', () => {
    for (let seed = 0; seed < 50; seed++) {
      const { train, validation } = splitSlices(stack(48), { seed })
      expect([train.length, validation.length]).to.deep.equal([32, 10])
      expect(validation[0]!.index).to.be.at.least(6)
      expect(validation.at(-1)!.index).to.be.at.most(41)
    }
  })

  it('move with the seed and not with the order of the slices', () => {
    const places = new Set(Array.from({ length: 40 }, (_, seed) => splitSlices(stack(48), { seed }).validation[0]!.index))
    expect(places.size).to.be.greaterThan(10)
    const mixed = shuffled(stack(48), seededRandom(9))
    expect(splitSlices(mixed, { seed: 3 })).to.deep.equal(splitSlices(stack(48), { seed: 3 }))
  })

  it('keep tiny stacks usable as far as they go', () => {
    expect(splitSlices([], { seed: 1 })).to.deep.equal({ train: [], validation: [] })
    expect(splitSlices(stack(3), { seed: 1 })).to.deep.equal({ train: stack(3), validation: [] })
    const { train, validation } = splitSlices(stack(5), { seed: 1 })
    expect([train.length, validation.length]).to.deep.equal([2, 1])
  })

  it('never put slices of one subject on both sides', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 12 }), fc.integer(), (sizes, seed) => {
      const slices = sizes.flatMap((size, s) => Array.from({ length: size }, (_, i) => slice(`p${s}`, i)))
      const { train, validation } = splitSlices(slices, { seed })
      const [a, b] = [train, validation].map((part) => new Set(part.map((each) => each.subject)))
      expect([...a!].filter((subject) => b!.has(subject))).to.deep.equal([])
      expect(train.length + validation.length).to.equal(slices.length)
      expect(a!.size).to.be.at.least(1)
      expect(b!.size).to.be.at.least(1)
    }))
  })

  it('have every class on both sides where a place of the slab does that, and else are as without classes', () => {
    const showing = (from: number, to: number): Slice[] =>
      stack(48).map((each, i) => ({ ...each, shows: i >= from && i < to ? [0, 1] : [0] }))
    const classesOf = (slices: readonly Slice[]): Set<number> => new Set(slices.flatMap(({ shows = [] }) => shows))
    for (let seed = 0; seed < 30; seed++) {
      const { train, validation } = splitSlices(showing(30, 42), { seed })
      expect([classesOf(train).size, classesOf(validation).size]).to.deep.equal([2, 2])
      expect([train.length, validation.length]).to.deep.equal([32, 10])
      expect(indices(splitSlices(showing(0, 48), { seed }).validation)).to.deep.equal(indices(splitSlices(stack(48), { seed }).validation))
    }
  })

  it('hold out a subject of a rare class where two show it, and leave the only one to training', () => {
    const patients = (rare: readonly string[]): Slice[] =>
      Array.from({ length: 20 }, (_, i) => ({ ...slice(`p${i}`, 0), shows: rare.includes(`p${i}`) ? [0, 1] : [0] }))
    for (let seed = 0; seed < 30; seed++) {
      const { train, validation } = splitSlices(patients(['p3', 'p11']), { seed })
      for (const part of [train, validation]) expect(part.filter(({ shows }) => shows?.includes(1))).to.have.length(1)
      expect(splitSlices(patients(['p3']), { seed }).train.filter(({ shows }) => shows?.includes(1))).to.have.length(1)
    }
  })

  it('hold out about a fifth of many subjects', () => {
    const slices = Array.from({ length: 40 }, (_, i) => slice(`p${i}`, 0))
    expect(splitSlices(slices, { seed: 5 }).validation).to.have.length(8)
  })
})

describe('subjects', () => {
  it('are what stands before the last number of a picture', () => {
    expect(subjectOf('colin27_012')).to.deep.equal({ subject: 'colin27', index: 12 })
    expect(subjectOf('a_b#3')).to.deep.equal({ subject: 'a_b', index: 3 })
    expect(subjectOf('case_001_0007')).to.deep.equal({ subject: 'case_001', index: 7 })
    expect(subjectOf('fundus-left')).to.deep.equal({ subject: 'fundus-left', index: 0 })
    expect(subjectOf('0012')).to.deep.equal({ subject: '0012', index: 0 })
    expect(subjectOf('_12')).to.deep.equal({ subject: '_12', index: 0 })
  })
})
