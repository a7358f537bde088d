import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { parseOptions } from '../../../scripts/testnet/options.ts'
import { withFewLabels } from '../../../scripts/testnet/hospitals/few-labels.ts'
import { bundledSample } from '../../../scripts/testnet/sample.ts'
import { loadDataset, splitSlices, type Slice } from '../../../src/dataset/index.ts'
import { UsageError } from '../../../src/errors.ts'
import { splitOf } from '../../../src/site-model/split.ts'

const KINDS = ['mask', 'block', 'scribble', 'points', 'box'] as const
const SEED = 3

describe('a hospital with few labels', () => {
  let folder: string
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'few-labels-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  async function read (index: number, labelling: 'mixed-weak' | 'few:0.2') {
    const data = join(await bundledSample(), 'hospital-a')
    const hospital = { index, name: 'h', data, from: data, home: join(folder, 'home'), log: join(folder, 'home.log') }
    const { data: written } = await withFewLabels(hospital, labelling, { folder, seed: SEED })
    const { slices, problems } = await loadDataset(written, { kinds: [...KINDS, 'none'] })
    expect(problems).to.deep.equal([])
    return { before: splitSlices((await loadDataset(data)).slices, { seed: SEED }), after: splitOf(slices, { seed: SEED }) }
  }

  const pixels = (slices: readonly Slice[]): string[] => slices.map(({ image }) => Buffer.from(image).toString('base64')).sort()

  for (const [site, kind] of ['scribble', 'points', 'box', 'block'].entries()) {
    it(`trains on ${kind} and is scored on the masks that it was scored on`, async () => {
      const { before, after } = await read(site, 'mixed-weak')
      expect([...new Set(after.train.map((slice) => slice.kind))]).to.deep.equal([kind])
      expect(pixels(after.train)).to.deep.equal(pixels(before.train))
      expect(pixels(after.validation)).to.deep.equal(pixels(before.validation))
      expect(after.validation.map(({ mask }) => mask.reduce((sum, each) => sum + each, 0)).sort())
        .to.deep.equal(before.validation.map(({ mask }) => mask.reduce((sum, each) => sum + each, 0)).sort())
    })
  }

  it('has masks of a fifth, and nothing of the rest', async () => {
    const { before, after: { train } } = await read(0, 'few:0.2')
    const masked = train.filter(({ kind }) => kind == null).length
    expect(masked).to.equal(Math.round(0.2 * before.train.length))
    expect(train.filter(({ kind }) => kind === 'none')).to.have.length(before.train.length - masked)
  })

  it('needs a method that trains on marks, and plain words', async () => {
    expect(await parseOptions(['--labels', 'few:.25', '--method', 'partial'])).to.deep.include({ labelling: 'few:0.25' })
    for (const [args, words] of [
      [['--labels', 'mixed-weak'], 'pfedsam trains on whole masks alone: give --method partial'],
      [['--labels', 'some', '--method', 'partial'], '--labels some must be mixed-weak, or few:'],
      [['--labels', 'mixed-weak', '--method', 'partial', '--images', '1:3'], 'does not go with --classes or --images']
    ] as const) {
      const failure: unknown = await parseOptions([...args]).catch((error: unknown) => error)
      expect(failure).to.be.instanceOf(UsageError).with.property('message').that.includes(words)
    }
  })
})
