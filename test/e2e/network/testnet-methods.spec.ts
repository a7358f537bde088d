import { expect } from 'chai'
import { LIMIT_MS, TestnetProcess } from './testnet-process.ts'

/** Methods without experts, whose personal model is the global one: nothing that they keep answers; of fca, not in its first rounds. */
const SHARED_ALONE = ['fedavg-lora', 'fedmsa', 'gin', 'cpss', 'feddg', 'fedda-joint', 'fedda-cyclic', 'fedda-moments', 'fca', 'spp-fgc']
const WITH_PARTS = ['fedper', 'no-distillation', 'apple', 'drflm']
/** Methods with a use for a hospital without any label, and when that trains. */
const UNLABELLED = [['fedsemidg', 'from the second round on'], ['iscos', 'in both rounds'], ['fedu', 'in the first round']] as const
const WEAK = [['mixed-weak', '4', '2', 'fedicra'], ['mixed-weak', '4', '3', 'fedu'], ['few:0.2', '2', '2', 'partial']] as const
const SEMI = ['--labels', 'few:0.2', '--unlabelled', '2']

describe('methods in the testnet', function () {
  this.timeout(LIMIT_MS)
  let testnet: TestnetProcess

  beforeEach(async () => { testnet = await TestnetProcess.open() })
  afterEach(async () => { await testnet.close() })

  for (const method of [...WITH_PARTS, ...SHARED_ALONE]) {
    it(`trains by ${method} in the daemon, and every check holds`, async () => {
      const { report } = await testnet.holds('--hospitals', '2', '--rounds', '2', '--method', method)
      expect(report.method).to.equal(method)
      for (const { dice } of report.hospitals) {
        expect(dice.personal).to.not.equal(dice.frozen)
        if (SHARED_ALONE.includes(method)) expect(dice.personal).to.equal(dice.global)
        else expect(dice.personal).to.not.equal(dice.global)
      }
    })
  }

  for (const [labels, hospitals, rounds, method] of WEAK) {
    it(`trains by ${method} on --labels ${labels}, and every check holds`, async () => {
      const { report } = await testnet.holds('--rounds', rounds, '--hospitals', hospitals, '--method', method, '--labels', labels)
      for (const { dice } of report.hospitals) expect(dice.personal).to.be.within(0.1, 1)
    }).timeout(2 * LIMIT_MS)
  }

  for (const [method, when] of UNLABELLED) {
    it(`trains by ${method} beside a hospital with no label at all, and every check holds`, async () => {
      const { report } = await testnet.holds('--hospitals', '3', '--rounds', '2', '--method', method, ...SEMI)
      const [one, , bare] = report.hospitals
      expect(one!.dice.personal).to.be.within(0.1, 1)
      expect(bare!.dice.personal).to.equal(null)
      expect([bare!.validationImages, (bare!.images ?? 0) > 0]).to.deep.equal([0, true])
      expect(bare!.steps!.trained, when).to.be.above(0)
    }).timeout(2 * LIMIT_MS)
  }
})
