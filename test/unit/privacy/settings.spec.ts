import { expect } from 'chai'
import { overridden } from '../../../src/federation/settings.ts'
import { mechanismOf } from '../../../src/privacy/mechanism.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'
import type { FederationSettings } from '../../../src/settings/federation-settings.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { defaultTrainSettings } from '../../../src/settings/training.ts'

const config = samConfig('sam-tiny')
const plain: FederationSettings = {
  model: { name: 'sam-tiny', imageSize: 128, baseHash: '0'.repeat(64), ...defaultModelSettings(config) },
  training: { ...defaultTrainSettings(config), rounds: 24, seed: 1 },
  averaging: defaultAveraging({ coolDownSeconds: 1 })
}
const site = { averaging: { weighting: 'uniform' }, privacy: { unit: 'site', epsilon: 8, delta: 1e-5, clip: 0.1 } }
const patient = { ...site, training: { teacherG: 'global' }, privacy: { ...site.privacy, unit: 'patient', rate: 0.1 } }

type Parts = Record<string, object | undefined>
const put = (base: Parts, parts: Parts): FederationSettings => overridden(plain, { ...base, ...parts }, 'the file')
const refused = (base: Parts, parts: Parts, sentence: RegExp): void => { expect(() => put(base, parts)).to.throw(sentence) }

describe('the section privacy of a document', () => {
  it('goes with what it promises, and follows from little', () => {
    expect(mechanismOf(put(site, {}))).to.deep.include({ unit: 'site', rate: 1, onExhausted: 'stop-training' })
    expect(mechanismOf(put(patient, {}))).to.deep.include({ unit: 'patient', rate: 0.1, slices: 4 })
    expect(mechanismOf(plain)).to.equal(undefined)
    expect(mechanismOf(put({}, { privacy: { unit: 'none' } }))).to.equal(undefined)
  })

  const both: readonly [string, Parts, RegExp][] = [
    ['a mass that says how many images a site has', { averaging: { weighting: 'images' } }, /averaging\.weighting uniform/],
    ['epochs, whose steps say the same', { training: { epochsG: 1, epochsL: 1, teacherG: 'none' } }, /stepsPerRound instead of epochs/]
  ]
  for (const [what, parts, sentence] of both) {
    it(`refuses ${what}`, () => {
      refused(site, parts, sentence)
      refused(patient, parts, sentence)
    })
  }

  for (const [what, parts, sentence] of [
    ['a private teacher', { training: { teacherG: 'personal' } }, /teacherG personal/],
    ['empty images by the number of others', { training: { teacherG: 'global', emptyShare: 0.2 } }, /emptyShare/],
    ['parameters that stay', { method: { keeps: ['decoder'] } }, /method\.keeps/],
    ['a copy that is chosen by patients held back', { model: { moe: { blocks: [] } }, method: { personal: 'copy' } }, /personal copy/],
    ['several classes', { labels: [{ value: 1, name: 'a' }, { value: 2, name: 'b' }] }, /labels: which of several classes/],
    ['no rate', { privacy: { ...site.privacy, unit: 'patient' } }, /say rate/]
  ] as const satisfies readonly (readonly [string, Parts, RegExp])[]) {
    it(`with unit patient refuses ${what}, and unit site has nothing against it`, () => {
      refused(patient, parts, sentence)
      if (what !== 'no rate') put({ ...site, ...parts }, {})
    })
  }

  for (const key of ['epsilon', 'delta', 'clip'] as const) {
    it(`wants ${key}`, () => {
      const rest = Object.fromEntries(Object.entries(site.privacy).filter(([name]) => name !== key))
      refused(site, { privacy: rest }, new RegExp(`say ${key} too`))
    })
  }

  it('refuses what belongs to the other unit, or to none', () => {
    refused(site, { privacy: { ...site.privacy, rate: 0.1 } }, /privacy\.rate is for unit patient/)
    refused(site, { privacy: { unit: 'none', epsilon: 1 } }, /leave epsilon out/)
    refused(site, { privacy: { ...site.privacy, unit: 'image' } }, /none, site or patient/)
    refused(site, { privacy: { ...site.privacy, noise: 'some' } }, /must be auto, or a number/)
  })
})
