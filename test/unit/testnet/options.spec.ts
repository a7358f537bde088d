import { expect } from 'chai'
import { isDue, parseFault } from '../../../scripts/testnet/faults.ts'
import { parseOptions } from '../../../scripts/testnet/options.ts'
import { UsageError } from '../../../src/errors.ts'

async function complaint (...args: string[]): Promise<string> {
  try {
    await parseOptions(args)
  } catch (error) {
    expect(error).to.be.instanceOf(UsageError)
    return (error as Error).message
  }
  return 'nothing to complain about'
}

describe('testnet options', () => {
  it('have defaults that make the demo', async () => {
    const options = await parseOptions([])
    expect(options).to.include({ hospitals: 4, seed: 1, method: 'pfedsam', data: undefined, compare: false, json: false })
    expect(options?.faults).to.deep.equal([])
  })

  it('have fewer rounds for the medical base, unless it is told how many', async () => {
    expect(await parseOptions([])).to.include({ base: 'sam-tiny', rounds: 24 })
    expect(await parseOptions(['--base', 'litemedsam'])).to.include({ base: 'litemedsam', rounds: 8 })
    expect(await parseOptions(['--base', 'litemedsam', '--rounds', '3'])).to.include({ rounds: 3 })
    expect(await complaint('--base', 'vit-b')).to.include('litemedsam')
  })

  it('take hospitals without labels', async () => {
    expect(await parseOptions([])).to.include({ readers: 0 })
    expect(await parseOptions(['--reader', '2'])).to.include({ hospitals: 4, readers: 2 })
    expect(await complaint('--reader', '-1')).to.equal('--reader must be a whole number from 0 to 64')
  })

  it('take several faults', async () => {
    const options = await parseOptions(['--rounds', '5', '--kill', '0@2', '--restart', '2@2', '--restart', '1@4'])
    expect(options?.faults).to.deep.equal([
      { kind: 'kill', site: 0, round: 2 },
      { kind: 'restart', site: 2, round: 2 },
      { kind: 'restart', site: 1, round: 4 }
    ])
  })

  it('name the nearest flag for an unknown one', async () => {
    expect(await complaint('--hospital', '3')).to.equal('unknown flag --hospital: did you mean --hospitals?')
  })

  for (const [args, words] of [
    [['--kill', 'bootstrap'], 'must be SITE@ROUND'],
    [['--kill', '4@2'], 'there are the hospitals 0 to 3'],
    [['--rounds', '3', '--restart', '1@4'], 'there are the rounds 1 to 3'],
    [['--kill', '1@0'], 'there are the rounds'],
    [['--kill', '1@2', '--restart', '1@2'], 'is killed for good in round 2'],
    [['--hospitals', '2', '--kill', '0@1', '--kill', '1@1'], 'leave at least one'],
    [['--hospitals', '1'], '--hospitals must be a whole number from 2'],
    [['--rounds', 'many'], '--rounds must be a whole number'],
    [['--seed', '-1'], '--seed must be a whole number'],
    [['stray'], 'see --help']
  ] as const) {
    it(`refuse ${args.join(' ')}`, async () => {
      expect(await complaint(...args)).to.include(words)
    })
  }
})

describe('a fault', () => {
  const fault = parseFault('kill', '2@3', 4, 5)

  it('strikes while its round runs, or as soon as it is seen to have been missed', () => {
    expect(isDue(fault, { round: 3, phase: 'G' })).to.equal(true)
    expect(isDue(fault, { round: 4, phase: 'exchange' })).to.equal(true)
    expect(isDue(fault, { round: 5, phase: 'cool-down' })).to.equal(true)
  })

  it('waits before its round and while the hospital still starts', () => {
    expect(isDue(fault, { round: 2, phase: 'L' })).to.equal(false)
    expect(isDue(fault, { round: 3, phase: 'starting' })).to.equal(false)
    expect(isDue(fault, { round: 5, phase: 'done' })).to.equal(false)
  })
})
