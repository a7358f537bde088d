import { expect } from 'chai'
import yargs from 'yargs'
import { usageMessage, withFlags } from '../../../../src/node/cli/flags.ts'

describe('usageMessage', () => {
  before(() => { withFlags(yargs(), { data: { type: 'string' }, 'control-port': { type: 'number' } }) })

  it('names the nearest known flag', () => {
    expect(usageMessage('Unknown argument: dat', ['start', '--dat', 'x'])).to.equal('unknown flag --dat: did you mean --data?')
    expect(usageMessage('…', ['start', '--controlport=3'])).to.equal('unknown flag --controlport: did you mean --control-port?')
  })

  it('knows camel case and --no- forms', () => {
    expect(usageMessage('Not enough arguments', ['start', '--controlPort', '3'])).to.equal('Not enough arguments: see --help')
    expect(usageMessage('x', ['start', '--no-data'])).to.equal('x: see --help')
  })

  it('does not guess when nothing is near', () => {
    expect(usageMessage('…', ['start', '--zzzzzzzz'])).to.equal('unknown flag --zzzzzzzz: see --help')
  })
})
