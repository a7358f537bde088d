import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import * as fc from 'fast-check'
import sharp from 'sharp'
import { alike, withMoreImages } from '../../../scripts/testnet/hospitals/more-images.ts'
import { bundledSample } from '../../../scripts/testnet/sample.ts'
import { seededRandom } from '../../../src/common/random.ts'
import { loadDataset, splitSlices, type Slice } from '../../../src/dataset/index.ts'
import { InputError } from '../../../src/errors.ts'

const pixelsOf = ({ image, mask }: Slice): string => Buffer.concat([image, mask]).toString('base64')

describe('a hospital with more images', () => {
  let folder: string
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'more-images-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  function hospital (data: string, index = 1) {
    return { index, name: 'h', data, from: data, home: join(folder, 'home'), log: join(folder, 'home.log') }
  }

  /** Small pictures in colour, with label 1 or 2 in each mask. */
  async function makeFolder (): Promise<string> {
    const data = join(folder, 'data')
    for (const part of ['images', 'masks']) await mkdir(join(data, part), { recursive: true })
    const [image, mask] = ([3, 1] as const).map((channels) => ({ raw: { height: 8, width: 8, channels } }))
    for (let index = 0; index < 20; index++) {
      const labels = Uint8Array.from({ length: 64 }, (_, i) => i === index ? 1 + index % 2 : 0)
      const colours = Uint8Array.from({ length: 192 }, (_, i) => (7 * i + index) % 200)
      await sharp(colours, image).png().toFile(join(data, `images/p_${index}.png`))
      await sharp(labels, mask).toColourspace('b-w').png().toFile(join(data, `masks/p_${index}.png`))
    }
    return data
  }

  async function splitOf (data: string, seed: number) {
    return splitSlices((await loadDataset(data)).slices, { seed })
  }

  // The names decide which subject a split holds out, and how they do depends on the seed.
  for (const [letter, seed] of [['a', 1], ['a', 4], ['b', 5]] as const) {
    it(`keeps the validation images of hospital-${letter}, seed ${seed}, and copies none of them`, async () => {
      const data = join(await bundledSample(), `hospital-${letter}`)
      const more = await withMoreImages(hospital(data), 3, { folder, seed })
      const [before, after] = [await splitOf(data, seed), await splitOf(more.data, seed)]
      expect(after.validation.map(pixelsOf).sort()).to.deep.equal(before.validation.map(pixelsOf).sort())
      expect(after.train).to.have.length(3 * before.train.length)
      const training = new Set(after.train.map(pixelsOf))
      expect(training).to.have.property('size', after.train.length)
      for (const slice of before.train) expect(training.has(pixelsOf(slice))).to.equal(true)
      expect(more).to.include({ name: 'h', from: data, home: join(folder, 'home') })
    })
  }

  it('is the same for the same seed, and another hospital has other copies', async () => {
    const data = await makeFolder()
    const pixels = async (index: number, place: string): Promise<string[]> => {
      const more = await withMoreImages(hospital(data, index), 2, { folder: join(folder, place), seed: 1 })
      return (await splitOf(more.data, 1)).train.map(pixelsOf)
    }
    const first = await pixels(1, 'once')
    expect(await pixels(1, 'again')).to.deep.equal(first)
    expect(await pixels(2, 'other')).not.to.deep.equal(first)
  })

  it('keeps labels and colours', async () => {
    const data = await makeFolder()
    const more = await withMoreImages(hospital(data), 2, { folder, seed: 1 })
    const { slices, classes, problems } = await loadDataset(more.data)
    expect({ classes, problems, channels: new Set(slices.map(({ channels }) => channels)) }).to.deep.equal(
      { classes: 2, problems: [], channels: new Set([3]) }
    )
    const second = (all: readonly Slice[]): number => all.filter((each) => each.mask.includes(2)).length
    const { train, validation } = await splitOf(data, 1)
    expect(second(slices)).to.equal(2 * second(train) + second(validation)).and.to.be.above(0)
  })

  it('says so where there are too few to split', async () => {
    const data = join(folder, 'data')
    for (const part of ['images', 'masks']) await mkdir(join(data, part), { recursive: true })
    const raw = { height: 2, width: 2, channels: 1 } as const
    for (const part of ['images', 'masks']) await sharp(Uint8Array.of(0, 1, 1, 0), { raw }).png().toFile(join(data, part, 'p.png'))
    const error = await withMoreImages(hospital(data), 2, { folder, seed: 1 }).then(() => undefined, (thrown: unknown) => thrown)
    expect(error).to.be.instanceOf(InputError)
    expect((error as Error).message).to.include('has too few images to split').and.to.include('leave --images out')
  })
})

describe('a simulated picture', () => {
  it('has other pixels, and image and mask are moved alike', () => {
    fc.assert(fc.property(fc.integer(), fc.integer({ min: 5, max: 60 }), fc.integer({ min: 5, max: 60 }), (seed, height, width) => {
      const random = seededRandom(seed)
      const mask = Uint8Array.from({ length: height * width }, () => random() < 0.3 ? 1 : 0)
      mask[0] = 1
      const image = mask.map((label) => label === 1 ? 200 : 20)
      const copy = alike({ height, width, channels: 1, image, mask }, random)
      expect(copy.image).not.to.deep.equal(image)
      expect(copy.mask.filter((label) => label === 1)).to.have.length(mask.filter((label) => label === 1).length)
      expect(copy.image.map((value) => value > 100 ? 1 : 0)).to.deep.equal(copy.mask)
    }))
  })
})
