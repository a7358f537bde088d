import { expect } from 'chai'
import fc from 'fast-check'
import type { CopyState } from '../../../../src/model/parameters/private-state.ts'
import { choosingRound, isBetter, partOf, PARTS, withPart } from '../../../../src/model/train/own-copy.ts'
import { trainCopies, type CopyRound } from '../../../../src/model/train/train-copies.ts'

const dice = fc.double({ min: 0, max: 1, noNaN: true })

describe('what a site serves', () => {
  it('is chosen when the last rounds begin, in the last round where there are too few', () => {
    expect([24, 8, 1].map((rounds) => choosingRound(rounds, {}))).to.deep.equal([18, 6, 1])
    expect(choosingRound(10, { tail: 0 })).to.equal(10)
  })

  it('is the shared adapter, and on it a part of what was learnt at home', () => {
    expect([...withPart(Float32Array.of(1, 2), Float32Array.of(4, 8), 0.25)]).to.deep.equal([2, 4])
  })

  it('has the more of that the surer images say so', () => {
    const rising = (by: number, images: number): number[][] => PARTS.map((part) => Array.from({ length: images }, () => 0.5 + by * part))
    const few = partOf(rising(0, 0))
    expect(few).to.be.within(0.2, 0.4)
    expect(partOf(rising(0, 9))).to.equal(few)
    expect(partOf(rising(0.03, 2))).to.be.within(few, 0.5)
    expect(partOf(rising(0.1, 8))).to.be.greaterThan(0.8)
    expect(partOf(rising(-0.1, 8))).to.be.lessThan(0.05)
    expect(partOf(PARTS.map((part) => [0.5 - (part - 0.5) ** 2 * 8]))).to.be.closeTo(0.5, 0.05)
  })

  it('is never surer than its images: part of it, whatever they say, and more where all of them gain more', () => {
    fc.assert(fc.property(
      fc.array(fc.array(dice, { minLength: PARTS.length, maxLength: PARTS.length }), { maxLength: 8 }),
      (images) => {
        const part = partOf(PARTS.map((_, i) => images.map((each) => each[i]!)))
        expect(part).to.be.within(0, 1)
        const tilted = partOf(PARTS.map((each, i) => images.map((image) => image[i]! + 0.1 * each)))
        expect(tilted).to.be.at.least(part - 1e-12)
      }
    ))
  })

  it('is what was trained alone only where that is better by more than chance', () => {
    expect(isBetter([0.5, 0.5], [0.504, 0.504]), 'a hair').to.equal(false)
    expect(isBetter([0.5, 0.5, 0.5], [0.7, 0.7, 0.7]), 'every image').to.equal(true)
    expect(isBetter([0.9, 0.9], [0.97, 0.98]), 'most of what it lacks').to.equal(true)
    expect(isBetter([0.5, 0.5], [0.57, 0.58]), 'as much, of more').to.equal(false)
    expect(isBetter([0.5, 0.5, 0.5, 0.5], [0.9, 0.3, 0.7, 0.3]), 'some images').to.equal(false)
    expect(isBetter([0.5], [0.6]), 'one image, and a little').to.equal(false)
    expect(isBetter([0.5], [0.9]), 'one image, and much').to.equal(true)
    expect(isBetter([], []), 'nothing to choose by').to.equal(false)
  })
})

describe('copies of a site', () => {
  const START: CopyState = { alone: Float32Array.of(0), own: Float32Array.of(0), steps: 0 }

  /** Training adds one, or that part of one; an image's Dice falls with the distance from the best value. */
  function round (at: Partial<CopyRound> & Pick<CopyRound, 'copy' | 'round'>, best: number): CopyRound {
    return {
      shared: Float32Array.of(100),
      rounds: 8,
      choosing: 6,
      fit: async (values, { part } = { part: 1, asRound: 1 }) =>
        await Promise.resolve({ value: values.map((each) => each + part), loss: 0.5, steps: 3 }),
      diceOf: async ([value]) => await Promise.resolve([1, 1].map(() => Math.max(0, 1 - Math.abs(value! - best)))),
      ...at
    }
  }

  async function upTo (last: number, best: number): Promise<CopyState> {
    let copy = START
    for (let each = 1; each <= last; each++) copy = (await trainCopies(round({ copy, round: each }, best))).copy
    return copy
  }

  it('trains alone in every round, and serves the shared adapter until it chooses', async () => {
    const copy = await upTo(5, 0)
    expect([...copy.alone]).to.deep.equal([5])
    expect(copy.steps).to.equal(15)
    expect(copy.served).to.equal(undefined)
  })

  it('serves the one trained alone where the others only harm, and that goes on', async () => {
    expect((await upTo(6, 6)).served).to.deep.equal({ serves: 'alone', values: Float32Array.of(6) })
    expect((await upTo(8, 6)).served).to.deep.equal({ serves: 'alone', values: Float32Array.of(8) })
    expect((await upTo(9, 6)).served).to.deep.equal({ serves: 'alone', values: Float32Array.of(8) })
  })

  it('learns on top of the shared adapter for as many rounds before the choice as after it, and serves the part that helps', async () => {
    expect((await upTo(4, 101)).own[0]).to.equal(0)
    expect((await upTo(5, 101)).own[0]).to.be.closeTo(0.3, 1e-5)
    const chosen = await upTo(6, 101)
    expect(chosen.part).to.be.greaterThan(0.6)
    expect(chosen.served!.serves).to.equal('tuned')
    expect(chosen.served!.values[0]).to.be.closeTo(100 + 0.6 * chosen.part!, 1e-4)
    expect([...chosen.own]).to.deep.equal([0])
    expect((await upTo(8, 101)).own[0]).to.be.closeTo(0.6, 1e-4)
    expect((await upTo(6, 100)).part).to.be.lessThan(0.1)
  })

  it('tunes at the rate of the same stretch before the choice and after it', async () => {
    const rates: (number | undefined)[] = []
    let copy = START
    for (let each = 1; each <= 9; each++) {
      const run = round({ copy, round: each }, 101)
      const fit: CopyRound['fit'] = async (values, rate) => {
        if (rate != null) rates.push(rate.asRound)
        return await run.fit(values, rate)
      }
      copy = (await trainCopies({ ...run, fit })).copy
    }
    expect(rates).to.deep.equal([5, 6, 5, 6, 7])
  })

  it('follows the shared adapter, but keeps what it had where that was better, after the cool-down too', async () => {
    const copy = await upTo(8, 100)
    const after = async (shared: number): Promise<CopyState> =>
      (await trainCopies(round({ copy, round: 9, shared: Float32Array.of(shared) }, 100))).copy
    expect((await after(120)).served).to.deep.equal(copy.served)
    expect((await after(100 - 0.9 * copy.part!)).served!.values[0]).to.be.closeTo(100, 0.1)
    expect([...(await after(120)).alone]).to.deep.equal([8])
    const dragged = round({ copy: await upTo(6, 100), round: 7, shared: Float32Array.of(-50) }, 100)
    expect((await trainCopies(dragged)).copy.served).to.deep.equal((await upTo(6, 100)).served)
  })
})
