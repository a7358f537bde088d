import { expect } from 'chai'
import { Unmixed } from '../../../src/gossip-aggregation/unmixed.ts'

const of = (...values: number[]): Float32Array => Float32Array.from(values)

function rest (unmixed: Unmixed): number[] {
  const into = of(0, 0)
  unmixed.takeOut(into)
  return [...into].map((value) => 0 - value)
}

describe('training that no other site has', () => {
  it('is kept until an exchange carried it whole, and counted', () => {
    const unmixed = new Unmixed()
    unmixed.add(of(1, 2), 4)
    unmixed.add(of(10, 20), 6)
    expect(rest(unmixed)).to.deep.equal([11, 22])
    unmixed.arrive(4)
    expect(rest(unmixed)).to.deep.equal([10, 20])
    unmixed.arrive(0)
    expect(unmixed.steps).to.deep.equal({ trained: 10, arrived: 4, lost: 0 })
    unmixed.arrive(10)
    expect([rest(unmixed), unmixed.steps.arrived]).to.deep.equal([[0, 0], 10])
  })

  it('is summed up from the oldest on, and a sum that arrived in part stays whole', () => {
    const unmixed = new Unmixed()
    for (let landing = 1; landing <= 6; landing++) unmixed.add(of(landing, 0), 1)
    expect(unmixed.landed).to.have.length(3)
    expect(rest(unmixed)).to.deep.equal([21, 0])
    unmixed.arrive(2)
    expect(rest(unmixed)).to.deep.equal([21, 0])
    unmixed.arrive(4)
    expect(rest(unmixed)).to.deep.equal([11, 0])
  })

  it('goes on after a restart with what its steps say, and without what no checkpoint holds', () => {
    const landed = [
      { from: 8, until: 12, delta: of(100, 0) },
      { from: 4, until: 8, delta: of(3, 4) },
      { from: 0, until: 4, delta: of(50, 0) }
    ]
    const unmixed = new Unmixed({ trained: 8, arrived: 4, lost: 0 }, landed)
    expect(rest(unmixed)).to.deep.equal([3, 4])
  })

  it('counts a sum and its parts once, whichever of them were kept', () => {
    const [one, two, both, three] = [[0, 2, 1], [2, 4, 10], [0, 4, 11], [4, 6, 100]].map(([from, until, value]) =>
      ({ from: from!, until: until!, delta: of(value!, 0) }))
    for (const landed of [[one!, two!, three!], [both!, three!], [one!, both!, three!], [three!, both!, two!, one!]]) {
      expect(rest(new Unmixed({ trained: 6, arrived: 0, lost: 0 }, landed))).to.deep.equal([111, 0])
    }
  })

  it('is not changed by steps that were none', () => {
    const unmixed = new Unmixed()
    unmixed.add(of(1, 1), 0)
    expect(unmixed.landed).to.deep.equal([])
  })
})
