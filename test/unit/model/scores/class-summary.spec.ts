import { expect } from 'chai'
import { bootstrapMean } from '../../../../src/model/scores/bootstrap.ts'
import { summariseClass, type PatientCase } from '../../../../src/model/scores/class-summary.ts'

const perfect: Omit<PatientCase, 'patient'> = {
  unit: 'mm',
  dice: 1,
  nsd: 1,
  hd95: 0,
  hd95Voxels: 0,
  truthVolume: 10,
  predictedVolume: 10,
  falsePositiveVolume: NaN,
  diagonal: 300
}
const patient = (name: string, changes: Partial<PatientCase> = {}): PatientCase => ({ ...perfect, ...changes, patient: name })

describe('a class over patients', () => {
  it('counts what was missed with the diagonal, and never leaves it out', () => {
    const missed = patient('b', { dice: 0, nsd: 0, hd95: Infinity, hd95Voxels: Infinity, predictedVolume: 0 })
    const { dice, nsd, hd95, missed: count } = summariseClass([patient('a'), missed], 1)
    expect([dice.mean, nsd.mean, hd95.mm!.mean, count]).to.deep.equal([0.5, 0.5, 150, 1])
    expect(hd95.px).to.equal(undefined)
  })

  it('keeps patients without the class apart', () => {
    const absent = { dice: NaN, nsd: NaN, hd95: NaN, truthVolume: 0 }
    const invented = { ...absent, dice: 0, nsd: 0, hd95: Infinity }
    const summary = summariseClass([
      patient('a', { dice: 0.8 }),
      patient('b', { ...absent, predictedVolume: 0, falsePositiveVolume: 0 }),
      patient('c', { ...invented, predictedVolume: 3, falsePositiveVolume: 3 })
    ], 1)
    expect(summary.dice).to.deep.include({ mean: 0.8, count: 1 })
    expect(summary.falsePositiveVolume.mm).to.deep.include({ mean: 1.5, count: 2 })
    expect([summary.falsePositives, summary.missed]).to.deep.equal([1, 0])
  })

  it('counts a patient once, however many volumes there are', () => {
    const { dice } = summariseClass([patient('a', { dice: 0.2 }), patient('a', { dice: 0.4 }), patient('b', { dice: 0.9 })], 1)
    expect(dice.mean).to.be.closeTo(0.6, 1e-12)
    expect(dice.count).to.equal(2)
  })

  it('keeps millimetres and pixels apart', () => {
    const { hd95 } = summariseClass([patient('a', { hd95: 2 }), patient('b', { hd95: 7, unit: 'px' })], 1)
    expect([hd95.mm!.mean, hd95.px!.mean]).to.deep.equal([2, 7])
  })
})

describe('the bootstrap interval', () => {
  it('is the same for the same seed, and bounded by the values', () => {
    const values = [0.2, 0.5, 0.9, 0.4]
    expect(bootstrapMean(values, 7)).to.deep.equal(bootstrapMean(values, 7))
    expect(bootstrapMean(values, 7)).to.not.deep.equal(bootstrapMean(values, 8))
    const { mean, low, high } = bootstrapMean(values, 7)
    expect(mean).to.be.closeTo(0.5, 1e-12)
    expect(low).to.be.within(0.2, mean)
    expect(high).to.be.within(mean, 0.9)
  })

  it('has no bounds for one patient, and no mean for none', () => {
    expect(bootstrapMean([0.4], 1)).to.deep.equal({ mean: 0.4, low: NaN, high: NaN, count: 1 })
    expect(bootstrapMean([], 1)).to.deep.equal({ mean: NaN, low: NaN, high: NaN, count: 0 })
  })

  it('is about ± 1.96 standard errors for many patients', () => {
    const values = Array.from({ length: 400 }, (_, i) => i % 2)
    const { low, high } = bootstrapMean(values, 3)
    expect(high - low).to.be.closeTo(2 * 1.96 * 0.5 / 20, 0.01)
  })

  it('holds the true mean in about 95 of 100 samples', () => {
    const samples = Array.from({ length: 200 }, (_, seed) => bootstrapMean(sampleOf(seed), seed))
    const held = samples.filter(({ low, high }) => low <= 0.5 && high >= 0.5).length
    expect(held / 200).to.be.within(0.88, 0.99)
  })
})

/** 30 values of mean 0.5 that a seed stands for. */
function sampleOf (seed: number): number[] {
  return Array.from({ length: 30 }, (_, i) => Math.abs(Math.sin(seed * 12.9898 + i * 78.233) * 43758.5453) % 1)
}
