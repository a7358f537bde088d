import { expect } from 'chai'
import { Vector } from '../../../src/gossip-aggregation/vector.ts'

describe('x', () => {
  it('is a copy, and changes in its place while nobody borrows it', () => {
    const given = Float32Array.of(1, 2)
    const x = new Vector(given)
    given[0] = 9
    const { values } = x
    x.change()[1] = 3
    expect([...values]).to.deep.equal([1, 3])
    expect(x.values).to.equal(values)
  })

  it('stays as it is for whoever borrows it, until all have given it back', () => {
    const x = new Vector(Float32Array.of(1))
    const [one, other] = [x.borrow(), x.borrow()]
    x.giveBack(one)
    x.change()[0] = 2
    expect([[...other], [...x.values]]).to.deep.equal([[1], [2]])
    // What it gives back is x no more: the present one is borrowed all the same.
    const third = x.borrow()
    x.giveBack(other)
    x.change()[0] = 3
    expect([[...third], [...x.values]]).to.deep.equal([[2], [3]])
    const { values } = x
    x.giveBack(x.borrow())
    x.change()[0] = 4
    expect(values[0]).to.equal(4)
  })
})
