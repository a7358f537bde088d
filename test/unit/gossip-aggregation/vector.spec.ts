import { expect } from 'chai'
import { Vector } from '../../../src/gossip-aggregation/vectors/vector.ts'

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

  it('knows the sum of its squares after a difference was added, until it changes in another way', () => {
    const x = new Vector(Float32Array.of(1, 2, 3))
    expect(x.squares).to.equal(undefined)
    x.add(0.5, Float32Array.of(2, 0, -6))
    expect([[...x.values], x.squares]).to.deep.equal([[2, 2, 0], 8])
    x.change()[0] = 5
    expect(x.squares).to.equal(undefined)
  })

  it('adds nothing to what is borrowed', () => {
    const x = new Vector(Float32Array.of(1))
    const borrowed = x.borrow()
    x.add(1, Float32Array.of(1))
    expect([borrowed[0], x.values[0]]).to.deep.equal([1, 2])
  })
})
