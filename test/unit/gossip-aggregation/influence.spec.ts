import { expect } from 'chai'
import fc from 'fast-check'
import { normalNumbers } from '../../../src/common/normal-numbers.ts'
import { seededRandom } from '../../../src/common/random.ts'
import { Influence, type InfluenceState } from '../../../src/gossip-aggregation/influence.ts'
import { SKETCH_SIZE } from '../../../src/gossip-aggregation/sketch.ts'

const NOWHERE = new Float64Array(SKETCH_SIZE)
const SEED = 7
const HONEST = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

/** An exchange at this distance; along nowhere it tells nothing but the distance. */
function move (
  influence: Influence,
  partner: string,
  distance: number,
  { along = NOWHERE, isSettling = false }: { along?: Float64Array, isSettling?: boolean } = {}
): void {
  influence.moved(partner, { distance, sketch: along.map((each) => distance * each), isSettling })
}

/** Of length 1, on average. */
function anyDirection (normal: () => number): Float64Array {
  return NOWHERE.map(() => normal() / Math.sqrt(SKETCH_SIZE))
}

interface Liar {
  readonly name: string
  readonly distance: () => number
  /** How much of the way it leads is another one each time: 0 when missing. */
  readonly chance?: number
}

/** Rounds in which each of these is met once, each time another way; the liar, if there is one, always the same way. */
function train (influence: Influence, count: number, partners: readonly string[], liar?: Liar): void {
  const normal = normalNumbers(seededRandom(1, 1))
  const direction = anyDirection(normal)
  for (let i = 0; i < count; i++) {
    influence.landed(1, 16)
    for (const partner of partners) move(influence, partner, 0.7, { along: anyDirection(normal) })
    if (liar == null) continue
    const { name, distance, chance = 0 } = liar
    const any = anyDirection(normal)
    move(influence, name, distance(), { along: direction.map((each, j) => Math.sqrt(1 - chance ** 2) * each + chance * any[j]!) })
  }
}

/** After one landing of length 1, with all of these partners met once, at distance 0.5. */
function among (partners: readonly string[], rootOf = (partner: string) => partner): Influence {
  const influence = new Influence({ rootOf, seed: SEED })
  influence.landed(1, 16)
  for (const partner of partners) move(influence, partner, 0.5)
  return influence
}

/** A round: it lands 1, and exchanges with three, one after the other, at distance `distance`. */
function round (influence: Influence, number: number, distance = 0.7): void {
  influence.landed(1, 16)
  for (let i = 0; i < 3; i++) move(influence, HONEST[(3 * number + i) % HONEST.length]!, distance)
}

/** How often a liar comes in each round. */
function visitsOf (rounds: number): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 1, max: 6 }), { minLength: rounds, maxLength: rounds })
}

describe('influence', () => {
  it('is without end before a site has trained, and then counted in what its training moved it', () => {
    const influence = new Influence({ rootOf: (partner) => partner, seed: SEED })
    expect(influence.radius('a')).to.equal(Infinity)
    influence.landed(0.1, 16)
    expect(influence.radius('a')).to.be.closeTo(0.6, 1e-9)
    for (const partner of HONEST) move(influence, partner, 0.01)
    expect(influence.radius('a')).to.be.within(0.15, 0.2)
  })

  it('takes a short phase for what a whole one would have moved', () => {
    const influence = among(HONEST)
    influence.landed(0.25, 4)
    expect(influence.state.step).to.equal(1)
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
            move(influence, 'liar', lie)
            moved += lie
          }
        })
        // At once 1.5, and then by round what three exchanges of 0.7 and a landing grant.
        expect(moved).to.be.at.most(1.5 + 30 * (3 * 0.7 / 7 + 1 / 8))
      })
    )
  })

  it('cannot be widened by distances', () => {
    const influence = among(HONEST)
    for (let i = 0; i < 50; i++) move(influence, 'liar', influence.radius('liar'))
    expect(influence.radius('liar')).to.be.below(1e-9)
    expect(influence.radius('newcomer')).to.equal(1.5)
  })

  it('counts all keys of a certificate as one', () => {
    const influence = among(HONEST, (partner) => partner.replace(/#.*/, ''))
    move(influence, 'liar#1', 1)
    expect(influence.radius('liar#2')).to.equal(0.5)
  })

  it('names who takes all that it can get, and grants it less from then on', () => {
    const influence = among(HONEST)
    for (let number = 0; number < 40; number++) {
      round(influence, number)
      move(influence, 'liar', influence.radius('liar'))
      move(influence, 'liar', influence.radius('liar'))
    }
    expect(influence.hasPushed('liar')).to.equal(true)
    expect(HONEST.filter((partner) => influence.hasPushed(partner))).to.be.empty
    round(influence, 40)
    expect(influence.radius('liar')).to.be.below(0.1)
    for (let number = 41; number < 140; number++) round(influence, number)
    expect(influence.radius('liar'), 'in the long run').to.be.closeTo(0.25, 1e-9)
  })

  it('names nobody where all are far: then it is this site that is apart', () => {
    const influence = among(HONEST)
    for (let number = 0; number < 60; number++) {
      influence.landed(0.1, 16)
      for (const partner of HONEST) move(influence, partner, influence.radius(partner))
    }
    expect(HONEST.filter((partner) => influence.hasPushed(partner))).to.be.empty
  })

  it('shrinks once nobody trains any more, and goes on after a restart', () => {
    const influence = among(HONEST)
    const again = new Influence({ rootOf: (partner) => partner, seed: 0 }, influence.state)
    expect(again.state).to.deep.equal(influence.state)
    for (let i = 0; i < 40; i++) move(influence, HONEST[i % 8]!, 0, { isSettling: true })
    expect(influence.reach).to.be.below(0.1)
  })

  it('gives a site that trained alone room for what it missed', () => {
    const influence = among(HONEST)
    for (let i = 0; i < 5; i++) influence.landed(1, 16)
    expect(influence.reach).to.be.above(15)
  })

  it('closes, bit by bit, for who always leads the same way, by however little, and stays open for who does not', () => {
    const influence = among(HONEST)
    const before = influence.radius('a')
    train(influence, 30, HONEST, { name: 'liar', distance: () => Math.min(0.5, influence.radius('liar')) })
    expect(influence.radius('liar')).to.be.below(0.8)
    expect(influence.radius('a')).to.be.above(0.4 * before)
    const unlimited = among(HONEST)
    train(unlimited, 30, HONEST, { name: 'liar', distance: () => 0.5 })
    expect(unlimited.radius('liar'), 'at what an account allows').to.be.below(1e-9)
  })

  it('opens again for who leads elsewhere no longer', () => {
    const influence = among(HONEST)
    train(influence, 30, HONEST, { name: 'once', distance: () => 0.5, chance: 0.75 })
    expect(influence.hasPushed('once')).to.equal(false)
    expect(influence.radius('once')).to.be.below(0.8)
    train(influence, 40, HONEST)
    expect(influence.radius('once')).to.be.above(1)
  })

  it('names one of four that always pulls the same way, keeps its name over a restart, and names no other one', () => {
    const influence = among(HONEST.slice(0, 3))
    train(influence, 20, HONEST.slice(0, 3), { name: 'liar', distance: () => 0.7 })
    const again = new Influence({ rootOf: (partner) => partner, seed: 0 }, JSON.parse(JSON.stringify(influence.state)) as InfluenceState)
    for (const each of [influence, again]) {
      expect(each.hasPushed('liar')).to.equal(true)
      expect(HONEST.filter((partner) => each.hasPushed(partner))).to.be.empty
    }
    expect(again.seed).to.equal(SEED)
    expect(again.radius('liar')).to.be.closeTo(influence.radius('liar'), 1e-3)
  })

  it('names one of four whose pulls are aligned as no real hospital is, and not who is twice as aligned as the others', () => {
    for (const [chance, isNamed] of [[0.5, true], [0.85, false]] as const) {
      const influence = among(HONEST.slice(0, 3))
      train(influence, 20, HONEST.slice(0, 3), { name: 'd', distance: () => 0.7, chance })
      expect(HONEST.filter((partner) => influence.hasPushed(partner)), `chance ${chance}`).to.deep.equal(isNamed ? ['d'] : [])
    }
  })

  it('names nobody where all pull the same way: then it is this site that is apart', () => {
    const influence = among(HONEST)
    const along = NOWHERE.with(0, 1)
    for (let i = 0; i < 30; i++) {
      influence.landed(1, 16)
      for (const partner of HONEST) move(influence, partner, 0.5, { along })
    }
    expect(HONEST.filter((partner) => influence.hasPushed(partner))).to.be.empty
  })
})
