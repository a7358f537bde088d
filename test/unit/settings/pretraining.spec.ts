import { expect } from 'chai'
import { unamendable } from '../../../src/federation/amendments/changes.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'
import { conflictIn, type FederationSettings } from '../../../src/settings/federation-settings.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'
import { presetOf } from '../../../src/settings/methods/index.ts'
import { labelFreeRounds, PRETRAINING, withinRounds } from '../../../src/settings/methods/label-free.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { isLabelFree, labelFreeTest, pretrainingInWords, type Pretraining } from '../../../src/settings/pretraining.ts'
import { trainingSection } from '../../../src/site-model/fit-settings.ts'

const model = defaultModelSettings(samConfig('sam-tiny'))
const settings: FederationSettings = {
  model: { name: 'sam-tiny', baseHash: '0'.repeat(64), imageSize: 128, ...model, moe: { ...model.moe, blocks: [] } },
  training: { ...trainingSection({ name: 'sam-tiny' }, { rounds: 20, seed: 1 }), augment: true },
  averaging: { ...defaultAveraging({ coolDownSeconds: 5 }), weighting: 'uniform' },
  method: { pretrain: PRETRAINING }
}

function conflictWith (over: Partial<Pretraining>, beside: MethodSettings = {}): string | undefined {
  return conflictIn({ ...settings, method: { ...beside, pretrain: { ...PRETRAINING, ...over } } })
}

describe('method.pretrain', () => {
  it('leaves rounds that look at labels, of altered images and an encoder that learns', () => {
    expect(conflictIn(settings)).to.equal(undefined)
    expect(conflictWith({ rounds: 20 })).to.match(/^method\.pretrain\.rounds: 20 of 20 rounds look at no label, so none is left/)
    expect(conflictIn({ ...settings, training: { ...settings.training, augment: false } })).to.match(/^method\.pretrain: .*unaltered/)
    const bare = { ...settings, model: { ...settings.model, lora: { ...settings.model.lora, blocks: [] } } }
    expect(conflictIn(bare)).to.match(/^method\.pretrain: it trains the encoder, of which model\.lora\.blocks lets nothing be trained/)
  })

  it('trains the shared adapter, and no other one', () => {
    expect(conflictWith({}, { keeps: ['encoder'] })).to.match(/^method\.pretrain: the encoder .* method\.keeps/)
    const units = { update: 'smooth', share: 0.25, pivot: 0.15, slope: 20, warmupRounds: 0, contributes: 'common' } as const
    expect(conflictWith({}, { units })).to.match(/^method\.pretrain: it trains the shared adapter, and method\.units another one/)
    expect(conflictWith({}, { personal: 'copy' })).to.match(/^method\.pretrain: .*method\.personal copy another one/)
    expect(conflictWith({ stay: 0.7 }, { keeps: ['decoder'] })).to.match(/^method\.pretrain\.stay: method\.keeps/)
    const product = { ...settings.model, lora: { ...settings.model.lora, aggregation: 'product-svd' as const } }
    expect(conflictIn({ ...settings, model: product, method: { pretrain: { ...PRETRAINING, stay: 0.7 } } }))
      .to.match(/^method\.pretrain\.stay: .*"aggregation": "factors"/)
  })

  it('with privacy of patients tells none from another', () => {
    const privacy = { unit: 'patient', epsilon: 8, delta: 1e-3, clip: 1, rate: 0.1 } as const
    const training = { ...settings.training, teacherG: 'none', stepsPerRound: 4 } as const
    const contrast = { pretrain: { ...PRETRAINING, objective: 'contrast' as const } }
    expect(conflictIn({ ...settings, training, privacy })).to.equal(undefined)
    expect(conflictIn({ ...settings, training, privacy, method: contrast })).to.match(/^method\.pretrain\.objective: .*say "byol"$/)
  })

  it('says nothing where it has no rounds, and then conflicts with nothing', () => {
    expect(conflictWith({ rounds: 0 }, { personal: 'copy' })).to.equal(undefined)
    expect(pretrainingInWords({ pretrain: { ...PRETRAINING, rounds: 0 } })).to.deep.equal([])
    expect(labelFreeTest({ pretrain: { ...PRETRAINING, rounds: 0 } })).to.equal(undefined)
    expect(pretrainingInWords(settings.method)[0]).to.match(/^the first 8 rounds look at no label/)
    expect([8, 9].map((round) => isLabelFree(settings.method, round))).to.deep.equal([true, false])
  })

  it('of a preset has at most two rounds in five, and leaves one with labels', () => {
    expect([1, 2, 3, 5, 10, 20, 100].map((rounds) => labelFreeRounds(8, rounds))).to.deep.equal([0, 1, 1, 2, 4, 8, 8])
    expect(withinRounds(presetOf('fedca').settings, 5).method?.pretrain).to.deep.equal({ ...PRETRAINING, objective: 'contrast', rounds: 2 })
    expect(withinRounds(presetOf('fedsemidg').settings, 5)).to.equal(presetOf('fedsemidg').settings)
  })

  it('cannot be amended: all sites count the same rounds', () => {
    expect(unamendable([{ name: 'method.pretrain.rounds', before: 8, after: 4 }])?.name).to.equal('method.pretrain.rounds')
  })
})
