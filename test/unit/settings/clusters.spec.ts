import { expect } from 'chai'
import { samConfig, withImageSize } from '../../../src/model/sam/build-sam.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'
import { factsInWords, factSpecs } from '../../../src/settings/facts.ts'
import { conflictIn, type FederationSettings } from '../../../src/settings/federation-settings.ts'
import { method as section, type MethodSettings } from '../../../src/settings/method.ts'
import { presetOf } from '../../../src/settings/methods/index.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { checkModel, trainingSection } from '../../../src/site-model/fit-settings.ts'

const CLUSTERS = presetOf('spp-fgc').settings.method!.clusters as NonNullable<MethodSettings['clusters']>
const config = withImageSize(samConfig('sam-tiny'), 128)
const settings: FederationSettings = {
  model: { name: 'sam-tiny', baseHash: '0'.repeat(64), imageSize: 128, ...defaultModelSettings(config) },
  training: trainingSection({ name: 'sam-tiny' }, { rounds: 5, seed: 1 }),
  averaging: { ...defaultAveraging({ coolDownSeconds: 5 }), weighting: 'uniform' },
  method: { clusters: CLUSTERS }
}
const UNITS = { update: 'smooth', share: 0.25, pivot: 0.15, slope: 20, warmupRounds: 0, contributes: 'common' } as const

describe('method.clusters', () => {
  it('lets sites tell 336 bytes of clusters, which federation show says, and nothing where all are one', () => {
    expect(conflictIn(settings)).to.equal(undefined)
    expect(factSpecs(settings).map(({ name, length }) => [name, length])).to.deep.equal([['centres', 64], ['shares', 4], ['graph', 16]])
    expect(factsInWords(settings).join()).to.equal(
      'sites announce up to 4 clusters of their patients, each of at least 5: their middles, shares and likeness; ' +
      'by these those that are alike average ^image_encoder\\. among themselves alone'
    )
    const one = { ...settings, method: { clusters: { ...CLUSTERS, count: 1 } } }
    expect([factSpecs(one), factsInWords(one)]).to.deep.equal([[], []])
  })

  it('goes with nothing that counts on the average of all, nor with a promise of privacy', () => {
    const model = { ...settings.model, moe: { ...settings.model.moe, blocks: [] } }
    const both = { ...settings, model, method: { clusters: CLUSTERS, units: UNITS } }
    expect(conflictIn(both)).to.match(/^method\.clusters: what sites average apart .* method\.units counts/)
    const averaging = { ...settings.averaging, secure: { mode: 'sealed' as const } }
    expect(conflictIn({ ...settings, averaging })).to.match(/^method\.clusters: a sealed group/)
    const privacy = { unit: 'site' as const, epsilon: 8, delta: 1e-5, clip: 1 }
    const training = { ...settings.training, stepsPerRound: 1, epochsG: undefined, epochsL: undefined }
    expect(conflictIn({ ...settings, training, privacy })).to.match(/method\.clusters: what sites announce .* carries no noise/)
  })

  it('names tensors that sites average, by expressions that are some, and no cluster under five patients', () => {
    checkModel(settings.model, settings.method)
    const idle = { clusters: { ...CLUSTERS, own: ['^mask_decoder', '^nothing'] } }
    expect(() => { checkModel(settings.model, idle) }).to.throw('method.clusters.own: ^nothing is the name of nothing that sites average')
    const slow = ['(a+)+$', '(a|a)*b', '(?=a)b', '(a)\\1', '.*.*.*.*x', Array(10).fill('(a|b)').join('')].map((each) => ({ own: [each] }))
    const whole = { clusters: { ...CLUSTERS, own: ['mask_decoder', 'encoder', '.'] } }
    expect(() => { checkModel(settings.model, whole) }).to.throw('method.clusters.own: these are all that sites average')
    for (const wrong of [...slow, { own: ['('] }, { own: [] }, { count: 9 }, { count: 'many' }, { minimum: 4 }, { projection: 65 }]) {
      expect(section.safeParse({ clusters: { ...CLUSTERS, ...wrong } }).success, JSON.stringify(wrong)).to.equal(false)
    }
    expect(section.safeParse({ clusters: CLUSTERS }).success).to.equal(true)
  })
})
