import { expect } from 'chai'
import { findings } from '../../../bench/pfedsam/criteria.ts'
import { summarise } from '../../../bench/pfedsam/summary.ts'
import type { RunRecord } from '../../../src/experiment/run-job.ts'
import { runOf } from './runs.ts'

const JOB = { data: 'prostate-phantom', seed: 1, rounds: 2, train: 4, validation: 2, scoreEvery: 1 }

/** Of each seed six sites: the first has one Dice, the others another. */
function runs (method: string, seeds: readonly (readonly [first: number, others: number])[]): RunRecord[] {
  return seeds.map(([first, others], i) =>
    runOf({ ...JOB, method, seed: i + 1 }, [first, ...Array.from({ length: 5 }, () => others)]))
}

function told (...records: readonly RunRecord[]): { readonly ok: boolean, readonly text: string }[] {
  const [summary] = summarise(records)
  return findings(summary!).map(({ ok, name, detail }) => ({ ok, text: `${name}: ${detail}` }))
}

describe('what a report says of the adaptive method', () => {
  const adaptive = runs('adaptive', [[0.8, 0.8], [0.82, 0.82]])

  it('is whether it costs any site anything, is ahead, and near the best', () => {
    const found = told(...adaptive, ...runs('local', [[0.81, 0.7], [0.83, 0.7]]), ...runs('fedper', [[0.81, 0.81], [0.83, 0.83]]))
    expect(found.map(({ ok }) => ok)).to.deep.equal([false, true, false, false])
    expect(found[0]!.text).to.match(/no site is below local only.* by more than 0.5 points: \S+ −1.0 points$/)
    expect(found[1]!.text).to.match(/above local only .*: \+9\.[0-9] points ± 1\.[0-9], of 2 seeds$/)
    expect(found[2]!.text).to.match(/above FedPer-like .*: −1.0 points ± 0.0, of 2 seeds$/)
    expect(found[3]!.text).to.match(/best of 2 rivals by more than 0.3 points: −1.0 points to FedPer-like/)
  })

  it('counts half a point at a site, and 0.3 in the mean, as nothing', () => {
    const found = told(...adaptive, ...runs('local', [[0.804, 0.79], [0.824, 0.81]]), ...runs('fedper', [[0.802, 0.802], [0.822, 0.822]]))
    expect(found.map(({ ok }) => ok)).to.deep.equal([true, true, false, true])
  })

  it('is that one seed is too few to be ahead, and nothing where it was not run', () => {
    const [, ahead] = told(adaptive[0]!, ...runs('fedavg-lora', [[0.7, 0.7]]))
    expect(ahead!.ok).to.equal(false)
    expect(ahead!.text).to.include('one seed is too few')
    expect(told(...runs('local', [[0.8, 0.8]]), ...runs('fedavg-lora', [[0.8, 0.8]]))).to.deep.equal([])
  })
})
