import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { globalParameters } from '../../../src/model/parameters/groups.ts'
import { globalGroups } from '../../../src/model/parameters/shared-set.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { NUMBERS, planned, type Planned } from '../../../src/privacy/plan-settings.ts'
import { planOf } from '../../../src/privacy/plan.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { defaultsOf } from '../../../src/settings/setting.ts'
import { ROOT } from '../documents/markdown.ts'

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

  it('is what docs/privacy.md says', () => {
    const short = (value: number): string => value >= 100 ? String(Math.round(value)) : value.toPrecision(3)
    const rows = readFileSync(join(ROOT, 'docs/privacy.md'), 'utf8').split('\n').filter((line) => /^\| \d/.test(line))
      .map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
    const [sites, patients] = [rows.filter(({ length }) => length === 6), rows.filter(({ length }) => length === 7)]
    expect([sites.length, patients.length]).to.deep.equal([5, 9])
    for (const row of sites) {
      const { noise, noiseOverUpdate, noiseOverUpdateAveraged, needed, verdict } = plan({ rounds: 24, epsilon: Number(row[0]) })
      const said = [noise.toFixed(2), short(noiseOverUpdate), short(noiseOverUpdateAveraged), String(needed.sites), verdict]
      expect([row[0], ...said]).to.deep.equal(row)
    }
    for (const row of patients) {
      const given = { rounds: 24, stepsPerRound: 10, delta: 1e-3, noise: Number(row[0]), patients: Number(row[2]) }
      const { epsilon, noiseOverUpdate, noiseOverUpdateAveraged, needed, verdict } = plan({ unit: 'patient', ...given })
      const said = [epsilon.toFixed(2), row[2], short(noiseOverUpdate), short(noiseOverUpdateAveraged), String(needed.patients), verdict]
      expect([row[0], ...said]).to.deep.equal(row)
    }
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
