import { expect } from 'chai'
import sharp from 'sharp'
import { loadDataset, scanDataset, type Dataset, type LoadOptions } from '../../../src/dataset/index.ts'
import { InputError } from '../../../src/errors.ts'
import { folderOf, gz, niftiBytes, png } from './fixtures.ts'

const dims = [4, 5, 3]
const image = Array.from({ length: 60 }, (_, i) => i + 100)
/** Foreground in slices 1 and 2 of the third axis. */
const mask = Array.from({ length: 60 }, (_, i) => i >= 20 && i % 3 === 0 ? 1 : 0)
const nifti = niftiBytes({ dims, values: image, datatype: 4 })
const label = niftiBytes({ dims, values: mask })

describe('loading a data folder', () => {
  let picture: Uint8Array
  let dot: Uint8Array
  let clear: (() => Promise<void>)[] = []

  before(async () => {
    picture = await png(6, 8, (x, y) => 10 * x + y)
    dot = await png(6, 8, (x, y) => x === 3 && y === 2 ? 255 : 0)
  })
  afterEach(async () => {
    await Promise.all(clear.map(async (each) => { await each() }))
    clear = []
  })

  async function folder (files: Record<string, Uint8Array | string>): Promise<string> {
    const made = await folderOf(files)
    clear.push(made.clear)
    return made.path
  }

  async function scan (files: Record<string, Uint8Array | string>, options: LoadOptions = {}): Promise<Dataset> {
    return await scanDataset(await folder(files), options)
  }

  async function sentence (files: Record<string, Uint8Array | string>): Promise<string> {
    const path = await folder(files)
    try {
      await loadDataset(path)
    } catch (error) {
      expect(error).to.be.instanceOf(InputError)
      return (error as Error).message.replaceAll(path, 'PATH')
    }
    return 'loaded'
  }

  const reasons = (dataset: Dataset): Record<string, string> =>
    Object.fromEntries(dataset.problems.map(({ file, reason }) => [file, reason]))

  it('pairs pictures by name and knows their subject and place', async () => {
    const dataset = await scan({
      'images/p_007.png': picture,
      'masks/p_007.png': dot,
      'images/p_012.png': picture,
      'masks/p_012.tif': await sharp(dot).tiff({ compression: 'lzw' }).toBuffer()
    })
    expect(dataset).to.include({ layout: 'folders', subjects: 1, classes: 1, emptySlices: 0 })
    expect(dataset.problems).to.deep.equal([])
    expect(dataset.slices.map(({ id, subject, index, height, width, channels }) => [id, subject, index, height, width, channels])).to.deep
      .equal([['p_007', 'p', 7, 6, 8, 1], ['p_012', 'p', 12, 6, 8, 1]])
    expect(dataset.slices[0]!.image[8 * 2 + 3]).to.equal(32)
    expect(dataset.slices[0]!.mask[8 * 2 + 3]).to.equal(1)
    expect(dataset.slices[0]!.mask.reduce((sum, value) => sum + value, 0)).to.equal(1)
  })

  it('keeps colour and reads 16 bit', async () => {
    const colour = await sharp(new Uint8Array(6 * 8 * 3).fill(9).map((_, i) => i), { raw: { height: 6, width: 8, channels: 3 } }).png()
      .toBuffer()
    const deep = await sharp(Uint16Array.from({ length: 48 }, (_, i) => i * 1000), { raw: { height: 6, width: 8, channels: 1 } })
      .toColourspace('grey16').png().toBuffer()
    const { slices, problems } = await scan({ 'images/a.png': colour, 'masks/a.png': dot, 'images/b.png': deep, 'masks/b.png': dot })
    expect(problems).to.deep.equal([])
    expect(slices[0]).to.include({ channels: 3, subject: 'a', index: 0 })
    expect([...slices[0]!.image.subarray(0, 6)]).to.deep.equal([0, 1, 2, 3, 4, 5])
    expect(slices[1]!.channels).to.equal(1)
    expect(slices[1]!.image[0]).to.equal(0)
    expect(slices[1]!.image[47]).to.equal(255)
    expect(slices[1]!.image[24]).to.be.closeTo(130, 2)
  })

  it('cuts volumes and leaves slices without foreground out', async () => {
    const { slices, volumes, emptySlices, subjects } = await scan({
      'images/v.nii.gz': gz(nifti),
      'masks/v.nii': label,
      'images/w.nii': nifti,
      'masks/w.nii': label
    }, { axis: 'axial' })
    expect(slices.map(({ id, subject, index }) => [id, subject, index])).to.deep.equal([['v#001', 'v', 1], ['v#002', 'v', 2], [
      'w#001',
      'w',
      1
    ], ['w#002', 'w', 2]])
    expect({ emptySlices, subjects }).to.deep.equal({ emptySlices: 2, subjects: 2 })
    expect(volumes[0]).to.deep.equal({ axis: 'axial', slices: 3, spacing: [1, 1, 1], obliqueDegrees: 0 })
  })

  it('keeps what has no foreground where scores are wanted, with the voxels of a volume', async () => {
    const files = {
      'images/v.nii.gz': gz(niftiBytes({ dims, values: image, datatype: 4, pixdim: [1, 0.5, 1.5, 4] })),
      'masks/v.nii': niftiBytes({ dims, values: mask, pixdim: [1, 0.5, 1.5, 4] }),
      'images/without.nii': nifti,
      'masks/without.nii': niftiBytes({ dims, values: mask.map(() => 0) }),
      'images/p.png': picture,
      'masks/p.png': await png(6, 8, () => 0)
    }
    const { slices, emptySlices, problems } = await scan(files, { axis: 'axial', empty: true })
    expect(problems).to.deep.equal([])
    expect(emptySlices).to.equal(0)
    expect(slices.map(({ id }) => id)).to.deep.equal(
      ['p', ...['v', 'without'].flatMap((name) => [0, 1, 2].map((index) => `${name}#00${index}`))]
    )
    const [p, first, second] = slices
    expect(p).not.to.have.property('voxels')
    expect(first!.voxels).to.deep.equal({ axis: 'axial', height: 5, width: 4, spacing: [4, 1.5, 0.5] })
    expect(second!.voxels).to.equal(first!.voxels)
    expect(first).to.include({ height: 15, width: 4 })
    expect(Object.keys(reasons(await scan(files, { axis: 'axial' })))).to.have.members(['images/without.nii', 'images/p.png'])
  })

  it('reads the nnU-Net raw layout, its modality, and counts further channels', async () => {
    const files = {
      'imagesTr/c_001_0000.nii': nifti,
      'imagesTr/c_001_0001.nii': nifti,
      'labelsTr/c_001.nii': label,
      'imagesTs/x_0000.nii': nifti
    }
    const mr = await scan({ ...files, 'dataset.json': '{"channel_names":{"0":"T2"},"labels":{"background":0,"x":1}}' })
    expect(mr).to.include({ layout: 'nnunet', ignoredChannels: 1 })
    expect(mr.problems).to.deep.equal([])
    expect(mr.slices[0]).to.include({ id: 'c_001#001', subject: 'c_001' })
    const ct = await scan({ ...files, 'dataset.json': '{"modality":{"0":"CT"}}' })
    expect(Math.max(...ct.slices[1]!.image)).to.be.lessThan(Math.max(...mr.slices[1]!.image))
  })

  it('goes on without a readable dataset.json, and says so', async () => {
    const files = { 'imagesTr/c_0000.nii': nifti, 'labelsTr/c.nii': label }
    expect(reasons(await scan(files))['dataset.json']).to.include('does not exist')
    const dataset = await scan({ ...files, 'dataset.json': '{"channel_names":' })
    expect(reasons(dataset)['dataset.json']).to.include('nnU-Net')
    expect(dataset.slices).to.have.length(2)
    expect(reasons(await scan({ 'imagesTr/c.nii': nifti, 'labelsTr/c.nii': label }))).to.include.keys('imagesTr/c.nii', 'labelsTr/c.nii')
  })

  it('skips what is wrong, with a reason that holds no name, and keeps the rest', async () => {
    const empty = await png(6, 8, () => 0)
    const dataset = await scan({
      'images/good.png': picture,
      'masks/good.png': dot,
      'images/lonely.png': picture,
      'masks/orphan.png': dot,
      'images/size.png': picture,
      'masks/size.png': await png(8, 6, () => 1),
      'images/empty.png': picture,
      'masks/empty.png': empty,
      'images/cut.png': picture.slice(0, picture.length / 2),
      'masks/cut.png': dot,
      'images/broken.png': picture,
      'masks/broken.png': 'garbage',
      'images/kinds.png': picture,
      'masks/kinds.nii': label,
      'images/twice.png': picture,
      'images/twice.jpg': picture,
      'masks/twice.png': dot,
      'images/scan.dcm': 'DICM',
      'images/grey.png': picture,
      'masks/grey.png': await png(6, 8, (x, y) => x + 8 * y),
      'images/blur.png': picture,
      'masks/blur.jpg': await sharp(await png(24, 24, (x) => x < 8 ? 0 : x < 16 ? 128 : 255)).jpeg().toBuffer(),
      'images/.DS_Store': 'litter'
    })
    const expected: Record<string, string> = {
      'images/lonely.png': 'no mask',
      'masks/orphan.png': 'no image',
      'images/size.png': '6×8',
      'images/empty.png': 'no foreground anywhere',
      'images/cut.png': 'truncated',
      'images/broken.png': 'its mask: ',
      'images/kinds.png': 'both be',
      'images/twice.png': 'same name',
      'images/scan.dcm': 'not read',
      'images/grey.png': '47 different labels',
      'images/blur.png': 'JPEG'
    }
    const found = reasons(dataset)
    expect(Object.keys(found).sort()).to.deep.equal(Object.keys(expected).sort())
    for (const [file, part] of Object.entries(expected)) {
      expect(found[file]).to.include(part)
      expect(found[file]).to.not.match(/good|lonely|orphan|broken|twice|scan\./)
    }
    expect(dataset.slices.map((slice) => slice.id).sort()).to.deep.equal(['good', 'twice'])
  })

  it('refuses masks of volumes with another size, another place, no foreground, or damage', async () => {
    const moved = niftiBytes({ dims, values: mask, sform: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 9]] })
    const found = reasons(
      await scan({
        'images/a.nii': nifti,
        'masks/a.nii': niftiBytes({ dims: [4, 3, 5], values: mask }),
        'images/b.nii': nifti,
        'masks/b.nii': moved,
        'images/c.nii': nifti,
        'masks/c.nii': niftiBytes({ dims, values: mask.map(() => 0) }),
        'images/d.nii': nifti.slice(0, 400),
        'masks/d.nii': label,
        'images/e.nii.gz': gz(nifti).slice(0, 60),
        'masks/e.nii': label
      })
    )
    expect(found['images/a.nii']).to.include('4×3×5').and.to.include('4×5×3')
    expect(found['images/b.nii']).to.include('different places')
    expect(found['images/c.nii']).to.include('no foreground')
    expect(found['images/d.nii']).to.include('truncated')
    expect(found['images/e.nii.gz']).to.include('truncated')
  })

  it('matches a mask that is stored in another voxel order by its header', async () => {
    const flipped = mask.map((_, i) => mask[(i - i % 4) + 3 - i % 4]!)
    const sform = [[-1, 0, 0, 3], [0, 1, 0, 0], [0, 0, 1, 0]]
    const straight = await scan({ 'images/v.nii': nifti, 'masks/v.nii': label })
    const turned = await scan({ 'images/v.nii': nifti, 'masks/v.nii': niftiBytes({ dims, values: flipped, sform }) })
    expect(turned.problems).to.deep.equal([])
    expect(turned.slices.map((slice) => [...slice.mask])).to.deep.equal(straight.slices.map((slice) => [...slice.mask]))
  })

  it('numbers grey levels and keeps small labels', async () => {
    const levels = await scan({ 'images/a.png': picture, 'masks/a.png': await png(6, 8, (x) => [0, 128, 255][x % 3]!) })
    expect([levels.classes, [...new Set(levels.slices[0]!.mask)]]).to.deep.equal([2, [0, 1, 2]])
    const gaps = await scan({ 'images/a.png': picture, 'masks/a.png': await png(6, 8, (x) => [0, 1, 3][x % 3]!) })
    expect([gaps.classes, [...new Set(gaps.slices[0]!.mask)]]).to.deep.equal([3, [0, 1, 3]])
  })

  it('says in one sentence why there is nothing to use', async () => {
    expect(await sentence({})).to.match(/^PATH has neither images\/ and masks\/ nor/)
    expect(await sentence({ 'images/a.png': picture })).to.include('no masks/')
    expect(await sentence({ 'labelsTr/a.nii': label })).to.include('neither')
    expect(await sentence({ 'images/.keep': '', 'masks/.keep': '' })).to.equal(
      'PATH holds no images: add pictures or NIfTI volumes with their masks'
    )
    const none = await sentence({ 'images/a.png': picture, 'images/b.png': picture, 'masks/c.png': dot })
    expect(none).to.include('3 files were skipped').and.include('the image has no mask of the same name; the mask has no image')
    expect(none).to.not.match(/a\.png|b\.png|\n/)
    await loadDataset('/does/not/exist').then(() => {
      throw new Error('loaded')
    }, (error: unknown) => {
      expect((error as Error).message).to.equal('/does/not/exist cannot be read: it does not exist')
    })
  })

  it('reports progress and stops when told to', async () => {
    const path = await folder({ 'images/a.png': picture, 'masks/a.png': dot, 'images/b.png': picture, 'masks/b.png': dot })
    const seen: number[][] = []
    await loadDataset(path, { onProgress: (done, total) => { seen.push([done, total]) } })
    expect(seen).to.deep.equal([[1, 2], [2, 2]])
    await loadDataset(path, { signal: AbortSignal.abort(new Error('stopped')) }).then(() => {
      throw new Error('loaded')
    }, (error: unknown) => {
      expect((error as Error).message).to.equal('stopped')
    })
  })
})
