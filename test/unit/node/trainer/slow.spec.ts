import { expect } from 'chai'
import { slowedDown } from '../../../../src/site-model/trainer/slow.ts'

describe('a trainer told to be slow', () => {
  it('takes factor times as long for every step and passes all progress on', () => {
    let now = 0
    const blocked: number[] = []
    const seen: number[] = []
    const onProgress = slowedDown(({ step }) => { seen.push(step) }, 4, { now: () => now, block: (ms) => { blocked.push(ms); now += ms } })
    for (const [step, tookMs] of [[1, 500], [2, 10], [3, 20], [1, 9_000], [2, 30]] as const) {
      now += tookMs
      onProgress({ step, steps: 3 })
    }
    expect(blocked).to.deep.equal([0, 30, 60, 60, 90])
    expect(seen).to.deep.equal([1, 2, 3, 1, 2])
  })
})
