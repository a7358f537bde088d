import { expect } from 'chai'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'
import { conflictIn, type FederationSettings } from '../../../src/settings/federation-settings.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { sharingInWords } from '../../../src/settings/publications.ts'
import { trainingSection } from '../../../src/site-model/fit-settings.ts'

const settings: FederationSettings = {
  model: { name: 'sam-tiny', baseHash: '0'.repeat(64), imageSize: 128, ...defaultModelSettings(samConfig('sam-tiny')) },
  training: trainingSection({ name: 'sam-tiny' }, { rounds: 5, seed: 1 }),
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

  it('is one sentence for each kind', () => {
    expect(sharingInWords(settings)).to.have.length(1)
    expect(sharingInWords(settings)[0]).to.match(/core-adapter.*alone.*policy\.json/)
    expect(sharingInWords({})).to.deep.equal([])
  })
})
