import { expect } from 'chai'
import { createLearner, discs } from './learners.ts'
import { PRETRAINING } from '../../../src/settings/methods/label-free.ts'

const NO_EXPERTS = { blocks: [], experts: 1, topK: 1, bottleneck: 1, gate: 'token', expert: 'mlp' } as const
describe('try', function () {
  this.timeout(600000)
  it('trains', async () => {
    for (const objective of ['byol', 'contrast'] as const) {
      const learner = await createLearner({ model: { moe: { ...NO_EXPERTS, blocks: [] } }, train: { augment: true, stepsPerRound: 4, epochsG: undefined, epochsL: undefined }, method: { pretrain: { ...PRETRAINING, objective, rounds: 2 } } })
      let adapter = learner.initialAdapter()
      for (let round = 1; round <= 3; round++) {
        const t = performance.now()
        const result = await learner.train('G', { adapter, samples: discs, round })
        adapter = result.adapter
        console.log(objective, round, result.loss, result.steps, result.spread, performance.now() - t)
      }
      await learner.dispose()
    }
  })
})
