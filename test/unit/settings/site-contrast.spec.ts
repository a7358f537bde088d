import { expect } from 'chai'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { siteVectorsOf } from '../../../src/rounds/weigh.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'
import { factsInWords } from '../../../src/settings/facts.ts'
import { conflictIn, type FederationSettings } from '../../../src/settings/federation-settings.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'
import { CONTRAST, MIX, TURNS } from '../../../src/settings/methods/weak.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { trainingSection } from '../../../src/site-model/fit-settings.ts'

const MODEL = { name: 'sam-tiny', baseHash: '0'.repeat(64), imageSize: 128, ...defaultModelSettings(samConfig('sam-tiny')) } as const
const settings: FederationSettings = {
  model: { ...MODEL, moe: { ...MODEL.moe, blocks: [] } },
  training: trainingSection({ name: 'sam-tiny' }, { rounds: 5, seed: 1 }),
  averaging: { ...defaultAveraging({ coolDownSeconds: 5 }), weighting: 'uniform' }
}
const UNITS = { update: 'smooth', share: 0.25, pivot: 0.15, slope: 20, warmupRounds: 0, contributes: 'common' } as const
const siteContrast = CONTRAST
const elementMix = { ...MIX, of: [...MIX.of] }

describe('method.siteContrast, method.elementMix and method.alternate', () => {
  const conflictOf = (method: MethodSettings, over: Partial<FederationSettings> = {}): string | undefined =>
    conflictIn({ ...settings, method, ...over })

  it('go together, and the first with experts', () => {
    expect(conflictOf({ siteContrast, elementMix, alternate: TURNS })).to.equal(undefined)
    expect(conflictOf({ siteContrast }, { model: MODEL })).to.equal(undefined)
  })

  it('go with nothing else that stays in the place of the adapter', () => {
    expect(conflictOf({ siteContrast, units: UNITS })).to.match(/^method\.siteContrast: method\.units trains no vector/)
    expect(conflictOf({ siteContrast, personal: 'copy' })).to.match(/^method\.siteContrast: method\.personal copy/)
    expect(conflictOf({ elementMix, units: UNITS })).to.match(/^method\.elementMix: method\.units is what stays/)
    expect(conflictOf({ elementMix, keeps: ['decoder'] })).to.match(/^method\.elementMix: method\.keeps is what stays/)
    expect(conflictOf({ elementMix }, { model: MODEL })).to.match(/^method\.elementMix: experts are what stays/)
    const product = { ...settings.model, lora: { ...settings.model.lora, aggregation: 'product-svd' as const } }
    expect(conflictOf({ elementMix }, { model: product })).to.match(/^method\.elementMix: .*"aggregation": "factors"/)
    const frozen = { ...settings.model, decoder: 'frozen' as const }
    const ofDecoder = { elementMix: { ...elementMix, of: ['decoder'] } } satisfies MethodSettings
    expect(conflictOf(ofDecoder, { model: frozen })).to.match(/^method\.elementMix: .*decoder frozen/)
    expect(conflictOf({ elementMix: { ...elementMix, of: ['encoder'] } }, { model: frozen })).to.equal(undefined)
    const align = { target: 'joint', by: 'mmd', weight: 1, warmupRounds: 0 } as const
    expect(conflictOf({ siteContrast }, { training: { ...settings.training, align } })).to.match(/^method\.siteContrast: training\.align/)
  })

  it('need mask tokens that are trained, where steps take turns', () => {
    for (const decoder of ['lora', 'frozen'] as const) {
      const model = { ...settings.model, decoder }
      expect(conflictOf({ alternate: TURNS }, { model })).to.match(/^method\.alternate: with model\.decoder/)
    }
  })

  it('announce a vector, which carries no noise: not where privacy is promised, and not with weight 0', () => {
    const training = { ...settings.training, stepsPerRound: 1, epochsG: undefined, epochsL: undefined, teacherG: 'none' as const }
    const site = { training, privacy: { unit: 'site' as const, epsilon: 8, delta: 1e-5, clip: 1 } }
    expect(conflictOf({ siteContrast }, site)).to.match(/method\.siteContrast: what sites announce of their images carries no noise/)
    expect(conflictOf({ siteContrast: { ...siteContrast, weight: 0 } }, site)).to.equal(undefined)
    const patient = { training, privacy: { unit: 'patient' as const, epsilon: 8, delta: 1e-3, clip: 1, rate: 0.1 } }
    expect(conflictOf({ elementMix }, patient)).to.match(/method\.elementMix: what a site takes is learnt without noise/)
    expect(factsInWords({ ...settings, method: { siteContrast } })).to.have.length(1)
    expect(factsInWords({ ...settings, method: { siteContrast: { ...siteContrast, weight: 0 } } })).to.deep.equal([])
  })

  it('hear the vectors of those that say any, in the order of their ids, each within its range', () => {
    const vector = (value: number): Float32Array => new Float32Array(8).fill(value)
    const heard = new Map([['c', vector(1)], ['a', vector(-9)], ['b', undefined], ['d', Float32Array.of(1)], ['e', vector(NaN)]])
    expect(siteVectorsOf({ ...settings, method: { siteContrast } }, heard)).to.deep.equal([vector(-4), vector(1)])
    expect(siteVectorsOf({ ...settings, method: {} }, heard)).to.equal(undefined)
  })
})
