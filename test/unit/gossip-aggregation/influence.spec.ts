import { expect } from 'chai'
import fc from 'fast-check'
import { Influence } from '../../../src/gossip-aggregation/influence.ts'

const HONEST = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

/** After one landing of length 1, with all of these partners met once, at distance 0.5. */
function among (partners: readonly string[], rootOf = (partner: string) => partner): Influence {
  const influence = new Influence(rootOf)
  influence.landed(1, 16)
  for (const partner of partners) influence.moved(partner, 0.5, false)
  return influence
}

/** A round: it lands 1, and exchanges with three, one after the other, at distance `distance`. */
function round (influence: Influence, number: number, distance = 0.7): void {
  influence.landed(1, 16)
  for (let i = 0; i < 3; i++) influence.moved(HONEST[(3 * number + i) % HONEST.length]!, distance, false)
}

/** How often a liar comes in each round. */
function visitsOf (rounds: number): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 1, max: 6 }), { minLength: rounds, maxLength: rounds })
}

describe('influence', () => {
  it('is without end before a site has trained, and then counted in what its training moved it', () => {
    const influence = new Influence((partner) => partner)
    expect(influence.radius('a')).to.equal(Infinity)
    influence.landed(0.1, 16)
    expect(influence.radius('a')).to.be.closeTo(1.2, 1e-9)
    for (const partner of HONEST) influence.moved(partner, 0.01, false)
    expect(influence.radius('a')).to.be.within(0.2, 0.3)
  })

  it('takes a short phase for what a whole one would have moved', () => {
    const influence = among(HONEST)
    influence.landed(0.25, 4)
    expect(influence.own.step).to.equal(1)
  })

  it('lets no partner move a site for long by more than its share, however often it comes', () => {
    fc.assert(
      fc.property(visitsOf(30), fc.double({ min: 0.1, max: 1, noNaN: true }), (visits, share) => {
        const influence = among(HONEST)
        let moved = 0
        visits.forEach((count, number) => {
          round(influence, number)
          for (let i = 0; i < count; i++) {
            const lie = share * influence.radius('liar')
            influence.moved('liar', lie, false)
            moved += lie
          }
        })
        // At once 2.5, and then by round what three exchanges of 0.7 and a landing grant.
        expect(moved).to.be.at.most(2.5 + 30 * (3 * 0.7 / 7 + 1 / 8))
      })
    )
  })

  it('cannot be widened by distances', () => {
    const influence = among(HONEST)
    for (let i = 0; i < 50; i++) influence.moved('liar', influence.radius('liar'), false)
    expect(influence.radius('liar')).to.be.below(1e-9)
    expect(influence.radius('newcomer')).to.equal(2.5)
  })

  it('counts all keys of a certificate as one', () => {
    const influence = among(HONEST, (partner) => partner.replace(/#.*/, ''))
    influence.moved('liar#1', 2, false)
    expect(influence.radius('liar#2')).to.equal(0.5)
  })

  it('names who takes all that it can get, and grants it less from then on', () => {
    const influence = among(HONEST)
    for (let number = 0; number < 40; number++) {
      round(influence, number)
      influence.moved('liar', influence.radius('liar'), false)
      influence.moved('liar', influence.radius('liar'), false)
    }
    expect(influence.hasPushed('liar')).to.equal(true)
    expect(HONEST.filter((partner) => influence.hasPushed(partner))).to.be.empty
    round(influence, 40)
    expect(influence.radius('liar')).to.be.below(0.1)
  })

  it('names nobody where all are far: then it is this site that is apart', () => {
    const influence = among(HONEST)
    for (let number = 0; number < 60; number++) {
      influence.landed(0.1, 16)
      for (const partner of HONEST) influence.moved(partner, influence.radius(partner), false)
    }
    expect(HONEST.filter((partner) => influence.hasPushed(partner))).to.be.empty
  })

  it('shrinks once nobody trains any more, and goes on after a restart', () => {
    const influence = among(HONEST)
    const again = new Influence((partner) => partner, influence.own)
    expect(again.own).to.deep.equal(influence.own)
    for (let i = 0; i < 40; i++) influence.moved(HONEST[i % 8]!, 0, true)
    expect(influence.reach).to.be.below(0.1)
  })

  it('gives a site that trained alone room for what it missed', () => {
    const influence = among(HONEST)
    for (let i = 0; i < 5; i++) influence.landed(1, 16)
    expect(influence.reach).to.be.above(15)
  })
})
