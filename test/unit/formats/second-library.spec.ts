import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { InputError } from '../../../src/errors.ts'
import { readPages } from '../../../src/formats/pages/read-pages.ts'
import { readVolume } from '../../../src/formats/volume.ts'

const FOLDER = join(import.meta.dirname, '../../fixtures/pictures')

/** What another library reads from a fixture: see the README there. */
interface Expected {
  readonly by: string
  readonly shape: readonly number[]
  readonly sha256?: string
  /** JPEG decoders differ by a rounding. */
  readonly values?: readonly number[]
  readonly near?: number
  readonly affine?: readonly (readonly number[])[]
}

const expected = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as Record<string, Expected>
const isVolume = (name: string): boolean => /\.(nrrd|nhdr|mha|mhd|hdr)$/.test(name)

function sha256 (values: Float64Array): string {
  return createHash('sha256').update(new Uint8Array(values.buffer)).digest('hex')
}

async function reasonOf (file: string): Promise<string> {
  return await (isVolume(file) ? readVolume : readPages)(join(FOLDER, file)).then(() => 'was read', (error: unknown) => {
    expect(error).to.be.instanceOf(InputError)
    return (error as Error).message
  })
}

describe('pictures and volumes as a second library reads them', () => {
  for (const [name, want] of Object.entries(expected).filter(([file]) => !isVolume(file))) {
    it(`${name} as ${want.by}`, async () => {
      const pages = await readPages(join(FOLDER, name))
      const { height, width, channels } = pages[0]!
      const shape = [...pages.length > 1 ? [pages.length] : [], height, width, ...channels > 1 ? [channels] : []]
      expect(shape).to.deep.equal(want.shape)
      const values = Float64Array.from(pages.flatMap(({ data }) => [...data]))
      if (want.values == null) expect(sha256(values)).to.equal(want.sha256)
      else values.forEach((value, i) => { expect(value).to.be.closeTo(want.values![i]!, want.near!) })
    })
  }

  for (const [name, want] of Object.entries(expected).filter(([file]) => isVolume(file))) {
    it(`${name} as ${want.by}`, async () => {
      const { header, voxels } = await readVolume(join(FOLDER, name))
      const [i, j, k] = header.dims
      expect(want.shape.length === 2 ? [j, i] : [k, j, i]).to.deep.equal(want.shape)
      expect(sha256(Float64Array.from(voxels))).to.equal(want.sha256)
      header.affine.flat().forEach((value, at) => { expect(value).to.equal(Math.fround(want.affine!.flat()[at]!)) })
    })
  }

  it('refuses what it cannot read as stored, with the way out', async () => {
    expect(await reasonOf('cmyk.jpg')).to.include('CMYK').and.include('store it as grey or RGB')
    expect(await reasonOf('cmyk.tif')).to.include('CMYK').and.include('store it as grey or RGB')
    const named = { 'lzma.tif': 'LZMA', 'webp.tif': 'WebP', 'jpeg2000.tif': 'JPEG 2000', '12bit.jpg': '12 bits', 'jpegls.jpg': 'JPEG-LS' }
    const further = { 'webp.png': 'WebP', '12bit-jpeg.tif': '12 bits', 'analyze.hdr': 'Analyze 7.5' }
    for (const [name, what] of Object.entries({ ...named, ...further })) {
      expect(await reasonOf(`refused-${name}`)).to.include(what).and.include('store it').and.not.include('damaged')
    }
    expect(await reasonOf('two.npz')).to.include('2 arrays').and.include('one array per file')
  })
})
