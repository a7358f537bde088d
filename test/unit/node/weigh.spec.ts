import { expect } from 'chai'
import { weighing } from '../../../src/rounds/weigh.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'

const averaging = { ...defaultAveraging({ coolDownSeconds: 1 }), maxMass: 100 }
const method = { robust: { mu: 0.5, excess: true, least: 0.25, most: 4 } } as const
const settings = { method, training: {}, averaging }

describe('how a site weighs what it trained', () => {
  it('announces what its trainer said with its mass, and reckons by what the others announce, clamped', () => {
    const heard = new Map([['b', Float32Array.of(-5, 30)], ['c', undefined], ['liar', Float32Array.of(7, 1e9)]])
    const { facts, factor } = weighing({ settings, mass: 10, rounds: 5, heard: () => heard })!({ loss: Float32Array.of(1) }, 3)
    expect(facts).to.deep.equal({ loss: Float32Array.of(1), mass: Float32Array.of(10) })
    // Of c nothing is known: it counts as the median of the others, mass 30 and loss 1. The liar has mass 100 and loss 1.
    expect(factor).to.be.closeTo(Math.exp(2) / ((140 * Math.exp(2) + 30) / 170), 1e-9)
  })

  it('scales nothing before its trainer has said anything, alone, or where the method does not weigh', () => {
    const alone = weighing({ settings, mass: 10, rounds: 5, heard: () => new Map() })!
    expect(alone({}, 1).factor).to.equal(1)
    expect(alone({ loss: Float32Array.of(0.9) }, 1).factor).to.equal(1)
    expect(weighing({ settings: { ...settings, method: {} }, mass: 10, rounds: 5, heard: () => new Map() })).to.equal(undefined)
  })
})
