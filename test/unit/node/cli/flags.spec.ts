import { expect } from 'chai'
import yargs from 'yargs'
import { requireValues, usageMessage, withFlags } from '../../../../src/cli/flags.ts'
import { UsageError } from '../../../../src/errors.ts'

describe('usageMessage', () => {
  before(() => {
    withFlags(yargs(), {
      data: { type: 'string' },
      'control-port': { type: 'number' },
      listen: { type: 'string', array: true },
      json: { type: 'boolean' }
    })
  })

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
    expect(usageMessage('Did you mean join?', ['foo'])).to.equal('foo is unknown: see --help')
  })

  it('names the command that is unknown, not the value of a flag', () => {
    expect(usageMessage('Did you mean start?', ['--data', 'stara', 'strat', '--json'])).to.equal('strat is unknown: did you mean start?')
    expect(usageMessage('Unknown commands: zzzzz, x', ['zzzzz', 'x', '--strange'])).to.equal('zzzzz is unknown: see --help')
  })

  it('names what is missing', () => {
    const help = 'consilium audit reconcile <a> <b>\n\nhold two <ledgers>'
    expect(usageMessage('Not enough non-option arguments: got 0, need at least 2', [], help)).to.equal(
      'a is missing: write consilium audit reconcile <a> <b>'
    )
    expect(usageMessage('Not enough non-option arguments: got 1, need at least 2', [], help)).to.equal(
      'b is missing: write consilium audit reconcile <a> <b>'
    )
    expect(usageMessage('Not enough arguments following: data', ['--data'])).to.equal('--data has no value: give it one')
    expect(usageMessage('Not enough arguments following: listen', ['--listen', '-5,1'])).to.equal(
      '--listen has no value: write --listen=-5,1, since it begins with a minus'
    )
  })

  it('a flag that is no list comes once', () => {
    for (const args of [['--data', 'a', '--data', 'b'], ['--data=a', '--json', '--data', 'a']]) {
      expect(() => requireValues(args)).to.throw(UsageError, /^--data is given twice: give it once$/)
    }
    expect(() => requireValues(['--control-port', '1', '--controlPort', '2'])).to.throw('--controlPort is given twice')
    expect(requireValues(['--listen', 'a', '--listen', 'b', '--json', '--json', '--data', 'a', '--', '--data', 'b'])).to.equal(true)
  })

  it('a value is not empty', () => {
    for (const args of [['--data', ''], ['--data=']]) {
      expect(() => requireValues(args)).to.throw(UsageError, /^--data is empty: give it a value$/)
    }
    for (const args of [['--control-port', ''], ['--listen', '']]) expect(() => requireValues(args)).to.throw('is empty')
  })
})
