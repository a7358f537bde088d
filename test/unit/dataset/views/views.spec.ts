import { expect } from 'chai'
import { hashTensor } from '../../../../bench/sam/hash-tensor.ts'
import { seededRandom } from '../../../../src/common/random.ts'
import { toImages, viewedImages, viewedSlices, type Fitted } from '../../../../src/dataset/index.ts'
import { amplitudesOf, lowFrequencies, withAmplitudes, type Plane } from '../../../../src/dataset/views/frequency.ts'
import { drawNetwork, GIN, throughNetwork, type Planes, type RandomLayer } from '../../../../src/dataset/views/random-network.ts'
import { smoothField } from '../../../../src/dataset/views/smooth-field.ts'

const numbers = (text: string): number[] => text.replaceAll('|', ' ').replaceAll('−', '-').trim().split(/\s+/).map(Number)

function expectClose (found: ArrayLike<number>, wanted: readonly number[], tolerance: number): void {
  expect(found).to.have.length(wanted.length)
  wanted.forEach((value, i) => { expect(found[i], `number ${i}`).to.be.closeTo(value, tolerance) })
}

const norm = (values: Float32Array): number => Math.hypot(...values)

const PLANES: Planes = { channels: 1, height: 4, width: 4, values: hashTensor('gin:x', 16, 2) }

/** 12 × 10 of a canvas of 16; the same in all channels that it has. */
function slice (seed: number, channels: 1 | 3 = 1): Fitted {
  const random = seededRandom(seed)
  const size = 12 * 10
  return {
    id: `${seed}`,
    height: 12,
    width: 10,
    side: 16,
    fittedHeight: 12,
    fittedWidth: 10,
    channels,
    image: Uint8Array.from({ length: size * channels }, () => Math.floor(256 * random())),
    mask: Uint8Array.from({ length: size }, (_, i) => i % 10 > 3 ? 1 : 0)
  }
}

describe('views of training images', () => {
  describe('a random network', () => {
    const layers: RandomLayer[] = [[3, 1, 2], [1, 2, 2], [3, 2, 2], [1, 2, 1]].map(([kernel, inputs, outputs], layer) => ({
      kernel: kernel!,
      outputs: outputs!,
      weights: hashTensor(`gin:kernel${layer}`, outputs! * inputs! * kernel! ** 2, 1),
      shifts: hashTensor(`gin:shift${layer}`, outputs!, 1)
    }))

    it('gives the numbers of its authors\' rule', () => {
      const { values } = throughNetwork(PLANES, layers, 0.75)
      expectClose(values, numbers(`−0.388333 −1.198016 −1.488136 −1.492103 | −1.290622 −1.176013 −1.42057 −2.179279 |
        −0.656549 −0.863709 −1.005999 −1.055553 | −1.158635 −0.63467 −0.796896 −1.636431`), 2e-6)
      expect(norm(values)).to.be.closeTo(4.919799, 2e-6)
    })

    it('keeps the length of the image, and at α = 0 the image', () => {
      const length = norm(PLANES.values)
      expect(norm(throughNetwork(PLANES, drawNetwork(GIN, 1, seededRandom(3)), 0.4).values)).to.be.closeTo(length, 1e-4)
      expectClose(throughNetwork(PLANES, layers, 0).values, [...PLANES.values].map((value) => value * length / (length + 1e-5)), 1e-6)
    })

    it('of 1×1 kernels makes equal pixels of equal ones', () => {
      const values = Float32Array.of(1, -1, 1, 0.5, -1, 1)
      const network = drawNetwork({ ...GIN, kernels: [1] }, 1, seededRandom(5))
      const changed = throughNetwork({ channels: 1, height: 2, width: 3, values }, network, 1)
      const [a, b, c, , e, f] = changed.values
      expect([c, f]).to.deep.equal([a, a])
      expect(e).to.equal(b)
    })
  })

  describe('low frequencies', () => {
    const at = (gain: number, shift: number): Float64Array => Float64Array.from({ length: 16 }, (_, i) => (gain * i + shift) % 256)
    const plane = (values: Float64Array): Plane => ({ height: 4, width: 4, values })
    const [image, other] = [plane(at(37, 11)), plane(at(91, 5))]
    const mixed = (own: Plane, from: Plane, window: number, ratio: number): Float64Array =>
      withAmplitudes(own, { window, ratio, amplitudes: amplitudesOf(from, window) })

    it('mixed give the numbers of the authors\' code', () => {
      expectClose(mixed(image, other, 0, 1), [...at(37, 11)].map((value) => value + 15), 1e-9)
      expectClose(mixed(image, other, 1, 0.6), numbers(`8.535383 21.802878 82.535383 143.267889 |
        151.146265 211.87877 272.611275 29.87877 | 71.464617 132.197122 145.464617 158.732111 |
        224.853735 238.12123 −4.611275 56.12123`), 1e-6)
    })

    it('are as many as there are pairs, and change nothing at a ratio of 0 or with the image itself', () => {
      expect([0, 1].map((window) => lowFrequencies(image, window).length)).to.deep.equal([1, 5])
      expectClose(mixed(image, other, 1, 0), [...at(37, 11)], 1e-9)
      expectClose(mixed(image, image, 1, 1), [...at(37, 11)], 1e-9)
    })
  })

  describe('low frequencies of any size', () => {
    /** Every coefficient by its definition. */
    function byDefinition ({ height, width, values }: Plane, u: number, v: number): [number, number] {
      let [real, imaginary] = [0, 0]
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const angle = 2 * Math.PI * (u * y / height + v * x / width)
          real += values[y * width + x]! * Math.cos(angle)
          imaginary -= values[y * width + x]! * Math.sin(angle)
        }
      }
      return [real / (height * width), imaginary / (height * width)]
    }

    const drawn = (height: number, width: number, seed: number): Plane => {
      const random = seededRandom(seed)
      return { height, width, values: Float64Array.from({ length: height * width }, () => Math.floor(256 * random())) }
    }

    for (const [height, width] of [[9, 9], [10, 12], [11, 14], [13, 9], [16, 10]] as const) {
      it(`${height} × ${width}: are those of the definition, keep their phases, take the amplitudes and leave all others`, () => {
        const [plane, other] = [drawn(height, width, 1), drawn(height, width, 2)]
        for (const window of [0, 1, 2, 4]) {
          const found = lowFrequencies(plane, window)
          expect(found).to.have.length(2 * window ** 2 + 2 * window + 1)
          for (const { u, v, real, imaginary } of found) expectClose([real, imaginary], byDefinition(plane, u, v), 1e-9)
          const amplitudes = amplitudesOf(other, window)
          const mixed = { height, width, values: withAmplitudes(plane, { window, ratio: 1, amplitudes }) }
          lowFrequencies(mixed, window).forEach(({ real, imaginary }, i) => {
            const before = found[i]!
            // As a turn of the one against the other: phases of π and −π are the same.
            const turn = Math.atan2(imaginary * before.real - real * before.imaginary, real * before.real + imaginary * before.imaginary)
            expect(turn).to.be.closeTo(0, 1e-9)
            expect(Math.hypot(real, imaginary)).to.be.closeTo(amplitudes[i]!, 1e-9)
          })
          for (let u = 0; u < height; u++) {
            for (let v = 0; v <= width / 2; v++) {
              if (Math.max(Math.min(u, height - u), v) <= window) continue
              expectClose(byDefinition(mixed, u, v), byDefinition(plane, u, v), 1e-9)
            }
          }
        }
      })
    }

    it('of a flat image are its mean alone: what rounding leaves of the others has no phase to give', () => {
      const flat: Plane = { height: 11, width: 9, values: new Float64Array(99).fill(77) }
      const amplitudes = Array.from({ length: 13 }, () => 20)
      for (const value of withAmplitudes(flat, { window: 2, ratio: 1, amplitudes })) expect(value).to.be.closeTo(20, 1e-9)
    })
  })

  it('a smooth map stays within the numbers that it is drawn from, and adds up', () => {
    expectClose(smoothField({ height: 3, width: 5, every: 2 }, () => 0.25), Array.from({ length: 15 }, () => 0.25), 1e-6)
    const field = smoothField({ height: 40, width: 30, every: 8 }, seededRandom(1))
    expect(Math.min(...field)).to.be.at.least(0)
    expect(Math.max(...field)).to.be.at.most(1)
    const steps = [...field].slice(1).map((value, i) => (i + 1) % 30 === 0 ? 0 : Math.abs(value - field[i]!))
    expect(Math.max(...steps)).to.be.below(0.3)
  })

  describe('of a batch', () => {
    const batch = [slice(1), slice(2, 3)]
    const images = (views: Parameters<typeof viewedImages>[1]['views'], seed = 1): Float32Array =>
      viewedImages(batch, { views, random: seededRandom(seed) })

    it('gin and spatial change the content alone, and the same seed gives the same', () => {
      for (const kind of ['gin', 'spatial'] as const) {
        const shown = images({ kind, share: 1 })
        expect(shown).to.deep.equal(images({ kind, share: 1 }))
        expect(shown).to.not.deep.equal(images({ kind, share: 1 }, 2))
        const plain = toImages(batch)
        const outside = [...plain.keys()].filter((i) => i / 3 % 16 >= 10 || Math.floor(i / 48) % 16 >= 12)
        expect(outside.every((i) => shown[i] === 0)).to.equal(true)
        expect(shown.some((value, i) => Math.abs(value - plain[i]!) > 0.1)).to.equal(true)
        expect(viewedSlices(batch, { kind, share: 1 }, seededRandom(1))).to.equal(batch)
      }
    })

    it('a grey image stays grey', () => {
      const grey = viewedImages([slice(1)], { pixels: 'unit', views: { kind: 'gin', share: 1 }, random: seededRandom(1) })
      expect(grey.every((value, i) => value === grey[i - i % 3])).to.equal(true)
    })

    it('blended is between two of them', () => {
      expect(images({ kind: 'gin', share: 1, blend: true })).to.not.deep.equal(images({ kind: 'gin', share: 1 }))
    })

    it('a share of 0 draws nothing and changes nothing', () => {
      const never = (): number => { throw new Error('drawn') }
      for (const kind of ['gin', 'spatial', 'frequency', 'strong'] as const) {
        expect(viewedSlices(batch, { kind, share: 0 }, never)).to.equal(batch)
        expect(viewedImages(batch, { views: { kind, share: 0 }, random: never })).to.deep.equal(toImages(batch))
      }
    })

    it('frequency changes the look and no mask, strong moves image and mask alike', () => {
      const [first] = viewedSlices(batch, { kind: 'frequency', share: 1 }, seededRandom(4))
      expect(first!.mask).to.equal(batch[0]!.mask)
      expect(first!.image).to.not.deep.equal(batch[0]!.image)
      const plain = slice(1)
      const [light, share] = [200, 255].map((most) => plain.mask.map((label) => most * label))
      const marked: Fitted = { ...plain, image: light!, shares: new Map([[1, share!]]) }
      for (let seed = 0; seed < 20; seed++) {
        const { image, mask, shares } = viewedSlices([marked], { kind: 'strong', share: 1 }, seededRandom(seed))[0]!
        // Bright where there is label, by the mean of both sides: noise and contrast change each of them.
        const mean = (label: number): number => {
          const found = [...image].filter((_, i) => mask[i] === label)
          return found.length === 0 ? NaN : found.reduce((sum, value) => sum + value, 0) / found.length
        }
        if (mask.includes(1) && mask.includes(0)) expect(mean(1), `seed ${seed}`).to.be.above(mean(0) + 20)
        mask.forEach((label, i) => { expect(Math.abs(shares!.get(1)![i]! / 255 - label)).to.be.at.most(0.75) })
      }
    })
  })
})
