import { expect } from 'chai'
import { diceInterval } from '../../../src/model/scores/dice-interval.ts'

const PATIENTS = ['a', 'b', 'c', 'd', 'e', 'f']

describe('the interval of Dice over patients', () => {
  it('is none of fewer than five, however many images they have', () => {
    const images = Array.from({ length: 40 }, (_, i) => ({ dice: i / 40 }))
    expect(diceInterval(images, images.map((_, i) => PATIENTS[i % 4]), 1)).to.equal(undefined)
    expect(diceInterval(images, images.map((_, i) => PATIENTS[i % 5]), 1)).not.to.equal(undefined)
    expect(diceInterval(images, images.map(() => undefined), 1)).to.equal(undefined)
  })

  it('lies about the mean, is wider where patients differ than where their images do, and follows from the seed', () => {
    const images = Array.from({ length: 60 }, (_, i) => ({ dice: i < 30 ? 0.9 : 0.5 }))
    const apart = diceInterval(images, images.map((_, i) => PATIENTS[Math.floor(i / 10)]), 7)!
    const mixed = diceInterval(images, images.map((_, i) => PATIENTS[i % 6]), 7)!
    expect(mixed[1] - mixed[0]).to.be.below(1e-9)
    expect(apart[0]).to.be.within(0.5, 0.65)
    expect(apart[1]).to.be.within(0.75, 0.9)
    expect(diceInterval(images, images.map((_, i) => PATIENTS[Math.floor(i / 10)]), 7)).to.deep.equal(apart)
  })

  it('is that of the mean over classes where there are several', () => {
    const images = PATIENTS.map((_, i) => ({ dice: 1, classes: [{ dice: 0.8 }, i === 0 ? { dice: 0.4 } : null] }))
    const [low, high] = diceInterval(images, PATIENTS, 3)!
    expect(high).to.be.closeTo(0.8, 1e-9).and.to.be.at.least(low)
    expect(low).to.be.closeTo(0.6, 1e-9)
  })
})
