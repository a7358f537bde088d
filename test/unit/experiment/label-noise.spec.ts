import { expect } from 'chai'
import fc from 'fast-check'
import { UNKNOWN, type Slice } from '../../../src/dataset/index.ts'
import { dilated, eroded, parseNoise, withNoise, type LabelNoise } from '../../../src/experiment/label-noise.ts'

const [HEIGHT, WIDTH] = [40, 48]
const NOISE: LabelNoise = { sites: ['handheld'], share: 0.4, radius: 3 }
const SITE = { site: 2, name: 'handheld', seed: 11 }
/** Milliseconds, of a crowded machine. */
const PATIENCE = 600_000

function disc (x: number, y: number, radius: number): Uint8Array {
  return Uint8Array.from({ length: HEIGHT * WIDTH }, (_, i) => Math.hypot(i % WIDTH - x, Math.floor(i / WIDTH) - y) <= radius ? 1 : 0)
}

function picture (mask: Uint8Array): { height: number, width: number, mask: Uint8Array } {
  return { height: HEIGHT, width: WIDTH, mask }
}

/** One slice of each patient. */
function slicesOf (patients: number): Slice[] {
  return Array.from({ length: patients }, (_, i) => {
    const subject = `patient-${i}`
    const image = new Uint8Array(HEIGHT * WIDTH).fill(i)
    return { id: subject, subject, index: 0, channels: 1, image, ...picture(disc(20 + i % 5, 20, 8 + i % 3)) }
  })
}

function area (mask: Uint8Array): number {
  return mask.reduce((sum, code) => sum + Number(code > 0), 0)
}

describe('noise in outlines', function () {
  this.timeout(PATIENCE)

  it('moves the outline by its radius, out and in', () => {
    const mask = disc(24, 20, 10)
    for (let radius = 1; radius <= 4; radius++) {
      const [out, inside] = [dilated(picture(mask), radius), eroded(picture(mask), radius)]
      const reach = (each: Uint8Array): number => each.subarray(20 * WIDTH, 21 * WIDTH).lastIndexOf(1) - 24
      expect([reach(out), reach(inside)], `${radius} px`).to.deep.equal([10 + radius, 10 - radius])
    }
  })

  it('is exact: what is added, or taken away, lies within the radius of the outline, and nothing else does', () => {
    const bit = fc.integer({ min: 0, max: 1 })
    fc.assert(fc.property(fc.array(bit, { minLength: 80, maxLength: 80 }), fc.integer({ min: 1, max: 3 }), (bits, radius) => {
      const mask = Uint8Array.from(bits)
      const small = { height: 8, width: 10, mask }
      const isNear = (at: number, code: number): boolean => bits.some((each, i) => each === code &&
        (i % 10 - at % 10) ** 2 + (Math.floor(i / 10) - Math.floor(at / 10)) ** 2 <= radius ** 2)
      expect([...dilated(small, radius)]).to.deep.equal(bits.map((_, at) => Number(isNear(at, 1))))
      const inner = bits.map((each, at) => Number(each === 1 && !isNear(at, 0)))
      expect([...eroded(small, radius)]).to.deep.equal(inner.includes(1) ? inner : bits)
    }), { numRuns: 50 })
  })

  it('leaves organs apart, and what is not known as it is', () => {
    const mask = disc(12, 20, 5).map((code, i) => i % WIDTH > 40 ? UNKNOWN : code)
    disc(24, 20, 5).forEach((code, i) => { if (code > 0) mask[i] = 2 })
    const out = dilated(picture(mask), 3)
    expect([...mask.keys()].every((i) => mask[i] === 0 || out[i] === mask[i])).to.equal(true)
    expect([12, 24, 32, 33].map((x) => out[20 * WIDTH + x])).to.deep.equal([1, 2, 2, 0])
    const inside = eroded(picture(mask), 3)
    expect([...mask.keys()].every((i) => inside[i] === 0 || inside[i] === mask[i])).to.equal(true)
    expect([UNKNOWN, 1, 2].every((code) => inside.includes(code))).to.equal(true)
  })

  it('touches that share of the patients of the named sites, half of them either way, the same with the same seed', () => {
    const slices = slicesOf(60)
    const noisy = withNoise(slices, NOISE, SITE)
    const changed = noisy.filter(({ mask }, i) => mask !== slices[i]!.mask)
    expect(changed).to.have.length(24)
    const grown = noisy.filter(({ mask }, i) => area(mask) > area(slices[i]!.mask)).length
    expect(grown).to.be.within(5, 19)
    expect(noisy.map(({ image }) => image), 'pictures stay').to.deep.equal(slices.map(({ image }) => image))
    expect(withNoise(slices, NOISE, SITE)).to.deep.equal(noisy)
    expect(withNoise(slices, NOISE, { ...SITE, seed: 12 })).to.not.deep.equal(noisy)
    expect(withNoise(slices, NOISE, { ...SITE, name: 'university' })).to.equal(slices)
    expect(withNoise(slices, undefined, SITE)).to.equal(slices)
    expect(withNoise(slicesOf(2), { ...NOISE, share: 0.01 }, SITE).filter(({ mask }, i) => area(mask) !== area(slices[i]!.mask)))
      .to.have.length(1)
  })

  it('lies in all slices of a patient alike, and in whole masks alone', () => {
    const volume = slicesOf(3).flatMap((slice) => [0, 1, 2].map((index): Slice => ({ ...slice, index, id: `${slice.subject}#${index}` })))
    const noisy = withNoise(volume, { ...NOISE, share: 1 }, SITE)
    for (const patient of Map.groupBy(noisy, ({ subject }) => subject).values()) {
      expect(new Set(patient.map(({ mask }) => area(mask))).size).to.equal(1)
    }
    const marked = volume.map((slice): Slice => ({ ...slice, kind: 'scribble' }))
    expect(withNoise(marked, { ...NOISE, share: 1 }, SITE)).to.deep.equal(marked)
  })

  it('loses no organ that is smaller than the radius', () => {
    const mask = disc(24, 20, 2)
    expect(eroded(picture(mask), 3)).to.deep.equal(mask)
    expect(area(eroded(picture(new Uint8Array(HEIGHT * WIDTH)), 3))).to.equal(0)
  })

  it('is said as sites, share and radius, or not at all', () => {
    expect(parseNoise('handheld:0.4:3')).to.deep.equal(NOISE)
    expect(parseNoise('a,b:1:1')).to.deep.equal({ sites: ['a', 'b'], share: 1, radius: 1 })
    const few = ['', 'handheld', 'handheld:0.4', 'a,:0.4:3', 'a:0.4:3:1']
    for (const bad of [...few, 'handheld:0:3', 'handheld:1.1:3', 'handheld:0.4:0', 'handheld:0.4:1.5']) {
      expect(parseNoise(bad), bad).to.equal(undefined)
    }
  })
})
