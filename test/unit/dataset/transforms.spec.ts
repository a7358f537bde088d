import { expect } from 'chai'
import fc from 'fast-check'
import { seededRandom } from '../../../src/common/random.ts'
import { augment, fitSlice, toImages, toTargets, type Fitted } from '../../../src/dataset/index.ts'
import { resizeImage, resizeLabels } from '../../../src/dataset/transforms/resize.ts'
import { fitted, pixels, slice } from './fixtures.ts'

/** A fitted slice whose mask is its image, so that both must move alike. */
const twin = (height: number, width: number, seed: number): Fitted => {
  const random = seededRandom(seed)
  const image = pixels(height, width, () => Math.floor(random() * 200))
  return fitted(height, width, Math.max(height, width), { image, mask: image })
}

const sorted = (data: Uint8Array): number[] => [...data].sort((a, b) => a - b)

describe('resizing', () => {
  it('enlarges with half-pixel centres', () => {
    const ramp = pixels(4, 4, (x) => x * 32)
    expect([...resizeImage({ height: 4, width: 4, channels: 1, data: ramp }, 4, 8).subarray(0, 8)]).to.deep.equal([
      0,
      8,
      24,
      40,
      56,
      72,
      88,
      96
    ])
  })

  it('averages when shrinking instead of dropping pixels', () => {
    const stripes = pixels(64, 64, (x) => x % 2 === 0 ? 0 : 200)
    const small = resizeImage({ height: 64, width: 64, channels: 1, data: stripes }, 16, 16)
    expect(Math.max(...small) - Math.min(...small)).to.be.at.most(26)
    expect(small.reduce((sum, value) => sum + value, 0) / small.length).to.be.closeTo(100, 1)
  })

  it('keeps an even image even, whatever the sizes, and colours apart', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        (h, w, height, width) => {
          const data = Uint8Array.from({ length: h * w * 3 }, (_, i) => [10, 120, 250][i % 3]!)
          const out = resizeImage({ height: h, width: w, channels: 3, data }, height, width)
          expect(out).to.have.length(height * width * 3)
          out.forEach((value, i) => {
            if (value !== [10, 120, 250][i % 3]) throw new Error(`${value} at ${i}`)
          })
        }
      )
    )
  })

  it('never invents labels', () => {
    const labels = pixels(7, 9, (x, y) => (x + y) % 3 * 5)
    expect(new Set(resizeLabels(labels, { height: 7, width: 9 }, 12, 5))).to.deep.equal(new Set([0, 5, 10]))
    expect([...resizeLabels(Uint8Array.of(1, 2), { height: 1, width: 2 }, 2, 4)]).to.deep.equal([1, 1, 2, 2, 1, 1, 2, 2])
  })
})

describe('fitting', () => {
  it('scales the longer side to the canvas and rounds the other as the reference does', async () => {
    const sizes = async (height: number, width: number, side: number): Promise<number[]> => {
      const { fittedHeight, fittedWidth } = await fitSlice(
        slice('s', 0, { height, width, image: new Uint8Array(height * width), mask: new Uint8Array(height * width) }),
        side
      )
      return [fittedHeight, fittedWidth]
    }
    expect(await sizes(144, 120, 128)).to.deep.equal([128, 107])
    expect(await sizes(64, 64, 128)).to.deep.equal([128, 128])
    expect(await sizes(3, 600, 128)).to.deep.equal([1, 128])
    expect(await sizes(1, 2000, 128)).to.deep.equal([1, 128])
  })

  it('keeps image and mask in step', async () => {
    const image = pixels(40, 30, (x, y) => x > 10 && y > 15 ? 255 : 0)
    const fit = await fitSlice(slice('s', 0, { height: 40, width: 30, image, mask: image.map((value) => value > 0 ? 1 : 0) }), 128)
    const wrong = fit.mask.filter((label, i) => (label === 1) !== (fit.image[i]! > 127)).length
    expect(wrong / fit.mask.length).to.be.lessThan(0.002)
    expect(fit).to.include({ id: 's#0', height: 40, width: 30, side: 128 })
  })
})

describe('augmentation', () => {
  it('moves image and mask alike and loses nothing', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }), fc.integer(), (height, width, seed) => {
      const before = twin(height, width, 1)
      const after = augment(before, seededRandom(seed), { intensity: 0 })
      expect([...after.image]).to.deep.equal([...after.mask])
      expect(sorted(after.mask)).to.deep.equal(sorted(before.mask))
      expect(after.fittedHeight * after.fittedWidth).to.equal(height * width)
      expect([after.height, after.width]).to.deep.equal([after.fittedHeight, after.fittedWidth])
    }))
  })

  it('is the same for the same seed, and reaches all eight motions of a square', () => {
    const before = twin(3, 3, 2)
    const motions = new Set<string>()
    for (let seed = 0; seed < 200; seed++) {
      const after = augment(before, seededRandom(seed))
      expect(augment(before, seededRandom(seed))).to.deep.equal(after)
      motions.add(after.mask.join())
    }
    expect(motions.size).to.equal(8)
  })

  it('turns clockwise', () => {
    const before = fitted(2, 3, 3, { image: Uint8Array.of(1, 2, 3, 4, 5, 6), mask: new Uint8Array(6) })
    const draws = [0.9, 0.9, 0.3, 0.5]
    const { image, fittedHeight, fittedWidth } = augment(before, () => draws.shift()!)
    expect([fittedHeight, fittedWidth]).to.deep.equal([3, 2])
    expect([...image]).to.deep.equal([4, 1, 5, 2, 6, 3])
  })

  it('changes brightness by at most a tenth and can be told not to move', () => {
    const before = fitted(8, 8, 8)
    for (let seed = 0; seed < 50; seed++) {
      const { image, mask } = augment(before, seededRandom(seed), { flips: false, turns: false })
      expect([...mask]).to.deep.equal([...before.mask])
      image.forEach((value, i) => { expect(Math.abs(value - before.image[i]!)).to.be.at.most(before.image[i]! * 0.1 + 0.5) })
    }
    const channels = Uint8Array.from({ length: 12 }, (_, i) => i)
    const colour = augment(fitted(2, 2, 2, { channels: 3, image: channels }), () => 0.25, { turns: false, intensity: 0 })
    expect([...colour.image]).to.deep.equal([9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1, 2])
  })
})

describe('batches', () => {
  it('normalise with SAM\'s numbers and pad with zeros at the right and bottom', () => {
    const images = toImages([fitted(2, 3, 4, { image: Uint8Array.of(0, 255, 100, 50, 60, 70) })])
    expect(images).to.have.length(4 * 4 * 3)
    const pixel = (x: number, y: number): number[] => [...images.subarray((y * 4 + x) * 3, (y * 4 + x) * 3 + 3)]
    const expected = (value: number): number[] => [(value - 123.675) / 58.395, (value - 116.28) / 57.12, (value - 103.53) / 57.375]
    for (const [x, y, value] of [[0, 0, 0], [1, 0, 255], [2, 0, 100], [0, 1, 50], [2, 1, 70]] as const) {
      pixel(x, y).forEach((got, c) => { expect(got).to.be.closeTo(expected(value)[c]!, 1e-6) })
    }
    for (const [x, y] of [[3, 0], [3, 1], [0, 2], [3, 3]] as const) expect(pixel(x, y)).to.deep.equal([0, 0, 0])
  })

  it('keep colours in order', () => {
    const images = toImages([fitted(1, 1, 1, { channels: 3, image: Uint8Array.of(10, 20, 30), mask: Uint8Array.of(0) })])
    expect(images[0]).to.be.closeTo((10 - 123.675) / 58.395, 1e-6)
    expect(images[2]).to.be.closeTo((30 - 103.53) / 57.375, 1e-6)
  })

  it('take brightness in 0..1 where the base wants that', () => {
    const images = toImages([fitted(1, 2, 2, { image: Uint8Array.of(0, 51), mask: new Uint8Array(2) })], 'unit')
    expect([...images]).to.deep.equal([0, 0, 0, ...[0.2, 0.2, 0.2].map(Math.fround), 0, 0, 0, 0, 0, 0])
  })

  it('average targets over the area of each pixel, also beyond the content', () => {
    const mask = Uint8Array.of(1, 1, 3, 0, 1, 0, 0, 0, 0)
    const one = fitted(3, 3, 4, { image: new Uint8Array(9), mask })
    expect([...toTargets([one, one], 2)]).to.deep.equal([0.75, 0.25, 0, 0, 0.75, 0.25, 0, 0])
    const byClass = toTargets([one], 2, 3)
    expect(byClass).to.have.length(12)
    expect([...byClass.subarray(0, 6)]).to.deep.equal([0.75, 0, 0, 0, 0, 0.25])
    expect(toTargets([one], 2, 2).reduce((sum, value) => sum + value, 0)).to.equal(0.75)
  })

  it('refuse what cannot be one batch', () => {
    for (const make of [toImages, (each: readonly Fitted[]) => toTargets(each, 2)]) {
      expect(() => make([])).to.throw(RangeError)
      expect(() => make([fitted(2, 2, 4), fitted(2, 2, 8)])).to.throw(RangeError)
    }
    expect(() => toTargets([fitted(2, 2, 4)], 3)).to.throw(RangeError)
  })
})
