import { expect } from 'chai'
import { brightness, shownOf, type NormaliseOptions } from '../../../src/dataset/transforms/normalise.ts'
import { InputError } from '../../../src/errors.ts'
import type { Voxels } from '../../../src/formats/nifti.ts'

function show (stored: Voxels, options: NormaliseOptions = {}, slope = 1, intercept = 0): number[] {
  const at = brightness({ stored, slope, intercept }, options)
  return Array.from(stored, at)
}

describe('normalisation', () => {
  it('leaves 8-bit values as they are', () => {
    expect(show(Uint8Array.of(0, 3, 255))).to.deep.equal([0, 3, 255])
  })

  it('clips at the 0.5th and 99.5th percentile', () => {
    const values = Int16Array.from({ length: 1001 }, (_, i) => i)
    values[1000] = 30000
    const shown = show(values)
    expect(shown[5]).to.equal(0)
    expect(shown[995]).to.equal(255)
    expect(shown[500]).to.be.closeTo(127, 1)
    expect(shown[1000]).to.equal(255)
  })

  it('reads percentiles after scaling, and ignores what is not finite', () => {
    const values = Float32Array.from({ length: 1001 }, (_, i) => i)
    const inverted = show(values, {}, -0.25, 5)
    expect(inverted[0]).to.equal(255)
    expect(inverted[1000]).to.equal(0)
    const holes = Float32Array.of(NaN, 1, 2, 3, Infinity, -Infinity)
    expect(show(holes)).to.deep.equal([0, 0, 128, 255, 255, 0])
  })

  it('shows CT through a soft-tissue window, by its values or because the data set says so', () => {
    const ct = Int16Array.of(-1000, -1000, -160, 41, 240, 2000)
    expect(show(ct)).to.deep.equal([0, 0, 0, 128, 255, 255])
    expect(show(Int16Array.of(-160, 240), { modality: 'ct' })).to.deep.equal([0, 255])
    expect(show(ct, { modality: 'other' })).to.not.deep.equal([0, 0, 0, 128, 255, 255])
    expect(show(ct, { window: { center: 0, width: 4000 } })[5]).to.equal(255)
    expect(show(ct, { window: { center: 0, width: 4000 } })[0]).to.equal(64)
  })

  it('takes values for Hounsfield units by air and by nothing below it, never by a low value alone', () => {
    const ramp = (from: number, to: number): Int16Array => Int16Array.from({ length: 4000 }, (_, i) => from + (to - from) * i / 3999)
    const patient = (air: number): Int16Array => Int16Array.from({ length: 4000 }, (_, i) => i < 1200 ? air - i % 30 : i % 300 - 100)
    const how = (stored: Int16Array, options: NormaliseOptions = {}): string => shownOf({ stored, slope: 1, intercept: 0 }, options).how
    for (const phase of [4096, 3141, 1000]) expect(how(ramp(-phase, phase)), `phase ±${phase}`).to.equal('percentiles')
    expect(how(ramp(-2000, 3000)), 'difference of two images').to.equal('percentiles')
    expect(how(patient(-970)), 'air').to.equal('window')
    const padded = patient(-970)
    padded.fill(-3024, 0, 900)
    expect(how(padded), 'air, and one value beside the field of view').to.equal('window')
    expect(how(patient(-970).map((value) => Math.max(-1000, Math.min(1000, value)))), 'clipped').to.equal('window')
    expect(how(ramp(-4096, 4096), { asBefore: true }), 'as before').to.equal('window')
  })

  it('shows everything but 8 bit as the federation says, whatever states or proves something else', () => {
    const values = Int16Array.from({ length: 1001 }, (_, i) => i - 1000)
    const window = { center: -500, width: 400 }
    for (const modality of ['ct', 'other', 'unknown'] as const) {
      expect(shownOf({ stored: values, slope: 1, intercept: 0 }, { window, modality })).to.deep.include({ range: [-700, -300] })
      expect(shownOf({ stored: values, slope: 1, intercept: 0 }, { window: { percentiles: [10, 90] }, modality }).range).to.deep.equal(
        [-900, -100]
      )
    }
    expect(show(Uint8Array.of(0, 3, 255), { window })).to.deep.equal([0, 3, 255])
  })

  it('takes what piles up at the value of air for air that was cut off, though values run as far above 0', () => {
    const columns = Int16Array.from({ length: 6144 }, (_, i) => Math.round(-1000 + i % 96 * 2000 / 95))
    expect(shownOf({ stored: columns, slope: 1, intercept: 0 }).range).to.deep.equal([-160, 240])
    expect(shownOf({ stored: columns.map((value) => value * 4), slope: 1, intercept: 0 }).how).to.equal('percentiles')
  })

  it('says where values may be CT cut to an organ, and nothing states it', () => {
    const maybe = (stored: Voxels, options: NormaliseOptions = {}): boolean =>
      shownOf({ stored, slope: 1, intercept: 0 }, options).maybeCt === true
    const organ = Int16Array.from({ length: 2000 }, (_, i) => i % 10 === 0 ? -100 : 40 + i % 130)
    expect(maybe(organ)).to.equal(true)
    for (const modality of ['ct', 'other'] as const) expect(maybe(organ, { modality }), modality).to.equal(false)
    expect(maybe(organ, { window: { center: 40, width: 400 } }), 'window').to.equal(false)
    expect(maybe(Int16Array.from(organ, (value) => value + 200)), 'nothing below 0').to.equal(false)
    expect(maybe(Float32Array.from(organ, (value) => value / 7)), 'fractions').to.equal(false)
    expect(maybe(Int16Array.from({ length: 2000 }, (_, i) => i - 1000)), 'phase').to.equal(false)
    expect(maybe(Int16Array.from(organ, (value) => value * 20)), 'below air').to.equal(false)
  })

  it('doubts that values are CT of which none is below 0', () => {
    const doubtful = (from: number): boolean =>
      shownOf({ stored: Int16Array.from({ length: 99 }, (_, i) => from + i), slope: 1, intercept: 0 }, { modality: 'ct' }).doubtful
    expect([doubtful(0), doubtful(-1)]).to.deep.equal([true, false])
  })

  it('shows the rare bright voxels of an almost empty volume, and refuses an empty one', () => {
    const sparse = new Int16Array(1000)
    sparse[7] = 50
    expect(Math.max(...show(sparse))).to.equal(255)
    expect(() => show(new Int16Array(1000))).to.throw(InputError, 'alike')
    expect(() => show(new Float32Array(3).fill(NaN))).to.throw(InputError, 'alike')
  })

  it('samples large volumes without favouring columns', () => {
    const width = 1024
    const values = Float32Array.from({ length: width * 3000 }, (_, i) => i % width)
    const shown = brightness({ stored: values, slope: 1, intercept: 0 })
    expect(shown(5)).to.be.at.most(1)
    expect(shown(1018)).to.be.at.least(254)
    expect(shown(512)).to.be.closeTo(128, 2)
  })
})
