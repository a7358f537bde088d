import { expect } from 'chai'
import fc from 'fast-check'
import { FOREGROUND, scoreCase, type CaseScore, type Plane } from '../../../../src/model/scores/case-scores.ts'

/** A plane of truth and prediction as rows of digits. */
function plane (truth: string, prediction: string): Plane {
  const [rows, columns] = [truth.split(' ').length, truth.indexOf(' ') === -1 ? truth.length : truth.indexOf(' ')]
  const labels = (text: string): Uint8Array => Uint8Array.from(text.replaceAll(' ', ''), Number)
  return { height: rows, width: columns, truth: labels(truth), prediction: labels(prediction) }
}

const volume = (planes: readonly Plane[], label?: number): CaseScore =>
  scoreCase({ planes, spacing: [5, 1, 2] }, label == null ? FOREGROUND : { name: 'organ', label }, 2)

describe('scores of a case', () => {
  it('count volumes in ml, and false positives where there is nothing to find', () => {
    const absent = volume([plane('000 000', '010 010'), plane('000 000', '000 000')])
    expect(absent).to.include({ unit: 'mm', dice: 0, nsd: 0, hd95: Infinity, hd95Voxels: Infinity, truthVolume: 0, predictedVolume: 0.02 })
    expect(absent.falsePositiveVolume).to.equal(0.02)
    expect(volume([plane('010 000', '110 000')]).falsePositiveVolume).to.be.NaN
    expect(absent.diagonal).to.be.closeTo(Math.hypot(10, 2, 6), 1e-12)
    expect(volume([plane('00 00', '00 00')])).to.deep.include({ dice: NaN, nsd: NaN, hd95: NaN, falsePositiveVolume: 0 })
  })

  it('take slices without foreground into the volume', () => {
    const found = plane('111 111', '111 111')
    const invented = plane('000 000', '111 111')
    expect(volume([found]).dice).to.equal(1)
    expect(volume([found, invented]).dice).to.be.closeTo(2 / 3, 1e-12)
  })

  it('know one label apart from the others', () => {
    const planes = [plane('1122 1122', '1222 1222')]
    expect(volume(planes).dice).to.equal(1)
    expect(volume(planes, 1).dice).to.be.closeTo(2 * 2 / 6, 1e-12)
    expect(volume(planes, 2).dice).to.be.closeTo(2 * 4 / 10, 1e-12)
    expect(volume(planes, 3).dice).to.be.NaN
  })

  it('measure pictures in pixels, each in its own plane', () => {
    const [same, moved] = [plane('0110 0110 0000', '0110 0110 0000'), plane('0110 0110 0000', '0000 0000 0110')]
    const score = scoreCase({ planes: [same, moved] }, FOREGROUND, 0.5)
    expect(score).to.include({ unit: 'px', truthVolume: 8, predictedVolume: 6 })
    expect(score.dice).to.be.closeTo(2 * 4 / 14, 1e-12)
    expect(score.nsd).to.be.within(0.5, 0.8)
    const shuffled = scoreCase({ planes: [moved, same] }, FOREGROUND, 0.5)
    expect(shuffled).to.deep.equal(score)
    // Half of the truth lies in a picture in which nothing was marked.
    const missed = scoreCase({ planes: [same, plane('0110 0110 0000', '0000 0000 0000')] }, FOREGROUND, 0.5)
    expect(missed.hd95).to.equal(Infinity)
    expect(missed.nsd).to.be.closeTo(2 / 3, 1e-12)
  })

  it('refuse slices of different size as one volume', () => {
    expect(() => volume([plane('00 00', '00 00'), plane('000 000', '000 000')])).to.throw(RangeError)
  })

  it('do not change when truth and prediction swap, or the volume is mirrored', () => {
    const side = fc.integer({ min: 1, max: 5 })
    const cases = fc.tuple(side, side, side).chain(([depth, height, width]) => {
      const mask = fc.uint8Array({ min: 0, max: 1, minLength: height * width, maxLength: height * width })
      return fc.array(fc.record({ truth: mask, prediction: mask }), { minLength: depth, maxLength: depth })
        .map((planes) => planes.map((each) => ({ height, width, ...each })))
    })
    const figures = ({ dice, nsd, hd95, hd95Voxels }: CaseScore): string =>
      [dice, nsd, hd95, hd95Voxels].map((each) => each.toFixed(9)).join()
    fc.assert(fc.property(cases, (planes) => {
      const expected = figures(volume(planes))
      const swapped = planes.map(({ truth, prediction, ...size }) => ({ ...size, truth: prediction, prediction: truth }))
      expect(figures(volume(swapped))).to.equal(expected)
      const mirrored = planes.toReversed().map(({ truth, prediction, ...size }) =>
        ({ ...size, truth: truth.toReversed(), prediction: prediction.toReversed() }))
      expect(figures(volume(mirrored))).to.equal(expected)
    }), { numRuns: 200 })
  })
})
