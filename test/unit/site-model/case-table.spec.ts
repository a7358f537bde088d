import { expect } from 'chai'
import { caseTable } from '../../../src/site-model/evaluate/case-table.ts'
import type { CaseOutcome, NamedScore } from '../../../src/site-model/evaluate/score-cases.ts'
import { worstCases } from '../../../src/site-model/evaluate/worst-cases.ts'
import { slice } from '../dataset/fixtures.ts'

const score: NamedScore = {
  patient: 'a',
  case: 'a',
  class: 'foreground',
  slices: 4,
  unit: 'mm',
  dice: 0.5,
  nsd: 0.25,
  hd95: 3,
  hd95Voxels: 2.5,
  truthVolume: 1.5,
  predictedVolume: 2,
  falsePositiveVolume: NaN,
  diagonal: 100
}

const outcome = (changes: Partial<NamedScore>): CaseOutcome => ({
  images: [],
  scores: [{ ...score, ...changes }],
  worst: { slice: slice(changes.case ?? 'a', 7), mask: new Uint8Array() }
})

describe('the table of cases', () => {
  it('has a line per model and case, with nothing for what is undefined', () => {
    const empty = { ...score, patient: 'b', dice: 0, hd95: Infinity, hd95Voxels: Infinity, truthVolume: 0, falsePositiveVolume: 2 }
    const lines = caseTable({ frozen: [score], global: [], personal: [empty] }, 2).trimEnd().split('\n')
    expect(lines).to.deep.equal([
      'model,patient,case,class,slices,unit,dice,nsd,tolerance,hd95,hd95_voxels,volume_unit,truth_volume,' +
        'predicted_volume,false_positive_volume',
      'frozen,a,a,foreground,4,mm,0.5,0.25,2,3,2.5,ml,1.5,2,',
      'personal,b,a,foreground,4,mm,0,0.25,2,inf,inf,ml,0,2,2'
    ])
  })

  it('quotes names, and lets none begin a formula', () => {
    const named = { ...score, patient: 'Doe, "J"', case: '=cmd()' }
    expect(caseTable({ frozen: [named], global: [], personal: [] }, 1)).to.contain('frozen,"Doe, ""J""",\'=cmd(),')
  })
})

describe('the worst cases', () => {
  it('are those of least Dice, the farther ones first', async () => {
    const outcomes = [
      outcome({ case: 'good', dice: 0.9 }),
      outcome({ case: 'near', dice: 0, hd95: 5 }),
      outcome({ case: 'missed', dice: 0, hd95: Infinity }),
      outcome({ case: 'nothing to find', dice: NaN })
    ]
    expect((await worstCases(outcomes, 2)).map((each) => [each.case, each.slice])).to.deep.equal([
      ['missed', slice('missed', 7).id],
      ['near', slice('near', 7).id]
    ])
    expect(await worstCases(outcomes, 9)).to.have.length(3)
    expect(await worstCases(outcomes, 0)).to.deep.equal([])
  })
})
