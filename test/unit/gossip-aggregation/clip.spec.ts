import { expect } from 'chai'
import fc from 'fast-check'
import { clipFactor, ClipRadius } from '../../../src/gossip-aggregation/clip.ts'

/** After `distances` from partners of their own. */
function learnt (most: number, distances: readonly number[]): ClipRadius {
  const radius = new ClipRadius(most)
  distances.forEach((distance, index) => { radius.accepted(`site ${index}`, distance, 0) })
  return radius
}

describe('the clip radius', () => {
  it('is the federation\'s until three partners are known, and never more', () => {
    expect(learnt(10, [1, 1]).value).to.equal(10)
    expect(learnt(10, [1, 1, 1]).value).to.be.below(10)
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true })), (distances) => {
      expect(learnt(10, distances).value).to.be.within(1e-3, 10)
    }))
  })

  it('follows distances that shrink, by a quarter per exchange at most, down to a ten thousandth', () => {
    const radius = learnt(10, new Array<number>(16).fill(1))
    expect(radius.value).to.equal(3)
    radius.accepted('next', 0, 0)
    expect(radius.value).to.equal(3)
    for (let i = 0; i < 15; i++) {
      const before = radius.value
      radius.accepted(`later ${i}`, 0, 0)
      expect(radius.value).to.be.at.least(0.75 * before)
    }
    for (let i = 0; i < 60; i++) radius.accepted(`site ${i}`, 0, 0)
    expect(radius.value).to.equal(1e-3)
  })

  it('is not set by liars of up to a fifth of the partners', () => {
    expect(learnt(1e6, [...new Array<number>(12).fill(1), 1, 1, 1e5, 1e5, 1e5]).value).to.be.below(1e6)
    const honest = learnt(10, new Array<number>(16).fill(1))
    for (let i = 0; i < 3; i++) honest.accepted(`liar ${i}`, 1000, 0)
    expect(honest.value).to.equal(3)
  })

  it('remembers what is far from a partner while others are met again and again', () => {
    const radius = learnt(10, [2, 2, 2])
    for (let i = 0; i < 30; i++) radius.accepted('neighbour', 0.001, 0)
    expect(radius.value).to.equal(6)
    for (let i = 0; i < 30; i++) radius.accepted(`neighbour ${i % 2}`, 0.001, 0)
    expect(radius.value).to.be.below(6)
  })

  it('grows with own training, also for the exchanges after the next, and with a spread that most partners show', () => {
    const radius = learnt(1000, new Array<number>(16).fill(1))
    for (let i = 0; i < 40; i++) radius.accepted(`site ${i % 16}`, 1, 0)
    expect(radius.value).to.equal(3)
    radius.moved(10)
    expect(radius.value).to.be.closeTo(3 + 30 * Math.SQRT2, 1e-9)
    radius.accepted('site 0', 14, 0)
    expect(radius.value).to.be.above(40)
    const growing = learnt(1000, new Array<number>(16).fill(1))
    for (let i = 0; i < 200; i++) growing.accepted(`site ${i % 16}`, 100, 0)
    expect(growing.value).to.be.within(100, 400)
  })

  it('is not below what quantisation makes of equal vectors', () => {
    const radius = learnt(10, new Array<number>(16).fill(0))
    for (let i = 0; i < 40; i++) radius.accepted(`site ${i}`, 0, 0.5)
    expect(radius.value).to.equal(1.5)
  })

  it('goes on after a restart', () => {
    const before = learnt(10, [1, 1.5, 1, 2])
    const after = new ClipRadius(10, before.state)
    expect(after.state).to.deep.equal(before.state)
    before.accepted('x', 1, 0)
    after.accepted('x', 1, 0)
    expect(after.value).to.equal(before.value)
    expect(new ClipRadius(2, { radius: 5, recent: [] }).value).to.equal(2)
  })
})

describe('the clip factor', () => {
  it('leaves what is within the radius alone and lets nothing move by more than it', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (distance, radius) => {
        const factor = clipFactor(distance, radius)
        expect(factor).to.be.within(0, 1)
        expect(factor * distance).to.be.at.most(radius * (1 + 1e-12))
        if (distance <= radius) expect(factor).to.equal(1)
      })
    )
  })

  it('gives a lie less the larger it is', () => {
    const moved = [4, 8, 40, 400].map((distance) => distance * clipFactor(distance, 1))
    expect(moved[0]).to.equal(1)
    expect(moved).to.deep.equal([...moved].sort((a, b) => b - a))
    expect(moved[3]).to.be.below(1e-3)
  })
})
