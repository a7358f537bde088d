import { expect } from 'chai'
import { labelsOf, type MaskReading } from '../../../src/dataset/masks/labels.ts'
import { PaletteBook } from '../../../src/dataset/masks/palette-book.ts'
import { placeMask } from '../../../src/dataset/masks/place-mask.ts'
import { InputError } from '../../../src/errors.ts'
import type { Samples } from '../../../src/formats/pages/samples.ts'
import { pixels } from './fixtures.ts'

const [HEIGHT, WIDTH] = [24, 30]
const inDisc = (x: number, y: number, radius = 8): boolean => (x - 15) ** 2 + (y - 12) ** 2 < radius ** 2
const disc = pixels(HEIGHT, WIDTH, (x, y) => inDisc(x, y) ? 1 : 0)
const bits = (data: ArrayLike<number>): number[] => Array.from(data, (value) => value > 0 ? 1 : 0)

function page (data: Samples['data'], change: Partial<Samples> = {}): Samples {
  return { height: HEIGHT, width: WIDTH, channels: 1, data, bits: 8, ...change }
}

/** Pixels of several samples each. */
function mixed (pixel: (inside: boolean, x: number, y: number) => number[], change: Partial<Samples> = {}): Samples {
  const data = Uint8Array.from([...disc].flatMap((value, i) => pixel(value === 1, i % WIDTH, Math.floor(i / WIDTH))))
  return page(data, { channels: data.length / disc.length as 1 | 2 | 3 | 4, ...change })
}

function refused (samples: Samples, reading?: MaskReading): string {
  try {
    labelsOf(samples, reading)
  } catch (error) {
    expect(error).to.be.instanceOf(InputError)
    return (error as Error).message
  }
  return 'read'
}

describe('labels of a mask picture', () => {
  it('are the numbers as stored, whatever their type', () => {
    const labels = pixels(HEIGHT, WIDTH, (x) => x % 9)
    for (const Type of [Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array]) {
      const data = Type.from(labels)
      expect(labelsOf(page(data, { bits: 8 * data.BYTES_PER_ELEMENT })), Type.name).to.deep.equal({ data: labels, notes: [] })
    }
    const few = labels.map((label) => label % 4)
    expect(labelsOf(page(few, { bits: 2 })).data).to.deep.equal(few)
  })

  it('are found again where white or bytes were widened', () => {
    for (const [Type, white] of [[Uint16Array, 65535], [Int16Array, 32767], [Uint32Array, 2 ** 32 - 1]] as const) {
      expect(labelsOf(page(new Type([...disc].map((value) => value * white)))).data).to.deep.equal(disc.map((value) => value * 255))
    }
    const labels = disc.map((value, i) => value * (i % 3))
    expect(labelsOf(page(Uint16Array.from(labels, (value) => value * 257))).data).to.deep.equal(labels)
  })

  it('are refused where numbers are no labels', () => {
    expect(refused(page(Int16Array.from(disc, (value) => -value)))).to.include('not labels')
    expect(refused(page(Float32Array.from(disc, (value) => value * 2.5)))).to.include('not labels')
    expect(refused(page(Uint16Array.from(disc, (value) => value * 300)))).to.include('label 300')
    expect(refused(page(Float32Array.from(disc, (value) => value * NaN)))).to.include('not labels')
  })

  it('are palette indices, and that is said', () => {
    const palette = [[255, 255, 255], [50, 50, 50]]
    const { data, notes } = labelsOf(page(disc, { palette }))
    expect(data).to.deep.equal(disc)
    expect(notes.join()).to.include('the index of a colour is the label')
    expect(labelsOf(page(disc, { palette: [[0, 0, 0], [1, 1, 1]] })).notes).to.deep.equal([])
    expect(labelsOf(page(disc, { palette: [[255, 255, 255, 0], [255, 255, 255, 255]] })).data).to.deep.equal(disc)
    expect(refused(page(disc, { palette: [[255, 255, 255, 255], [255, 255, 255, 0]] }))).to.include('colours.json')
    expect(refused(page(disc, { palette: [[0, 0, 0]] }))).to.include('damaged')
  })

  it('are refused where masks number the same colours otherwise', () => {
    const red = [[0, 0, 0], [255, 0, 0]]
    const clash = (first: Samples, second: Samples): string => {
      const palettes = new PaletteBook()
      labelsOf(first, { palettes })
      return refused(second, { palettes })
    }
    expect(clash(page(disc, { palette: red }), page(disc, { palette: [[0, 0, 0], [0, 255, 0], [9, 9, 9]] }))).to.include('#00ff00')
    expect(clash(page(disc, { palette: red }), page(disc, { palette: [[255, 0, 0], [0, 0, 0]] }))).to.include('another number')
    const white = [[0, 0, 0], [255, 255, 255]]
    expect(clash(page(disc.map((value) => value * 255)), page(disc, { palette: white }))).to.include('#ffffff')
    expect(clash(page(disc, { palette: white }), page(disc.map((value) => value * 255)))).to.include('#ffffff')
    expect(clash(page(disc, { palette: red }), page(disc, { palette: [...red, [0, 0, 255]] }))).to.equal('read')
    expect(clash(page(disc, { palette: red }), page(disc))).to.equal('read')
  })

  it('follow a table of colours where the site gives one', () => {
    const colours = new Map([['#ffffff', 0], ['#ff0000', 2]])
    const wanted = disc.map((value) => value * 2)
    const rgb = mixed((inside) => inside ? [255, 0, 0] : [255, 255, 255])
    expect(labelsOf(rgb, { colours }).data).to.deep.equal(wanted)
    expect(labelsOf(mixed((inside) => inside ? [255, 0, 0, 255] : [9, 9, 9, 0]), { colours }).data).to.deep.equal(wanted)
    expect(labelsOf(page(disc, { palette: [[255, 255, 255], [255, 0, 0]] }), { colours }).data).to.deep.equal(wanted)
    expect(refused(mixed((inside) => inside ? [255, 0, 0] : [0, 0, 0]), { colours })).to.include('#000000').and.include('add it there')
    expect(labelsOf(page(disc), { colours }).data).to.deep.equal(disc)
    expect(refused(rgb)).to.include('{ "#ffffff": 0, "#ff0000": 1 }')
  })

  it('come from transparency only where it can be told', () => {
    const of = (pixel: (inside: boolean) => number[]): number[] => bits(labelsOf(mixed(pixel)).data)
    expect(of((inside) => [255, 255, 255, inside ? 255 : 0])).to.deep.equal([...disc])
    expect(of((inside) => [7, inside ? 255 : 0])).to.deep.equal([...disc])
    expect(of((inside) => inside ? [255, 255, 255, 255] : [0, 0, 0, 0])).to.deep.equal([...disc])
    expect(of((inside) => inside ? [1, 1, 1, 255] : [0, 0, 0, 255])).to.deep.equal([...disc])
    expect(labelsOf(mixed((inside) => [255, 255, 255, inside ? 255 : 0])).notes.join()).to.include('transparency')
    expect(refused(mixed((inside) => inside ? [0, 0, 0, 255] : [255, 255, 255, 0]))).to.include('without transparency')
  })

  it('keep stored numbers where 0 is white, unless the border shows otherwise', () => {
    const { data, notes } = labelsOf(page(disc.map((value) => value * 255), { inverted: true }))
    expect(bits(data)).to.deep.equal([...disc])
    expect(notes.join()).to.include('inverted')
    expect(refused(page(disc.map((value) => 255 - value * 255), { inverted: true }))).to.include('0 as black')
  })

  it('are cut at the half where black and white are only nearly so', () => {
    const edge = (x: number, y: number): number => 255 * Math.min(1, Math.max(0, 8.5 - Math.hypot(x - 15, y - 12)))
    const soft = pixels(HEIGHT, WIDTH, (x, y) => Math.round(edge(x, y)))
    const noisy = disc.map((value, i) => value === 1 ? 255 - i % 7 : i * 7 % 5)
    const shifted = disc.map((value) => value === 1 ? 254 : 1)
    const faint = disc.map((value, i) => value === 1 ? 255 - (i % 5 === 0 ? 1 : 0) : i % 11 === 0 ? 1 : 0)
    for (const [name, data] of Object.entries({ soft, noisy, shifted, faint })) {
      const labels = labelsOf(page(data))
      expect(labels.data, name).to.deep.equal(data.map((value) => value >= 128 ? 255 : 0))
      expect(labels.notes.join(), name).to.include('nearly black and white')
    }
    expect(bits(labelsOf(page(Float32Array.from(soft, (value) => value / 255))).data)).to.deep.equal(bits(soft.map((value) => value >> 7)))
    expect(bits(labelsOf(page(Uint16Array.from(noisy, (value) => value * 257))).data)).to.deep.equal([...disc])
  })

  it('stay labels where the values are exact', () => {
    const masks = {
      'grey levels': pixels(HEIGHT, WIDTH, (x) => [0, 128, 255][Math.floor(x / 10)]!),
      'many grey levels': pixels(HEIGHT, WIDTH, (x) => [0, 60, 120, 180, 250][Math.floor(x / 6)]!),
      'an ignore label': pixels(HEIGHT, WIDTH, (x, y) => inDisc(x, y, 4) ? 255 : inDisc(x, y) ? 1 + x % 3 : 0),
      'high labels': pixels(HEIGHT, WIDTH, (x) => [0, 240, 245, 250][Math.floor(x / 8)]!),
      'no background': pixels(HEIGHT, WIDTH, (x) => 1 + x % 3)
    }
    for (const [name, data] of Object.entries(masks)) expect(labelsOf(page(data)), name).to.deep.equal({ data, notes: [] })
  })

  it('come from JPEG at half brightness, if it is black and white', () => {
    const grey = disc.map((value, i) => value === 1 ? 255 - i % 11 : i % 9)
    const jpeg = labelsOf(page(grey, { lossy: true }))
    expect(bits(jpeg.data)).to.deep.equal([...disc])
    expect(jpeg.notes.join()).to.include('JPEG')
    const colour = mixed((inside, x) => inside ? [255, 250 - x % 5, 254] : [x % 4, 0, 3], { lossy: true })
    expect(bits(labelsOf(colour).data)).to.deep.equal([...disc])
    const levels = pixels(HEIGHT, WIDTH, (x) => [0, 128, 255][Math.floor(x / 10)]!)
    expect(refused(page(levels, { lossy: true }))).to.include('JPEG').and.include('PNG')
    expect(refused(page(disc, { lossy: true }))).to.include('not black and white')
    expect(refused(mixed((inside) => inside ? [255, 0, 0] : [0, 0, 0], { lossy: true }))).to.include('in colour')
  })
})

describe('a mask on the pixels of its image', () => {
  const stored = { data: Uint8Array.from([1, 2, 3, 4, 5, 6]), height: 2, width: 3 }
  /** What a viewer shows of `stored` by TIFF 6.0, row by row. */
  const shown: Record<number, { readonly height: number, readonly width: number, readonly data: number[] }> = {
    2: { height: 2, width: 3, data: [3, 2, 1, 6, 5, 4] },
    3: { height: 2, width: 3, data: [6, 5, 4, 3, 2, 1] },
    4: { height: 2, width: 3, data: [4, 5, 6, 1, 2, 3] },
    5: { height: 3, width: 2, data: [1, 4, 2, 5, 3, 6] },
    6: { height: 3, width: 2, data: [4, 1, 5, 2, 6, 3] },
    7: { height: 3, width: 2, data: [6, 3, 5, 2, 4, 1] },
    8: { height: 3, width: 2, data: [3, 6, 2, 5, 1, 4] }
  }

  for (const [turn, { height, width, data }] of Object.entries(shown)) {
    const orientation = Number(turn)
    it(`with orientation ${turn} of the image, of the mask or of both`, () => {
      const image = { height: 2, width: 3, orientation }
      expect(placeMask(stored, orientation, image)).to.deep.equal({ data: stored.data, notes: [] })
      expect(placeMask(stored, 1, image).data).to.deep.equal(stored.data)
      expect(placeMask(stored, 1, image).notes.join()).to.include('as stored')
      if (orientation < 5) return
      const drawn = placeMask({ height, width, data: Uint8Array.from(data) }, 1, image)
      expect([...drawn.data]).to.deep.equal([...stored.data])
      expect(drawn.notes.join()).to.include('turned')
      expect([...placeMask(stored, orientation, { height, width }).data]).to.deep.equal(data)
    })
  }

  it('is refused where no turn makes the sizes fit', () => {
    expect(() => placeMask(stored, 1, { height: 3, width: 2 })).to.throw(InputError, 'the mask has 3×2 pixels, the image 2×3')
    expect(placeMask(stored, 6, { height: 3, width: 2, orientation: 6 }).notes.join()).to.include('turned')
    expect(() => placeMask(stored, 3, { height: 3, width: 2, orientation: 2 })).to.throw(InputError, 'pixels')
  })
})
