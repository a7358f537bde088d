import { once } from 'node:events'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import sharp from 'sharp'
import { readSeg } from '../../src/formats/dicom/seg.ts'
import type { FolderPrediction } from '../../src/site-model/predict/folder.ts'
import type { Prediction } from '../../src/site-model/predict/predictor.ts'
import { niftiBytes } from '../unit/dataset/fixtures.ts'
import { DICOM, onlyStack } from '../unit/formats/dicom/fixtures.ts'
import { consilium, consiliumJson, plainLines, start, type Running } from './cli.ts'

const IMAGES = 'samples/colin27/hospital-a/images'
const SLICES = 181
/** Geometry of the input: voxels of 1.5×1.25×0.75 mm, turned and shifted, sform and qform of different codes. */
const SFORM = [[-1.5, 0, 0, 90], [0, 1.25, 0, -126], [0, 0, 0.75, -72]]
const QFORM = { pixdim: [-1, 1.5, 1.25, 0.75], quaternion: [0, 1, 0], offset: [90, -126, -72] }

async function voxels (file: string): Promise<{ header: Buffer, values: Buffer }> {
  const bytes = await readFile(file)
  const plain = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes
  return { header: plain.subarray(0, 348), values: plain.subarray(plain.readFloatLE(108)) }
}

describe('predict', function () {
  this.timeout(120_000)
  let folder: string
  let home: string
  let image: string
  let volume: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    home = join(folder, 'site')
    await consiliumJson(['federation', 'create', '--home', home, '--name', 'test', '--rounds', '1'])
    image = join(IMAGES, (await readdir(IMAGES))[10]!)
    volume = join(folder, 'scan.nii')
    const values = Array.from(
      { length: 24 * 20 * SLICES },
      (_, i) =>
        Math.hypot(i % 24 - 12, Math.floor(i / 24) % 20 - 10) < 7
          ? 200 + (Math.imul(i, 0x9e3779b1) >>> 28)
          : 20 + (Math.imul(i, 0x85ebca6b) >>> 28)
    )
    await writeFile(volume, niftiBytes({ dims: [24, 20, SLICES], values, datatype: 4, sform: SFORM, qform: QFORM }))
  })

  after(async () => { await rm(folder, { recursive: true }) })

  const run = async (...args: string[]): Promise<Prediction> =>
    await consiliumJson<Prediction>(['predict', '--home', home, '--threads', '1', ...args])

  it('writes a DICOM SEG of a series: the voxels that NIfTI gets, and no name of a file', async () => {
    const series = 'test/fixtures/dicom/ct'
    const [seg, nifti] = [join(folder, 'seg.dcm'), join(folder, 'seg.nii.gz')]
    const drawn = await run('--dicom', series, '--out', seg, '--no-cache')
    await run('--dicom', join(series, 'b.dcm'), '--out', nifti, '--no-cache')
    expect(drawn.slices).to.equal(6)
    const { voxels: labels } = await readSeg(seg, await onlyStack(join(DICOM, 'ct')), () =>
      ({ valueOf: ({ number }) => ({ value: number, isKnown: true }), notes: [] }))
    expect(Buffer.from(labels).equals((await voxels(nifti)).values)).to.equal(true)
    const text = (await readFile(seg)).toString('latin1')
    expect(text).to.match(/adapter sha256 [0-9a-f]{64}, round 0, personal model/).and.not.include('b.dcm')
    const several = await consilium(['predict', '--home', home, '--dicom', 'test/fixtures/dicom', '--out', seg])
    expect(several.stderr).to.include('DICOM series: name the folder of one')
  })

  it('never replaces what it reads: image, mask, or a map under the name of one', async () => {
    const [scan, mapped] = [join(folder, 'mine.png'), join(folder, 'mine.map2.png')]
    for (const name of [scan, mapped]) await cp(image, name)
    const before = await readFile(scan)
    for (
      const args of [['--image', scan, '--out', scan], ['--image', image, '--mask', scan, '--out', scan], [
        '--image',
        mapped,
        '--out',
        scan,
        '--multimask'
      ]]
    ) {
      const { code, stderr, stdout } = await consilium(['predict', '--home', home, '--threads', '1', ...args])
      expect([code, stdout]).to.deep.equal([1, ''])
      expect(stderr).to.match(/^consilium: .*mine(\.map2)?\.png would be replaced, and it is read: choose another --out\n$/)
    }
    expect((await readFile(scan)).equals(before)).to.equal(true)
    for (const name of [scan, mapped]) await rm(name)
  })

  /** Names of all files below a folder. */
  async function filesIn (path: string): Promise<string[]> {
    return (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name)
  }

  describe('one image', () => {
    const cache = (): string => join(home, 'private', 'embeddings')

    it('leaves no embedding behind with --no-cache, nor with the setting 0', async () => {
      const out = join(folder, 'mask.png')
      expect(await run('--image', image, '--out', out, '--no-cache')).to.include({ encoded: 1, reused: 0 })
      await writeFile(join(home, 'config.json'), '{ "embeddingCache": 0 }')
      expect(await run('--image', image, '--out', out)).to.include({ encoded: 1, reused: 0 })
      await rm(join(home, 'config.json'))
      expect(await readdir(home)).to.not.include('private')
    })

    it('is encoded once: a second process answers another prompt from the embedding, which only this user can read', async () => {
      const out = join(folder, 'mask.png')
      expect(await run('--image', image, '--out', out, '--point', '60,60,1')).to.include({ encoded: 1, reused: 0 })
      const [file, ...rest] = await readdir(cache())
      expect(rest).to.deep.equal([])
      expect(file).to.match(/^[0-9a-f]{64}$/)
      expect((await stat(cache())).mode & 0o777).to.equal(0o700)
      expect((await stat(join(cache(), file!))).mode & 0o777).to.equal(0o600)
      expect(await run('--image', image, '--out', out, '--box', '20,20,90,90', '--point', '60,60,1', '--point', '2,2,0')).to.include({
        encoded: 0,
        reused: 1
      })
      const { data, info } = await sharp(out).raw().toBuffer({ resolveWithObject: true })
      const original = await sharp(image).metadata()
      expect([info.width, info.height]).to.deep.equal([original.width, original.height])
      expect([...new Set(data)].every((value) => value === 0 || value === 255)).to.equal(true)
    })

    it('--multimask writes three maps with their IoU, the best under the plain name', async () => {
      const out = join(folder, 'multi', 'mask.png')
      await mkdir(join(folder, 'multi'))
      const { best, iou, maps } = await run('--image', image, '--out', out, '--box', '20,20,90,90', '--multimask')
      expect(maps.map(({ map, file }) => [map, file])).to.deep.equal(
        [1, 2, 3].map((map) => [map, join(folder, 'multi', `mask.map${map}.png`)])
      )
      const highest = maps.reduce((a, b) => b.iou! > a.iou! ? b : a)
      expect([best, iou]).to.deep.equal([highest.map, highest.iou])
      expect((await readFile(out)).equals(await readFile(highest.file))).to.equal(true)
      const note = JSON.parse(await readFile(join(folder, 'multi', 'mask.iou.json'), 'utf8')) as unknown
      expect(note).to.deep.equal({ best, maps: maps.map((each) => ({ ...each, file: `mask.map${each.map}.png` })) })
      expect((await readdir(join(folder, 'multi'))).sort()).to.deep.equal([
        'mask.iou.json',
        'mask.map1.png',
        'mask.map2.png',
        'mask.map3.png',
        'mask.png'
      ])
    })

    it('takes its own mask, or its own logits, as the next prompt', async () => {
      const [out, logits] = [join(folder, 'first.png'), join(folder, 'first.safetensors')]
      await run('--image', image, '--out', out, '--box', '20,20,90,90', '--logits', logits)
      for (const prompt of [out, logits]) {
        expect(await run('--image', image, '--out', join(folder, 'second.png'), '--mask', prompt, '--box', '20,20,90,90')).to.include({
          encoded: 0
        })
      }
    })
  })

  describe('a volume of 181 slices', () => {
    it('shows progress and comes back in shape and place of the input', async () => {
      const out = join(folder, 'scan-mask.nii.gz')
      const { code, stdout, stderr } = await consilium([
        'predict',
        '--home',
        home,
        '--threads',
        '1',
        '--image',
        volume,
        '--out',
        out,
        '--box',
        '4,4,20,17',
        '--slices',
        '10-170',
        '--json'
      ])
      expect(code, stderr).to.equal(0)
      expect(stderr).to.contain(`0/${SLICES} slices`).and.contain(`${SLICES}/${SLICES} slices`)
      expect(JSON.parse(stdout)).to.include({ slices: SLICES, encoded: 161 })
      const [input, mask] = [await voxels(volume), await voxels(out)]
      expect(mask.header.subarray(40, 56).equals(input.header.subarray(40, 56)), 'dim').to.equal(true)
      expect(mask.header.subarray(76, 108).equals(input.header.subarray(76, 108)), 'pixdim').to.equal(true)
      expect(mask.header.subarray(252, 328).equals(input.header.subarray(252, 328)), 'qform and sform').to.equal(true)
      expect(mask.values.length).to.equal(24 * 20 * SLICES)
      const slice = (k: number): Buffer => mask.values.subarray(k * 480, (k + 1) * 480)
      expect([...slice(9), ...slice(171)].every((value) => value === 0)).to.equal(true)
      expect(mask.values.some((value) => value === 1)).to.equal(true)
    })

    it('Ctrl-C in the middle leaves the old file, no half one, and says so', async () => {
      const place = join(folder, 'place')
      await mkdir(place)
      const out = join(place, 'mask.nii')
      await writeFile(out, 'what was here before')
      const running = start(['predict', '--home', home, '--threads', '1', '--image', volume, '--out', out, '--no-cache', '--multimask'])
      await slicesUnderWay(running)
      running.child.kill('SIGINT')
      const { code, stdout, stderr } = await running.ended
      expect(code, stderr).to.equal(1)
      expect(stdout).to.equal('')
      expect(plainLines(stderr).at(-1)).to.equal('consilium: stopped: masks that were not finished were not written')
      expect(await readFile(out, 'utf8')).to.equal('what was here before')
      expect(await filesIn(place)).to.deep.equal(['mask.nii'])
      expect((await filesIn(folder)).filter((name) => /tmp|\.\d+$/.test(name))).to.deep.equal([])
    })
  })

  it('a folder: every image gets a mask, a bad one a sentence, and the exit code says so', async () => {
    const input = join(folder, 'input')
    await mkdir(input)
    await cp(image, join(input, 'good.png'))
    await writeFile(join(input, 'bad.png'), 'no picture')
    await cp(volume, join(input, 'scan.nii'))
    const out = join(folder, 'masks')
    const { code, stdout, stderr } = await consilium([
      'predict',
      '--home',
      home,
      '--threads',
      '1',
      '--image',
      input,
      '--out',
      out,
      '--no-cache',
      '--json'
    ])
    expect(code).to.equal(1)
    const { images, failed } = JSON.parse(stdout) as FolderPrediction
    expect(images.map((each) => each.out)).to.deep.equal([join(out, 'good.png'), join(out, 'scan.nii.gz')])
    expect(failed.map(({ file }) => file)).to.deep.equal([join(input, 'bad.png')])
    expect(plainLines(stderr).filter((line) => line.startsWith('consilium: '))).to.deep.equal([
      `consilium: ${join(input, 'bad.png')} cannot be used: the picture cannot be decoded: it is damaged, truncated or of another format`
    ])
    expect((await readdir(out)).sort()).to.deep.equal(['good.png', 'scan.nii.gz'])
  })

  it('a case of several files: named by channel 0, or as a folder, and a case that lacks one gets a sentence', async () => {
    const [own, cases, out] = [join(folder, 'channels'), join(folder, 'imagesTs'), join(folder, 'of-cases')]
    const settings = join(folder, 'settings.json')
    await writeFile(settings, '{ "model": { "channels": [0, 1], "window": "auto" } }')
    await consiliumJson(['federation', 'create', '--home', own, '--name', 'two', '--rounds', '1', '--settings', settings])
    await mkdir(cases)
    const write = async (name: string, by: number): Promise<void> => {
      const values = Array.from({ length: 24 * 20 * 2 }, (_, i) => (i * by) % 900)
      await writeFile(join(cases, name), niftiBytes({ dims: [24, 20, 2], values, datatype: 4 }))
    }
    await Promise.all([write('a_0000.nii', 7), write('a_0001.nii', 11), write('b_0000.nii', 5)])
    const predict = ['predict', '--home', own, '--threads', '1', '--no-cache']
    const whole = await consilium([...predict, '--image', cases, '--out', out, '--json'])
    expect(whole.code).to.equal(1)
    const { images, failed } = JSON.parse(whole.stdout) as FolderPrediction
    expect(images.map((each) => each.out)).to.deep.equal([join(out, 'a.nii.gz')])
    expect(failed.map(({ reason }) => reason)).to.deep.equal([
      `${join(cases, 'b_0000.nii')} cannot be used: the case lacks channel 1, which model.channels names: add its file _0001, or ` +
        'leave the case out'
    ])
    const one = await consilium([...predict, '--image', join(cases, 'a_0000.nii'), '--out', join(folder, 'one.nii.gz')])
    expect(one.code).to.equal(0)
    expect((await voxels(join(folder, 'one.nii.gz'))).values).to.deep.equal((await voxels(join(out, 'a.nii.gz'))).values)
    const over = await consilium([...predict, '--image', join(cases, 'a_0000.nii'), '--out', join(cases, 'a_0001.nii')])
    expect({ code: over.code, said: over.stderr.includes('would be replaced, and it is read') }).to.deep.equal({ code: 1, said: true })
  })
})

/** Waits for the first sign of progress. */
async function slicesUnderWay ({ child, out }: Running): Promise<void> {
  while (!out.stderr.includes('slices')) await once(child.stderr, 'data')
}
