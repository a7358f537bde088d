import { expect } from 'chai'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'
import { conflictIn, type FederationSettings } from '../../../src/settings/federation-settings.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { PUBLICATIONS } from '../../../src/settings/publication-kinds.ts'
import { sharingInWords } from '../../../src/settings/publications.ts'
import { trainingSection } from '../../../src/site-model/fit-settings.ts'

const ALIGN = { target: 'cyclic', by: 'adversarial', weight: 1, warmupRounds: 0 } as const

const settings: FederationSettings = {
  model: { name: 'sam-tiny', baseHash: '0'.repeat(64), imageSize: 128, ...defaultModelSettings(samConfig('sam-tiny')) },
  training: { ...trainingSection({ name: 'sam-tiny' }, { rounds: 5, seed: 1 }), align: ALIGN },
  averaging: { ...defaultAveraging({ coolDownSeconds: 5 }), weighting: 'uniform' },
  method: { sharing: ['core-adapter'] }
}

describe('method.sharing', () => {
  it('lets nobody show what it trained where averaging is sealed, or privacy is promised', () => {
    expect(conflictIn(settings)).to.equal(undefined)
    const sealed = { ...settings, averaging: { ...settings.averaging, secure: { mode: 'sealed' as const } } }
    expect(conflictIn(sealed)).to.match(/^method\.sharing: core-adapter shows what one site trained by itself.*leave one of them out$/)
    const site = { ...settings, privacy: { unit: 'site' as const, epsilon: 8, delta: 1e-5, clip: 1 } }
    const promised = { ...site, training: { ...settings.training, stepsPerRound: 1, epochsG: undefined, epochsL: undefined } }
    expect(conflictIn(promised)).to.match(/^method\.sharing: what is shown carries no noise/)
  })

  it('is of what training reads, and what training reads is shared', () => {
    const { align, ...plain } = settings.training
    expect(conflictIn({ ...settings, training: plain })).to.match(/core-adapter is nothing that this training makes or reads/)
    expect(conflictIn({ ...settings, training: { ...plain, align: { ...align!, target: 'joint' } } })).to.match(/makes or reads/)
    expect(conflictIn({ ...settings, method: {} })).to.match(/^training\.align\.target: cyclic goes by what other sites show/)
    const moments = { ...settings, training: { ...plain, align: { ...align!, target: 'moments' as const } } }
    expect(conflictIn({ ...moments, method: {} })).to.match(/^training\.align\.target: moments goes by .* "sharing": \["moments"\]/)
    expect(conflictIn({ ...moments, method: { sharing: ['moments'] } })).to.equal(undefined)
    expect(conflictIn({ ...settings, method: { sharing: ['core-adapter', 'moments'] } })).to.match(/moments is nothing that this training/)
  })

  it('goes with no alignment of copies or units, nor with one where each patient is promised privacy', () => {
    const joint = { ...settings, method: {}, training: { ...settings.training, align: { ...ALIGN, target: 'joint' as const } } }
    expect(conflictIn(joint)).to.equal(undefined)
    const noExperts = { ...joint.model, moe: { ...joint.model.moe, blocks: [] } }
    expect(conflictIn({ ...joint, model: noExperts, method: { personal: 'copy' } })).to.match(/^training\.align: copies/)
    const units = { update: 'smooth', share: 0.25, pivot: 0.15, slope: 20, warmupRounds: 0, contributes: 'common' } as const
    expect(conflictIn({ ...joint, model: noExperts, method: { units } })).to.match(/^training\.align: its discriminator is no unit/)
    const privacy = { unit: 'patient' as const, epsilon: 8, delta: 1e-3, clip: 1, rate: 0.1 }
    const training = { ...joint.training, stepsPerRound: 1, epochsG: undefined, epochsL: undefined, teacherG: 'none' as const }
    expect(conflictIn({ ...joint, training, privacy })).to.match(/^training\.align: its discriminator sees all patients/)
    const rated = { ...joint.training, align: { ...ALIGN, target: 'joint' as const, by: 'mmd' as const, rate: 1 } }
    expect(conflictIn({ ...joint, training: rated })).to.match(/^training\.align\.rate/)
  })

  it('is what relations are learnt of, which go with nothing else that stays at a site, nor with weights of sites', () => {
    const { align: _, ...training } = settings.training
    const relations = { rate: 1e-3, pull: 0.1, fade: 'exponential', pulled: 0.1, peers: 8, by: 'model' } as const
    const { model } = settings
    const noExperts = { ...model, moe: { ...model.moe, blocks: [] } }
    const conflictOf = (over: Partial<FederationSettings>): string | undefined =>
      conflictIn({ ...settings, training, model: noExperts, method: { sharing: ['core-adapter'], relations }, ...over })
    expect(conflictOf({})).to.equal(undefined)
    expect(conflictOf({ method: { relations } })).to.match(/^method\.relations: they are to what other sites show/)
    expect(conflictOf({ model })).to.match(/^method\.relations: experts are what stays/)
    const also = (more: FederationSettings['method']): string | undefined =>
      conflictOf({ method: { sharing: ['core-adapter'], relations, ...more } })
    expect(also({ personal: 'copy' })).to.match(/^method\.relations: method\.personal copy is/)
    expect(also({ keeps: ['decoder'] })).to.match(/^method\.relations: method\.keeps is/)
    expect(also({ robust: { mu: 1, excess: false, least: 0.25, most: 4 } })).to.match(/^method\.relations: the average must be that of/)
    expect(conflictOf({ training: settings.training })).to.match(/^training\.align: a mixture has no discriminator/)
    const lora = { ...noExperts.lora, aggregation: 'product-svd' as const }
    expect(conflictOf({ model: { ...noExperts, lora } })).to.match(/^method\.relations: what sites show is mixed as it is trained/)
  })

  it('is one sentence for each kind', () => {
    expect(sharingInWords(settings)).to.have.length(1)
    expect(sharingInWords(settings)[0]).to.match(/core-adapter.*alone.*policy\.json/)
    expect(sharingInWords({ method: { sharing: ['moments'] } })[0]).to.match(/moments.*untrained.*5 patients or more.*policy\.json/)
    expect(sharingInWords({})).to.deep.equal([])
    for (const kind of PUBLICATIONS) {
      const [sentence, ...more] = sharingInWords({ method: { sharing: [kind] } })
      expect(more).to.deep.equal([])
      expect(sentence).to.include(`show each other ${kind}: `).and.include('policy.json')
      expect(PUBLICATIONS.filter((each) => sentence!.includes(each))).to.deep.equal([kind])
    }
    expect(sharingInWords({ method: { sharing: [...PUBLICATIONS] } })).to.have.length(PUBLICATIONS.length)
  })
})
