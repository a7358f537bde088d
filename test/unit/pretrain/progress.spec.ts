import { PassThrough } from 'node:stream'
import { expect } from 'chai'
import { describeScores, progressView } from '../../../scripts/pretrain/progress.ts'

describe('progress of the pretraining', () => {
  const scores = { none: 0.5, point: 0.25, box: 0.75 }

  it('is a line now and then where there is no terminal', () => {
    const stream = new PassThrough()
    const view = progressView(stream as unknown as NodeJS.WriteStream)
    for (let step = 1; step <= 101; step++) {
      view.show({ step, steps: 101, loss: 1, millisecondsPerStep: 10, scores: step < 60 ? undefined : scores })
    }
    view.stop()
    const lines = String(stream.read()).trim().split('\n')
    expect(lines.map((line) => line.split('/')[0])).to.deep.equal(['step 50', 'step 60', 'step 100', 'step 101'])
    expect(lines.at(-1)).to.equal('step 101/101  loss 1.000  10 ms/step  IoU none 0.500 point 0.250 box 0.750')
  })

  it('says so when nothing is scored yet', () => {
    expect(describeScores(undefined)).to.equal('not scored yet')
  })
})
