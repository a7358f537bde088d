import { expect } from 'chai'
import { page, summary, surprises } from '../../tfjs/report.ts'

const results = [
  { name: 'add works', passed: true, message: '' },
  { name: 'sub works', passed: false, message: 'is 3\nnot 4' },
  { name: 'mul works', passed: false, message: '' }
]
const reason = 'rounds the other way'

describe('compute: report on tfjs-core\'s own tests', () => {
  it('is silent where exactly the known failures fail', () => {
    const known = [{ test: 'sub works', reason }, { test: 'mul works', reason }]
    expect(surprises(results, known, true)).to.deep.equal([])
  })

  it('names new failures, repaired tests and tests that are gone', () => {
    const known = [{ test: 'add works', reason }, { test: 'sub works', reason }, { test: 'div works', reason }]
    expect(surprises(results, known, true).map((line) => line.split('\n')[0])).to.deep.equal([
      'fails: mul works',
      'passes now, take it from the known failures: add works',
      'is not among the tests, take it from the known failures: div works'
    ])
    expect(surprises(results, known, false)).to.have.length(2)
  })

  it('writes every failing test with its reason, and where the kernels run', () => {
    const text = page('4.22.0', results, [{ test: 'sub works', reason }], { graph: ['Add'], fallback: ['FFT', 'Real'] })
    expect(summary(results)).to.equal('1 of 3 pass')
    expect(text).to.include('**1 of 3 pass**').and.include(`| sub works | ${reason} |`).and.include('| mul works | not explained yet |')
    expect(text).to.include('1 of the 3 kernels').and.include('FFT, Real.')
  })
})
