import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import { writeOutcomePicture } from '../../../src/dataset/index.ts'
import { pixels, slice } from './fixtures.ts'

describe('the picture of an outcome', () => {
  let folder: string

  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  it('shows the image alone, and beside it both outlines in their colours', async () => {
    const file = join(folder, 'worst-1.png')
    const box = (left: number): Uint8Array => pixels(10, 20, (x, y) => x >= left && x < left + 6 && y >= 2 && y < 8 ? 1 : 0)
    const image = pixels(10, 20, (x, y) => x + y)
    await writeOutcomePicture(file, slice('s', 0, { height: 10, width: 20, image, mask: box(2) }), box(4))
    const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true })
    // 20 pixels are enlarged 26 times.
    expect([info.width, info.height, info.channels]).to.deep.equal([2 * 520 + 4, 260, 3])
    const at = (x: number, y: number): number[] => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)]
    const beside = (x: number, y: number): number[] => at(524 + x, y)
    expect(at(5 * 26, 3 * 26)).to.deep.equal([8, 8, 8])
    expect(beside(2 * 26, 4 * 26)).to.deep.equal([86, 180, 233])
    expect(beside(4 * 26, 4 * 26)).to.deep.equal([230, 159, 0])
    expect(beside(5 * 26, 2 * 26)).to.deep.equal([255, 255, 255])
    expect(beside(5 * 26 + 3, 4 * 26 + 3)).to.deep.equal([9, 9, 9])
    for (let x = 0; x < 520; x += 13) expect(new Set(at(x, 100)).size).to.equal(1)
  })
})
