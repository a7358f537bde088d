import { expect } from 'chai'
import { globalParameters } from '../../../src/model/parameters/groups.ts'
import { globalGroups } from '../../../src/model/parameters/shared-set.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { NUMBERS, planned, planOf, type Planned } from '../../../src/privacy/plan.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { defaultsOf } from '../../../src/settings/setting.ts'

const plan = (given: Partial<Planned>): ReturnType<typeof planOf> => planOf(planned.parse({ ...defaultsOf(planned), ...given }))

describe('a plan of privacy', () => {
  it('knows how many numbers the adapters have', () => {
    for (const [name, size] of Object.entries(NUMBERS)) {
      const config = samConfig(name)
      const shared = globalParameters(globalGroups(config, defaultModelSettings(config)), 'shared')
      expect(shared.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0), name).to.equal(size)
    }
  })

  it('of a site finds what noise costs, and what it drowns', () => {
    const { noise, noiseOverUpdate, noiseOverUpdateAveraged, needed, verdict } = plan({ rounds: 24, epsilon: 8 })
    expect(noise).to.be.closeTo(2.94, 0.005)
    expect(noiseOverUpdate).to.be.closeTo(597, 1)
    expect(noiseOverUpdateAveraged).to.be.closeTo(298.5, 1)
    expect(needed.sites).to.be.closeTo(3.6e5, 5e3)
    expect(verdict).to.equal('hopeless')
  })

  it('of patients finds that thousands are needed', () => {
    const of = (patients: number): ReturnType<typeof planOf> =>
      plan({ unit: 'patient', rounds: 24, stepsPerRound: 10, delta: 1e-3, noise: 1, patients, sites: 1 })
    expect(of(20).epsilon).to.be.closeTo(9.07, 0.01)
    expect(of(20).noiseOverUpdate).to.be.closeTo(101.5, 0.1)
    expect(of(2_000).noiseOverUpdate).to.be.closeTo(1.015, 0.01)
    expect(of(20).needed.patients).to.equal(2_031)
    expect([of(20), of(500), of(5_000)].map(({ verdict }) => verdict)).to.deep.equal(['hopeless', 'doubtful', 'promising'])
  })

  it('inverts itself', () => {
    for (const unit of ['site', 'patient'] as const) {
      const { epsilon } = plan({ unit, noise: 3 })
      expect(plan({ unit, epsilon }).noise).to.be.closeTo(3, 1e-6)
    }
  })

  it('wants either epsilon or noise', () => {
    expect(() => plan({})).to.throw(/either --epsilon/)
    expect(() => plan({ epsilon: 1, noise: 1 })).to.throw(/either --epsilon/)
  })
})
