import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { scanDataset, type Dataset } from '../../../src/dataset/index.ts'
import { folderOf, png } from './fixtures.ts'

describe('pairs of the names that people export', () => {
  let clear: (() => Promise<void>)[] = []
  let image: Uint8Array
  let mask: Uint8Array
  before(async () => {
    image = await png(6, 8, (x, y) => 10 * x + y)
    mask = await png(6, 8, (x) => x > 3 ? 255 : 0)
  })
  afterEach(async () => {
    await Promise.all(clear.map(async (each) => { await each() }))
    clear = []
  })

  async function made (names: readonly string[]): Promise<string> {
    const files = names.map((name): [string, Uint8Array] => [name, /mask|gt|ground|liver|manual/i.test(name) ? mask : image])
    const folder = await folderOf(Object.fromEntries(files))
    clear.push(folder.clear)
    return folder.path
  }
  const scan = async (...names: readonly string[]): Promise<Dataset> => await scanDataset(await made(names))
  const pairs = ({ slices }: Dataset): string[] => slices.map(({ id }) => id)
  const reasons = ({ problems }: Dataset): string[] => problems.map(({ file, reason }) => `${file}: ${reason}`)

  it('may add any word to a mask, if all add the same', async () => {
    for (const suffix of ['_liver', '-manual', '_manual1', '_mask_final', ' Liver', '_mask0']) {
      const dataset = await scan('images/a_1.png', 'images/a_12.png', `masks/a_1${suffix}.png`, `masks/a_12${suffix}.png`)
      expect(pairs(dataset), suffix).to.deep.equal(['a_1', 'a_12'])
      expect(reasons(dataset), suffix).to.deep.equal([])
      expect(dataset.byLikeName).to.equal(2)
    }
    const nested = await scan('images/P1/1.png', 'images/P2/1.png', 'masks/P1/1_liver.png', 'masks/P2/1_liver.png')
    expect(pairs(nested)).to.deep.equal(['P1/1', 'P2/1'])
  })

  it('takes no mask whose name adds a number, or words that differ', async () => {
    for (const masks of [['a_3', 'b_3'], ['a_liver', 'a_mask_left'], ['a_liver2'], ['aliver', 'bliver']]) {
      const dataset = await scan('images/a.png', 'images/b.png', ...masks.map((name) => `masks/${name}.png`))
      expect(pairs(dataset), masks.join()).to.deep.equal([])
    }
  })

  it('takes none of several masks of one image, and says so', async () => {
    const several = await scan('b/a.png', 'b/a_mask.png', 'b/a_mask_1.png', 'b/c.png', 'b/c_mask.png')
    expect(pairs(several)).to.deep.equal(['b/c'])
    expect(reasons(several)).to.include('b/a.png: 2 masks fit the image by their names: make one of them')
  })

  it('knows gt and ground truth for folders of masks, and prefers masks', async () => {
    for (const folder of ['gt', 'GroundTruth', 'annotation']) {
      const dataset = await scan('images/a.png', `${folder}/a.png`)
      expect(dataset.layout, folder).to.equal('folders')
    }
    const both = await scan('images/a.png', 'gt/b_gt.png', 'masks/a_mask.png')
    expect(pairs(both)).to.deep.equal(['a'])
  })

  it('counts no folder for a patient that holds images alone, or is named for a finding', async () => {
    const apart = await scan('Input/x_a.png', 'Input/x_b.png', 'GroundTruth/x_a_mask.png', 'GroundTruth/x_b_mask.png')
    expect(apart.slices.map(({ subject }) => subject)).to.deep.equal(['x_a', 'x_b'])
    const findings = await scan(...['benign', 'malignant'].flatMap((name) => [1, 2].flatMap((at) =>
      [`${name}/${name} (${at}).png`, `${name}/${name} (${at})_mask.png`])))
    expect(findings.slices.map(({ subject }) => subject)).to.deep.equal(['benign (1)', 'benign (2)', 'malignant (1)', 'malignant (2)'])
  })

  it('says of what is named as DICOM, and is not, what it is', async () => {
    const { problems } = await scan('images/a.png', 'masks/a_mask.png', 'images/IM1.dcm')
    expect(problems.map(({ reason }) => reason)).to.deep.equal(['the file is not DICOM, or its beginning is lost, and is not read'])
  })

  it('follows links to folders, once', async () => {
    const [path, store] = [await made(['images/a.png', 'masks/a.png']), await made(['x/1.png', 'y/1_mask.png'])]
    await symlink(join(store, 'x'), join(path, 'images/P1'))
    await symlink(join(store, 'y'), join(path, 'masks/P1'))
    await symlink(join(path, 'images'), join(path, 'images/loop'))
    await symlink('nowhere', join(path, 'images/gone.png'))
    const dataset = await scanDataset(path)
    expect(pairs(dataset)).to.deep.equal(['P1/1', 'a'])
    expect(reasons(dataset)).to.deep.equal(['images/gone.png: the image has no mask of the same name'])
  })
})
