import { expect } from 'chai'
import { compare, tableRow } from '../../../bench/classes/compare.ts'
import { classDice } from '../../../bench/classes/run.ts'
import type { Report } from '../../../scripts/testnet/report/report.ts'

const pairs = [{ seed: 1, alone: 0.5, beside: 0.49 }, { seed: 2, alone: 0.6, beside: 0.55 }]

describe('a class beside others and alone', () => {
  it('is compared seed by seed', () => {
    const { alone, beside, difference, differences, deviation } = compare(pairs)
    expect(alone).to.be.closeTo(0.55, 1e-12)
    expect(beside).to.be.closeTo(0.52, 1e-12)
    expect(difference).to.be.closeTo(-0.03, 1e-12)
    expect(differences.map((each) => Number(each.toFixed(3)))).to.deep.equal([-0.01, -0.05])
    expect(deviation).to.be.closeTo(Math.SQRT1_2 * 0.04, 1e-12)
  })

  it('holds where it is at most 0.02 lower, or higher', () => {
    const holds = (beside: number): boolean => compare([{ seed: 1, alone: 0.5, beside }]).holds
    expect([0.479, 0.481, 0.6].map(holds)).to.deep.equal([false, true, true])
    expect(compare(pairs).holds).to.equal(false)
    expect(tableRow('a', compare(pairs))).to.equal('| a | 0.550 | 0.520 | −0.030 ± 0.028 | −0.010, −0.050 | no |')
  })

  it('has the mean Dice over hospitals, and none where one cannot be scored', () => {
    const report = (...dice: (number | undefined)[]): Report => ({
      hospitals: dice.map((global) => ({ classes: global == null ? {} : { brain: { frozen: 0, global, personal: 1 } } }))
    } as unknown as Report)
    expect(classDice(report(0.5, 0.7), 'brain', 'global')).to.be.closeTo(0.6, 1e-12)
    expect(classDice(report(0.5, undefined), 'brain', 'global')).to.be.NaN
    expect(compare([{ seed: 1, alone: 0.5, beside: NaN }]).holds).to.equal(false)
  })
})
