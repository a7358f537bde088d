import { expect } from 'chai'
import fc from 'fast-check'
import type { CopyState } from '../../../../src/model/parameters/private-state.ts'
import { candidates, choosingRound, chosen } from '../../../../src/model/train/own-copy.ts'
import { trainCopies, type CopyRound } from '../../../../src/model/train/train-copies.ts'

const dice = fc.double({ min: 0, max: 1, noNaN: true })

describe('what a site serves', () => {
  it('is chosen when the last rounds begin, in the last round where there are too few', () => {
    expect([24, 8, 1].map((rounds) => choosingRound(rounds, {}))).to.deep.equal([18, 6, 1])
    expect(choosingRound(10, { tail: 0 })).to.equal(10)
  })

  it('is the shared adapter, one tuned at home, or one trained alone', () => {
    const all = candidates(Float32Array.of(0, 2), Float32Array.of(5, 5), Float32Array.of(4, 0))
    expect(all.map(({ serves, values }) => [serves, ...values])).to.deep.equal([
      ['shared', 0, 2], ['tuned', 5, 5], ['alone', 4, 0]
    ])
  })

  it('is the shared adapter unless another is better by more than chance', () => {
    const choose = (...table: number[][]): number => chosen(table.map((_, i) => i), table)
    expect(choose([0.5, 0.5], [0.504, 0.504]), 'a hair').to.equal(0)
    expect(choose([0.5, 0.5, 0.5], [0.7, 0.7, 0.7]), 'every image').to.equal(1)
    expect(choose([0.9, 0.9], [0.97, 0.98]), 'most of what it lacks').to.equal(1)
    expect(choose([0.5, 0.5], [0.57, 0.58]), 'as much, of more').to.equal(0)
    expect(choose([0.5, 0.5, 0.5, 0.5], [0.9, 0.3, 0.7, 0.3]), 'some images').to.equal(0)
    expect(choose([0.5, 0.5], [0.75, 0.75], [0.8, 0.8], [0.4, 0.4]), 'the best of several').to.equal(2)
    expect(choose([0.5], [0.6]), 'one image, and a little').to.equal(0)
    expect(choose([0.5], [0.9]), 'one image, and much').to.equal(1)
    expect(choose([], []), 'nothing to choose by').to.equal(0)
  })

  it('never has a lower mean on these images than the shared adapter', () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 8 }).chain((images) =>
        fc.array(fc.array(dice, { minLength: images, maxLength: images }), { minLength: 1, maxLength: 6 })),
      (table) => {
        const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0)
        expect(sum(chosen(table, table))).to.be.at.least(sum(table[0]!))
      }
    ))
  })
})

describe('copies of a site', () => {
  const START: CopyState = { alone: Float32Array.of(0), steps: 0 }

  /** Training adds one; an image's Dice falls with the distance from the best value. */
  function round (at: Partial<CopyRound> & Pick<CopyRound, 'copy' | 'round'>, best: number): CopyRound {
    return {
      shared: Float32Array.of(100),
      rounds: 8,
      choosing: 6,
      fit: async (values) => await Promise.resolve({ value: values.map((each) => each + 1), loss: 0.5, steps: 3 }),
      diceOf: async ([value]) => await Promise.resolve([1, 1].map(() => 1 - Math.abs(value! - best) / 200)),
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
    expect((await upTo(6, 0)).served).to.deep.equal({ serves: 'alone', values: Float32Array.of(6) })
    expect((await upTo(8, 0)).served).to.deep.equal({ serves: 'alone', values: Float32Array.of(8) })
  })

  it('tunes the shared adapter where that is best', async () => {
    const steep = async ([value]: Float32Array): Promise<number[]> => await Promise.resolve([value === 101 ? 1 : 0])
    const at = { copy: await upTo(5, 0), round: 6, diceOf: steep }
    expect((await trainCopies(round(at, 0))).copy.served).to.deep.equal({ serves: 'tuned', values: Float32Array.of(101) })
  })

  it('follows the shared adapter, but keeps what it had where that was better, after the cool-down too', async () => {
    const copy = await upTo(8, 100)
    expect(copy.served).to.deep.equal({ serves: 'shared', values: Float32Array.of(100) })
    const after = async (shared: number): Promise<CopyState> =>
      (await trainCopies(round({ copy, round: 9, shared: Float32Array.of(shared) }, 100))).copy
    expect((await after(120)).served).to.deep.equal({ serves: 'shared', values: Float32Array.of(100) })
    const dragged = round({ copy: await upTo(6, 100), round: 7, shared: Float32Array.of(-50) }, 100)
    expect((await trainCopies(dragged)).copy.served).to.deep.equal({ serves: 'shared', values: Float32Array.of(100) })
    const better = round({ copy: await upTo(6, 99), round: 7, shared: Float32Array.of(99) }, 99)
    expect([...(await trainCopies(better)).copy.served!.values]).to.deep.equal([99])
    expect((await after(100)).served!.serves).to.equal('shared')
    expect([...(await after(120)).alone]).to.deep.equal([8])
  })
})
