import { expect } from 'chai'
import { faultsOf } from '../../../scripts/testnet/conditions.ts'
import { parseOptions } from '../../../scripts/testnet/options.ts'
import { UsageError } from '../../../src/errors.ts'
import { FAULTS_VARIABLE, readTestFaults } from '../../../src/node/test-faults/settings.ts'

const IDS = ['id-0', 'id-1', 'id-2', 'id-3']

async function conditions (...args: string[]) {
  return (await parseOptions(args))!.conditions
}

describe('conditions of a testnet', () => {
  it('are none by default: no daemon is told anything', async () => {
    const none = await conditions()
    expect(IDS.map((_, site) => faultsOf(site, none, IDS, 1))).to.deep.equal([undefined, undefined, undefined, undefined])
  })

  it('reach the daemons that they are for, and those read them', async () => {
    const given = await conditions('--loss', '0.05', '--slow', '1:9', '--liar', '3', '--partition', '2,3|0,1@2-4')
    const read = IDS.map((_, site) => readTestFaults({ [FAULTS_VARIABLE]: JSON.stringify(faultsOf(site, given, IDS, 7)) })!)
    expect(read.map(({ loss }) => loss)).to.deep.equal([0.05, 0.05, 0.05, 0.05])
    expect(read.map(({ slow }) => slow)).to.deep.equal([1, 9, 1, 1])
    expect(read.map(({ liar }) => liar > 0)).to.deep.equal([false, false, false, true])
    // The founder's side need not know the others: they do not connect to it.
    expect(read.map(({ apart }) => apart)).to.deep.equal([[], [], [{ peers: ['id-0', 'id-1'], from: 2, to: 4 }], [{
      peers: ['id-0', 'id-1'],
      from: 2,
      to: 4
    }]])
    expect(new Set(read.map(({ seed }) => seed)).size).to.equal(4)
  })

  it('give images to hospitals, of which no daemon is told', async () => {
    const given = await conditions('--images', '1:9', '--images', '2:3')
    expect([...given.images]).to.deep.equal([[1, 9], [2, 3]])
    expect(faultsOf(1, given, IDS, 1)).to.equal(undefined)
  })

  it('are nobody\'s without the variable, and a wrong one is named', () => {
    expect(readTestFaults({})).to.equal(undefined)
    for (const text of ['yes', '{"loss":1}', '{"slow":0.5}', '{"unknown":1}']) {
      expect(() => readTestFaults({ [FAULTS_VARIABLE]: text })).to.throw(/CONSILIUM_TEST_FAULTS is for the testnet only .* unset it/)
    }
  })

  for (const [args, words] of [
    [['--loss', '1'], '--loss must be a probability'],
    [['--loss', 'much'], '--loss must be a probability'],
    [['--slow', '1'], 'must be SITE:FACTOR'],
    [['--slow', '1:0.5'], 'with a factor from 1'],
    [['--slow', '4:2'], 'there are the hospitals 0 to 3'],
    [['--images', '1:1'], 'with a whole factor from 2 to 100'],
    [['--images', '1:2.5'], 'must be SITE:FACTOR'],
    [['--images', '1:101'], 'with a whole factor from 2 to 100'],
    [['--images', '4:2'], 'there are the hospitals 0 to 3'],
    [['--liar', 'all'], 'must be the number of a hospital'],
    [['--liar', '9'], 'there are the hospitals'],
    [['--swapped', '2'], 'give --classes brain,deep-grey too'],
    [['--classes', 'brain,deep-grey', '--swapped', '4'], 'there are the hospitals 0 to 3'],
    [['--partition', '0|1'], 'must be A|B@FROM-TO'],
    [['--partition', '0,1|1@1-2'], 'cannot be on both sides'],
    [['--partition', '0|1@3-2'], 'FROM first'],
    [['--rounds', '2', '--partition', '0|1@1-3'], 'rounds from 1 to 2']
  ] as const) {
    it(`refuse ${args.join(' ')}`, async () => {
      const error = await parseOptions([...args]).then(() => undefined, (thrown: unknown) => thrown)
      expect(error).to.be.instanceOf(UsageError)
      expect((error as Error).message).to.include(words)
    })
  }
})
