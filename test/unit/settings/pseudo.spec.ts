import { expect } from 'chai'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'
import { conflictIn, type FederationSettings } from '../../../src/settings/federation-settings.ts'
import { presetOf, methodInWords } from '../../../src/settings/methods/index.ts'
import { CONTRAST, PSEUDO, TEACHERS } from '../../../src/settings/methods/weak.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { defaultTrainSettings } from '../../../src/settings/training.ts'

const UNTAUGHT = { teacherG: 'none', supervision: ['mask', 'none'] } as const

const DUAL = { augment: true, dualTeacher: TEACHERS.dualTeacher } as const
const RELATED = {
  sharing: ['core-adapter'],
  relations: { rate: 0.05, pull: 0, fade: 'exponential', pulled: 0, peers: 8, by: 'layer' }
} as const
const LOOKS = { augment: true, views: { kind: 'gin', share: 1, consistency: 10 } } as const
const OF_PATIENTS = { unit: 'patient', epsilon: 8, delta: 1e-3, clip: 1, rate: 0.1 } as const

interface Over {
  readonly method?: unknown
  readonly training?: object
  readonly blocks?: readonly number[]
  readonly privacy?: object
}

function settings (name: string, { method, training = {}, blocks = [], privacy }: Over): FederationSettings {
  const config = samConfig('sam-tiny')
  const model = defaultModelSettings(config)
  const all: unknown = {
    model: { ...model, name, imageSize: 128, baseHash: '0'.repeat(64), moe: { ...model.moe, blocks } },
    training: { ...defaultTrainSettings({ name }), rounds: 2, seed: 1, ...UNTAUGHT, ...training },
    averaging: { ...defaultAveraging({ coolDownSeconds: 1 }), ...(privacy == null ? {} : { weighting: 'uniform' }) },
    method,
    ...(privacy == null ? {} : { privacy })
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
    ['training.views.consistency at several', 'sam-tiny', { method: { uncertaintyAware: 1 }, training: LOOKS }],
    ['method.pseudo: training.dualTeacher makes up what is not known', 'sam-tiny', { method: pseudo(), training: DUAL }],
    ['method.teacher: training.dualTeacher has a mean', 'sam-tiny', { method: { teacher: { ema: 0.9, weight: 1 } }, training: DUAL }],
    ['a mixture has no mean over steps', 'sam-tiny', { method: { teacher: { ema: 0.9, weight: 1 }, ...RELATED } }],
    ['privacy of patients would promise nothing', 'sam-tiny', { method: pseudo({ generator: 'personal' }), privacy: OF_PATIENTS }],
    ['teaches phase G already', 'sam-tiny', { method: { teacher: { ema: 0.9, weight: 1 } }, training: { teacherG: 'global' } }]
  ] as const) {
    it(`say plainly what does not go: ${words}`, () => {
      expect(conflictIn(settings(name, given))).to.include(words)
    })
  }

  it('let larger bases be asked with all prompts, more than once, and as they came', () => {
    const all = pseudo({ prompts: ['box', 'point', 'mask'], iterations: 5, generator: 'frozen' })
    expect(conflictIn(settings('vit-b', { method: all }))).to.equal(undefined)
    const own = pseudo({ generator: 'personal' })
    expect(conflictIn(settings('sam-tiny', { method: own, blocks: [3] }))).to.equal(undefined)
    expect(conflictIn(settings('sam-tiny', { method: { ...own, siteContrast: CONTRAST } }))).to.equal(undefined)
  })
})
