import { expect } from 'chai'
import fc from 'fast-check'
import { emptySlices, hasForeground, splitSlices, type Slice } from '../../../src/dataset/index.ts'
import { slice } from './fixtures.ts'

/** Slices of a subject, with foreground where `shown` says so. */
function subject (name: string, shown: readonly boolean[]): Slice[] {
  return shown.map((is, index) => ({ ...slice(name, index), mask: new Uint8Array(64).fill(is ? 1 : 0) }))
}

function chosenOf (slices: readonly Slice[], share: number, seed = 1): { chosen: Slice[], train: Slice[], validation: Slice[] } {
  const split = splitSlices(slices.filter(hasForeground), { seed })
  return { ...split, chosen: emptySlices(slices, split, { share, seed }) }
}

const stack = subject('a', Array.from({ length: 60 }, (_, i) => i >= 20 && i < 50))

describe('slices without foreground in training', () => {
  it('are the share of all that was asked for, where a site has so many, and none for none', () => {
    const { chosen, train } = chosenOf(stack, 0.25)
    expect(chosen.length / (chosen.length + train.length)).to.be.closeTo(0.25, 0.02)
    expect(chosenOf(stack, 0).chosen).to.be.empty
    expect(chosenOf(stack, 0.9).chosen.length).to.be.within(20, 30)
  })

  it('have no foreground, come once, and are the same for a seed, in whatever order the slices are', () => {
    fc.assert(fc.property(
      fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 6 }),
      fc.double({ min: 0, max: 0.9, noNaN: true }),
      fc.integer({ min: 0, max: 99 }),
      (subjects, share, seed) => {
        const slices = subjects.flatMap((shown, i) => subject(`s${i}`, shown))
        const { chosen, validation } = chosenOf(slices, share, seed)
        expect(chosen.filter(hasForeground)).to.be.empty
        expect(new Set(chosen).size).to.equal(chosen.length)
        expect(chosenOf(slices.toReversed(), share, seed).chosen).to.deep.equal(chosen)
        if (new Set(slices.filter(hasForeground).map((each) => each.subject)).size < 2) return
        const scored = new Set(validation.map((each) => each.subject))
        expect(chosen.filter((each) => scored.has(each.subject))).to.be.empty
      }
    ))
  })

  it('of an only subject are no nearer to what is scored than training is', () => {
    for (let seed = 0; seed < 20; seed++) {
      const holes = subject('a', Array.from({ length: 60 }, (_, i) => i % 3 > 0))
      const { chosen, train, validation } = chosenOf(holes, 0.3, seed)
      const nearest = (some: readonly Slice[]): number =>
        Math.min(...some.flatMap(({ index }) => validation.map((each) => Math.abs(each.index - index))))
      expect(chosen).not.to.be.empty
      expect(nearest(chosen)).to.be.at.least(nearest(train))
    }
  })

  it('are spread over the subjects, and of those without any a part is left for scoring', () => {
    const patients = Array.from({ length: 10 }, (_, i) => subject(`p${i}`, [true, true, true, false, false, false]))
    const without = Array.from({ length: 5 }, (_, i) => subject(`w${i}`, [false, false]))
    const { chosen, train } = chosenOf([...patients, ...without].flat(), 0.5)
    const counts = [...Map.groupBy(chosen, (each) => each.subject).values()].map((some) => some.length)
    expect(counts.length).to.equal(new Set(train.map((each) => each.subject)).size + 4)
    expect(Math.max(...counts) - Math.min(...counts)).to.be.at.most(1)
  })
})
