import { expect } from 'chai'
import { METHODS } from '../../../src/experiment/methods.ts'
import { overridden } from '../../../src/federation/settings.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'
import type { FederationSettings } from '../../../src/settings/federation-settings.ts'
import { PRESETS, PRESET_NAMES, presetOf } from '../../../src/settings/methods/index.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { defaultTrainSettings } from '../../../src/settings/training.ts'
import { checkModel } from '../../../src/site-model/fit-settings.ts'

function defaults (name: 'sam-tiny' | 'vit-b'): FederationSettings {
  const config = samConfig(name)
  return {
    model: { name, imageSize: config.imageSize, baseHash: '0'.repeat(64), ...defaultModelSettings(config) },
    training: { ...defaultTrainSettings(config), rounds: 20, seed: 1 },
    averaging: defaultAveraging({ coolDownSeconds: 1 })
  }
}

describe('presets', () => {
  it('have names of their own, and a line for people', () => {
    expect(new Set(PRESET_NAMES).size).to.equal(PRESETS.length)
    for (const { name, title } of PRESETS) expect(title.length, name).to.be.within(10, 80)
  })

  for (const model of ['sam-tiny', 'vit-b'] as const) {
    it(`are settings that a federation of ${model} can have, each unlike the others`, () => {
      const all = PRESETS.map(({ name, settings }) => overridden(defaults(model), settings, name))
      for (const { model: section, method } of all) checkModel(section, method)
      expect(new Set(all.map((settings) => JSON.stringify(settings))).size).to.be.at.least(PRESETS.length - 1)
    })
  }

  it('begin with pFedSAM, which changes nothing', () => {
    expect(PRESET_NAMES[0]).to.equal('pfedsam')
    expect(overridden(defaults('sam-tiny'), presetOf('pfedsam').settings, 'x')).to.deep.equal(defaults('sam-tiny'))
  })

  it('are what the experiment runs', () => {
    for (const { preset } of METHODS) expect(PRESET_NAMES).to.include(preset)
  })
})
