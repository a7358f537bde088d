import { expect } from 'chai'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { unamendable } from '../../../src/federation/amendments/changes.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'
import { factsInWords, factSpecs } from '../../../src/settings/facts.ts'
import { conflictIn, type FederationSettings } from '../../../src/settings/federation-settings.ts'
import { TEACHERS } from '../../../src/settings/methods/weak.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import { trainingSection } from '../../../src/site-model/fit-settings.ts'

const dualTeacher = { ...TEACHERS.dualTeacher, teachers: [...TEACHERS.dualTeacher.teachers] }
const model = defaultModelSettings(samConfig('sam-tiny'))

const settings: FederationSettings = {
  model: { name: 'sam-tiny', baseHash: '0'.repeat(64), imageSize: 128, ...model, moe: { ...model.moe, blocks: [] } },
  training: {
    ...trainingSection({ name: 'sam-tiny' }, { rounds: 5, seed: 1 }),
    stepsPerRound: 4,
    batchSize: 4,
    teacherG: 'none',
    supervision: ['mask', 'none'],
    dualTeacher
  },
  averaging: { ...defaultAveraging({ coolDownSeconds: 5 }), weighting: 'uniform' }
}

function withTraining (over: Partial<FederationSettings['training']>): string | undefined {
  return conflictIn({ ...settings, training: { ...settings.training, ...over } })
}

describe('training.dualTeacher', () => {
  it('is for images without whole masks, altered ones, in batches of two and more', () => {
    expect(conflictIn(settings)).to.equal(undefined)
    const { supervision: _, ...training } = settings.training
    expect(conflictIn({ ...settings, training })).to.match(/^training\.dualTeacher: it is for images without whole masks/)
    expect(withTraining({ augment: false })).to.match(/^training\.dualTeacher: images are shown unaltered/)
    expect(withTraining({ batchSize: 1 })).to.match(/batchSize of 2 or more$/)
  })

  it('does not go with what changes one of two looks, nor with another model than the shared adapter', () => {
    expect(withTraining({ mixup: { alpha: 0.2 } })).to.match(/^training\.dualTeacher: it compares two looks.*mixup/)
    expect(withTraining({ swap: { patches: 2, probability: 0.3, donors: 0 } })).to.match(/two looks.*swap/)
    expect(withTraining({ views: { kind: 'gin', share: 1, consistency: 1 } })).to.match(/two looks.*views\.consistency/)
    const units = { update: 'smooth', share: 0.25, pivot: 0.15, slope: 20, warmupRounds: 0, contributes: 'common' } as const
    expect(conflictIn({ ...settings, method: { units } })).to.match(/^training\.dualTeacher: .*method\.units/)
    const both = { generalisation: { step: 0.05 }, units }
    expect(conflictIn({ ...settings, method: both })).to.match(/^method\.generalisation: .*method\.units/)
    const robust = { mu: 0.3, excess: false, least: 0.25, most: 4 }
    expect(conflictIn({ ...settings, method: { generalisation: { step: 0.05 }, robust } })).to.match(/^method\.generalisation: .*robust/)
  })

  it('with a promise of privacy has one threshold for all, and no gap is announced', () => {
    const patient = { unit: 'patient', epsilon: 8, delta: 1e-3, clip: 1, rate: 0.1 } as const
    const site = { unit: 'site', epsilon: 8, delta: 1e-5, clip: 1 } as const
    const fixed = { ...settings.training, dualTeacher: { ...dualTeacher, threshold: 0.15 } }
    for (const privacy of [patient, site]) {
      expect(conflictIn({ ...settings, privacy })).to.match(/^training\.dualTeacher: a threshold by the images.*"threshold": 0\.15 there$/)
      expect(conflictIn({ ...settings, privacy, training: fixed })).to.equal(undefined)
      expect(conflictIn({ ...settings, privacy, training: fixed, method: { generalisation: { step: 0.05 } } })).to.match(/carries no noise/)
    }
  })

  it('is told in words, and what is announced cannot be amended', () => {
    expect(factSpecs({ ...settings, method: { generalisation: { step: 0.05 } } }).map(({ name }) => name))
      .to.deep.equal(['gap', 'threshold', 'mass'])
    expect(factSpecs({ ...settings, training: { dualTeacher: { ...dualTeacher, weight: 0 } } })).to.deep.equal([])
    expect(factsInWords({ ...settings, method: { generalisation: { step: 0.05 } } })).to.have.length(3)
    const name = 'training.dualTeacher.threshold'
    expect(unamendable([{ name, before: undefined, after: 0.15 }])?.name).to.equal(name)
    expect(unamendable([{ name: 'training.perturbedFeatures.weight', before: 0.3, after: 0 }])).to.equal(undefined)
  })
})
