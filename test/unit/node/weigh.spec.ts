import { expect } from 'chai'
import { thresholdOf, toldBy, weighing } from '../../../src/rounds/weigh.ts'
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

  const moved = { method: { generalisation: { step: 0.3 } }, training: {}, averaging }
  const heard = new Map<string, Float32Array | undefined>([['b', Float32Array.of(0.2, 10)], ['silent', undefined]])
  const round = { settings: moved, mass: 10, rounds: 10, heard: () => heard }

  it('keeps parts of all sites: equal ones in the first round, then moved by gaps, from where a restart left them', () => {
    const weigh = weighing(round)!
    const first = weigh({ gap: Float32Array.of(0.4) }, 0)
    expect(first.factor).to.be.closeTo(1, 1e-12)
    expect(first.facts).to.deep.equal({ gap: Float32Array.of(0.4), mass: Float32Array.of(10) })
    // Of one third each, its own moved by 0.1 and that of b by half as much, whose sum is 1.15.
    const parts = { self: (1 / 3 + 0.1) / 1.15, b: (1 / 3 + 0.05) / 1.15, silent: 1 / 3 / 1.15 }
    for (const [site, part] of Object.entries(parts)) expect(first.parts![site], site).to.be.closeTo(part, 1e-6)
    const second = weigh({ gap: Float32Array.of(0.4) }, 1)
    const moves = [0.09, 0.045]
    const own = (parts.self + moves[0]!) / (1 + moves[0]! + moves[1]!)
    expect(second.factor).to.be.closeTo(3 * own, 1e-6)
    expect(weighing({ ...round, parts: first.parts })!({ gap: Float32Array.of(0.4) }, 1).factor).to.be.closeTo(second.factor!, 1e-12)
    // Made up for in the same round: nothing is refined again.
    expect(weigh({ gap: Float32Array.of(0.4) }, 1).factor).to.equal(second.factor)
  })

  it('lands as much as it trains where no other site is, and where all count alike', () => {
    expect(weighing({ ...round, heard: () => new Map() })!({ gap: Float32Array.of(1) }, 0).factor).to.equal(1)
    const alike = weighing({ ...round, settings: { ...moved, method: { generalisation: { step: 0 } } } })!
    for (const at of [0, 1, 2]) expect(alike({ gap: Float32Array.of(1) }, at).factor).to.equal(1)
  })

  it('takes the threshold of teachers from the others, as the median of those that have one', () => {
    const dualTeacher = {
      weight: 1, teachers: ['ema' as const], ema: 0.99, quantileStart: 0.15, quantileEnd: 0.3, thresholdEma: 0.9
    }
    const taught = { method: {}, training: { dualTeacher }, averaging }
    const said = (...values: number[]): Map<string, Float32Array> => new Map(values.map((each, i) => [String(i), Float32Array.of(each)]))
    expect(thresholdOf(taught, said(0, 0.25, 0.5, 0))).to.equal(0.375)
    expect(thresholdOf(taught, said(0))).to.equal(undefined)
    expect(thresholdOf(taught, said(7))).to.be.closeTo(Math.LN2, 1e-6)
    expect(thresholdOf({ ...taught, training: { dualTeacher: { ...dualTeacher, threshold: 0.15 } } }, said(0.2))).to.equal(undefined)
    expect(toldBy(taught, 10, said(0.25))).to.deep.equal({ threshold: 0.25 })
    expect(toldBy(settings, 10, said(0.25))).to.deep.equal({})
  })
})
