import { expect } from 'chai'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'
import { conflictIn, type FederationSettings } from '../../../src/settings/federation-settings.ts'
import { presetOf, methodInWords } from '../../../src/settings/methods/index.ts'
import { PSEUDO } from '../../../src/settings/methods/weak.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { defaultTrainSettings } from '../../../src/settings/training.ts'

const UNTAUGHT = { teacherG: 'none', supervision: ['mask', 'none'] } as const

interface Over { readonly method?: unknown, readonly training?: object, readonly blocks?: readonly number[] }

function settings (name: string, { method, training = {}, blocks = [] }: Over): FederationSettings {
  const config = samConfig('sam-tiny')
  const model = defaultModelSettings(config)
  const all: unknown = {
    model: { ...model, name, imageSize: 128, baseHash: '0'.repeat(64), moe: { ...model.moe, blocks } },
    training: { ...defaultTrainSettings({ name }), rounds: 2, seed: 1, ...UNTAUGHT, ...training },
    averaging: defaultAveraging({ coolDownSeconds: 1 }),
    method
  }
  return all as FederationSettings
}

const pseudo = (over: object = {}): object => ({ pseudo: { ...PSEUDO, ...over } })

describe('settings of pseudo-masks', () => {
  it('fit with the preset, which is shown in one sentence', () => {
    const { method } = presetOf('iscos').settings
    expect(conflictIn(settings('sam-tiny', { method }))).to.equal(undefined)
    const words = methodInWords({ method: { preset: 'iscos' } })
    expect(words).to.match(/^iscos: LoRA averaged; pseudo-masks .*after ISCOS.* \(arXiv 2506.08955\)$/)
  })

  for (const [words, name, given] of [
    ['say training.supervision', 'sam-tiny', { method: pseudo(), training: { supervision: undefined } }],
    ['sam-tiny was trained with one box or one point: say ["box"] or ["point"]', 'sam-tiny', { method: pseudo({ prompts: ['mask'] }) }],
    ['litemedsam was trained with one box: say ["box"]', 'litemedsam', { method: pseudo({ prompts: ['point'] }) }],
    ['not trained with masks as prompts: say 1', 'sam-tiny', { method: pseudo({ iterations: 2 }) }],
    ['untrained sam-tiny are worse', 'sam-tiny', { method: pseudo({ generator: 'frozen' }) }],
    ['no model of their own: say global', 'sam-tiny', { method: pseudo({ generator: 'personal' }) }],
    ['training.mixup at several', 'sam-tiny', { method: pseudo(), training: { augment: true, mixup: { alpha: 0.2 } } }],
    ['teaches phase G already', 'sam-tiny', { method: { teacher: { ema: 0.9, weight: 1 } }, training: { teacherG: 'global' } }]
  ] as const) {
    it(`say plainly what does not go: ${words}`, () => {
      expect(conflictIn(settings(name, given))).to.include(words)
    })
  }

  it('let larger bases be asked with all prompts, more than once, and as they came', () => {
    const all = pseudo({ prompts: ['box', 'point', 'mask'], iterations: 5, generator: 'frozen' })
    expect(conflictIn(settings('vit-b', { method: all }))).to.equal(undefined)
    expect(conflictIn(settings('sam-tiny', { method: pseudo({ generator: 'personal' }), blocks: [3] }))).to.equal(undefined)
  })
})
