import { expect } from 'chai'
import sharp from 'sharp'
import { fitSlice, labelMapOf, scanDataset, splitSlices, summarise, type Dataset, type LoadOptions } from '../../../src/dataset/index.ts'
import { NEARLY } from '../../../src/dataset/masks/labels.ts'
import { folderOf, gz, niftiBytes, pixels, png } from './fixtures.ts'

const SIDE = 64
const [HEIGHT, WIDTH] = [420, 400]
const inside = (x: number, y: number): boolean => Math.hypot(x - 150, y - 200) < 90

async function files (): Promise<Record<string, Uint8Array>> {
  const grey = await png(HEIGHT, WIDTH, (x, y) => (x * 7 + y * 31) % 256)
  const rgb = Uint8Array.from({ length: HEIGHT * WIDTH * 3 }, (_, i) => (i * 13) % 251)
  const colour = await sharp(rgb, { raw: { height: HEIGHT, width: WIDTH, channels: 3 } }).png().toBuffer()
  const labels = await png(HEIGHT, WIDTH, (x, y) => inside(x, y) ? x > 150 ? 2 : 1 : 0)
  const other = await png(HEIGHT, WIDTH, (x, y) => inside(x, y) ? 2 : 0)
  // A little of the noise of JPEG, and a mask with so much of it that it is cut at the half.
  const faint = await png(HEIGHT, WIDTH, (x, y) => inside(x, y) ? 255 : (x + y) % 900 === 0 ? 3 : 0)
  const noisy = await png(HEIGHT, WIDTH, (x, y) => inside(x, y) ? 255 - (x * 7 + y) % 5 : (x * 3 + y) % 6)
  const dims = [380, 390, 3]
  const count = 380 * 390
  const volume = niftiBytes({ dims, values: Array.from({ length: 3 * count }, (_, i) => i % 997), datatype: 4 })
  const marked = niftiBytes({ dims, values: Array.from({ length: 3 * count }, (_, i) => i < count && i % 380 < 50 ? 1 : 0) })
  return {
    'labels/images/a1.png': grey,
    'labels/masks/a1.png': labels,
    'labels/images/b1.png': colour,
    'labels/masks/b1.png': other,
    'labels/images/c1.nii.gz': gz(volume),
    'labels/masks/c1.nii.gz': gz(marked),
    'faint/images/a1.png': grey,
    'faint/masks/a1.png': faint,
    'faint/images/b1.png': colour,
    'faint/masks/b1.png': noisy
  }
}

async function used ({ slices }: Dataset): Promise<unknown> {
  return {
    masks: slices.map(({ mask }) => mask),
    fitted: await Promise.all(slices.map(async (slice) => await fitSlice(slice, SIDE))),
    split: splitSlices(slices, { seed: 3 }).train.map(({ id }) => id),
    rest: slices.map(({ image: _image, scaled: _scaled, look: _look, ...slice }) => slice)
  }
}

describe('slices that are kept small', function () {
  this.timeout(30_000)
  let folder: Awaited<ReturnType<typeof folderOf>>

  before(async () => { folder = await folderOf(await files()) })
  after(async () => { await folder.clear() })

  const both = async (name: string, options: LoadOptions = {}): Promise<[whole: Dataset, small: Dataset]> =>
    [await scanDataset(`${folder.path}/${name}`, options), await scanDataset(`${folder.path}/${name}`, { ...options, sides: [SIDE] })]
  const federation = labelMapOf([{ name: 'liver', value: 1 }, { name: 'spleen', value: 3 }])

  for (
    const [what, name, options] of [
      ['labels', 'labels', {}],
      ['masks of noise', 'faint', {}],
      ["a federation's classes", 'labels', { labels: federation }],
      ['slices without foreground', 'labels', { empty: true }]
    ] as const
  ) {
    it(`are the same to all who use them: ${what}`, async () => {
      const [whole, small] = await both(name, options)
      expect(whole.slices.length).to.be.greaterThan(1)
      expect(summarise(small)).to.deep.equal(summarise(whole))
      expect(await used(small)).to.deep.equal(await used(whole))
    })
  }

  it('hold neither image nor mask, whatever was done to them since', async () => {
    const [, classes] = await both('labels', { labels: federation })
    const [, faint] = await both('faint')
    expect(classes.slices.map(({ lacks }) => lacks)).to.deep.equal(classes.slices.map(() => [1]))
    expect(faint.notes[NEARLY]).to.equal(2)
    for (const each of [...classes.slices, ...faint.slices]) {
      expect(each.image).to.have.length(0)
      expect(Object.getOwnPropertyDescriptor(each, 'mask')).to.include.keys('get')
    }
  })

  it('are asked for no other side', async () => {
    const [, small] = await both('labels')
    const failed = await fitSlice(small.slices[0]!, SIDE + 1).catch((error: unknown) => error)
    expect(failed).to.be.instanceOf(RangeError)
  })

  it('are left as they are where they are small', async () => {
    const image = await png(20, 20, (x) => x)
    const few = await folderOf({ 'images/a1.png': image, 'masks/a1.png': await png(20, 20, (x) => x > 9 ? 1 : 0) })
    const { slices } = await scanDataset(few.path, { sides: [SIDE] })
    await few.clear()
    expect(slices[0]!.image).to.deep.equal(pixels(20, 20, (x) => x))
  })
})
