import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import sharp from 'sharp'
import type { Evaluation } from '../../src/site-model/evaluate-site.ts'
import { folderOf, niftiBytes } from '../unit/dataset/fixtures.ts'
import { consilium, consiliumJson, plainLines } from './cli.ts'

const DIMS = [24, 20, 6]
const PIXDIM = [1, 2, 2, 5]

/** A ball of the given radius in pixels, in slices 2 and 3 of six. */
function ball (radius: number): number[] {
  return Array.from({ length: 24 * 20 * 6 }, (_, i) => {
    const [x, y, z] = [i % 24, Math.floor(i / 24) % 20, Math.floor(i / 480)]
    return (z === 2 || z === 3) && Math.hypot(x - 12, y - 10) < radius ? 1 : 0
  })
}

const volume = (values: number[], datatype: number): Uint8Array => niftiBytes({ dims: DIMS, values, datatype, pixdim: PIXDIM })

describe('evaluate', function () {
  this.timeout(120_000)
  let folder: string
  let home: string
  let data: Awaited<ReturnType<typeof folderOf>>

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    home = join(folder, 'site')
    await consiliumJson(['federation', 'create', '--home', home, '--name', 'test', '--rounds', '1'])
    const files: Record<string, Uint8Array> = {}
    for (const [name, radius] of [['ann', 6], ['bob', 4], ['cy', 0]] as const) {
      const mask = ball(radius)
      files[`images/${name}.nii`] = volume(mask.map((label, i) => 40 + 150 * label + i % 7), 4)
      files[`masks/${name}.nii`] = volume(mask, 2)
    }
    data = await folderOf(files)
  })
  after(async () => {
    await data.clear()
    await rm(folder, { recursive: true })
  })

  const evaluate = async (...args: string[]): Promise<Evaluation> =>
    await consiliumJson<Evaluation>(['evaluate', '--home', home, '--threads', '1', '--data', data.path, ...args])

  it('scores all slices of a volume, and patients without the organ', async () => {
    const result = await evaluate('--split', 'all')
    expect(result).to.include({ slices: 4, allSlices: 18, patients: 3, tolerance: 2, slab: false })
    const { perSlice, cases, patients } = result.personal
    expect(perSlice).to.have.length(4)
    expect(cases.map((each) => [each.case, each.slices, each.unit])).to.deep.equal([['ann', 6, 'mm'], ['bob', 6, 'mm'], ['cy', 6, 'mm']])
    const voxels = ball(6).filter((label) => label === 1).length
    expect(cases[0]!.truthVolume).to.be.closeTo(voxels * 2 * 2 * 5 / 1000, 1e-9)
    expect(patients.dice.count).to.equal(2)
    expect(patients.dice.low).to.be.at.most(patients.dice.mean)
    expect(patients.falsePositiveVolume.mm).to.include({ count: 1, mean: cases[2]!.predictedVolume })
    expect(cases[2]!.falsePositiveVolume).to.equal(cases[2]!.predictedVolume)
  })

  it('scores what training never saw: one patient of two, and the one that training cannot use', async () => {
    const { patients, slices, allSlices } = await evaluate()
    expect([patients, slices, allSlices]).to.deep.equal([2, 2, 12])
  })

  it('writes the table and the pictures that it is asked for, and names no patient in them', async () => {
    const [csv, pictures] = [join(folder, 'cases.csv'), join(folder, 'worst', 'cases')]
    const { worst, personal } = await evaluate('--split', 'all', '--csv', csv, '--worst', '5', '--pictures', pictures, '--tolerance', '3.5')
    const lines = (await readFile(csv, 'utf8')).trimEnd().split('\n').map((line) => line.split(','))
    expect(lines).to.have.length(1 + 3 * 3)
    expect(lines.find(([model, patient]) => model === 'personal' && patient === 'bob')!.slice(6, 9).map(Number)).to.deep.equal(
      [personal.cases[1]!.dice, personal.cases[1]!.nsd, 3.5]
    )
    const scored = personal.cases.filter(({ dice }) => dice != null)
    expect(worst).to.have.length(scored.length)
    expect(worst.map(({ dice }) => dice)).to.deep.equal(scored.map(({ dice }) => dice).sort((a, b) => a - b))
    expect(await readdir(pictures)).to.deep.equal(worst.map((_, i) => `worst-${i + 1}.png`))
    expect((await sharp(worst[0]!.picture).metadata()).height).to.be.greaterThan(100)
  })

  it('prints tables for people, one for each class where asked', async () => {
    const args = ['evaluate', '--home', home, '--threads', '1', '--data', data.path, '--split', 'all', '--worst', '1']
    const { stdout } = await consilium(args)
    expect(stdout).to.match(/^Per patient, 2 patients \(95 % interval\); 1 patient without it/)
    for (const part of ['NSD at 2 mm', 'HD95 (mm)', 'Per image, 4 slices with foreground', 'HD95 (px)', 'Worst cases', '18 slices']) {
      expect(stdout).to.contain(part)
    }
    expect((await consilium([...args, '--by-class'])).stdout).to.match(/^foreground, per patient, 2 patients/)
  })

  it('says in one sentence what it cannot do, before the work', async () => {
    for (const [args, sentence] of [
      [['--tolerance', '-1'], '--tolerance must be a number from 0'],
      [['--worst', '1.5'], '--worst must be a whole number from 0'],
      [['--pictures', folder], '--pictures draws the worst cases: say how many, for example --worst 5'],
      [['--csv', folder], 'is a folder: name a file'],
      [['--csv', join(folder, 'gone', 'a.csv')], 'a.csv cannot be written: its folder does not exist'],
      [['--worst', '1', '--pictures', join(home, 'federation.json', 'x')], 'cannot be written: part of its path is not a folder']
    ] as const) {
      const { code, stderr, stdout } = await consilium(['evaluate', '--home', home, '--data', data.path, ...args])
      expect(code).not.to.equal(0)
      expect(stdout).to.equal('')
      expect(plainLines(stderr).join()).to.contain(sentence)
    }
  })
})
