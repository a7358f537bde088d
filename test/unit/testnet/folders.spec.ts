import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import pMap from 'p-map'
import { dataFolders, planHospitals } from '../../../scripts/testnet/hospitals/hospitals.ts'
import { prepareWorkspace } from '../../../scripts/testnet/hospitals/workspace.ts'
import { bundledSample } from '../../../scripts/testnet/sample.ts'
import { InputError } from '../../../src/errors.ts'

let root: string

beforeEach(async () => { root = await mkdtemp(join(tmpdir(), 'testnet-')) })
afterEach(async () => { await rm(root, { recursive: true }) })

async function failure (promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(() => undefined, (reason: unknown) => reason)
  expect(error).to.be.instanceOf(InputError)
  return (error as Error).message
}

describe('data folders', () => {
  it('are those with images, in name order', async () => {
    for (const folder of ['b/imagesTr', 'a/images', 'notes', '.cache/images']) await mkdir(join(root, folder), { recursive: true })
    expect(await dataFolders(root)).to.deep.equal([join(root, 'a'), join(root, 'b')])
  })

  it('serve again when there are more hospitals than folders', () => {
    const names = planHospitals(['/d/a', '/d/b'], 5, '/out/homes').map(({ name, data }) => `${name}:${data}`)
    expect(names).to.deep.equal(['a:/d/a', 'b:/d/b', 'a-2:/d/a', 'b-2:/d/b', 'a-3:/d/a'])
  })

  it('are asked for when there are none', async () => {
    expect(await failure(dataFolders(root))).to.include('holds no folder per hospital')
    expect(await failure(dataFolders(join(root, 'nowhere')))).to.include('cannot be read')
  })

  it('of the sample are four', async () => {
    expect(await dataFolders(await bundledSample())).to.have.length(4)
  })
})

describe('the output folder', () => {
  it('is emptied of an earlier testnet only', async () => {
    const first = await prepareWorkspace(join(root, 'out'))
    await mkdir(join(first.homes, 'hospital-a'))
    await mkdir(join(first.simulated, 'hospital-a', 'images'), { recursive: true })
    await writeFile(first.reportJson, '{}')
    await writeFile(join(first.root, 'my-notes.txt'), 'keep')
    await prepareWorkspace(join(root, 'out'))
    expect((await readdir(first.root)).sort()).to.deep.equal(['.consilium-testnet', 'homes', 'my-notes.txt'])
    expect(await readdir(first.homes)).to.deep.equal([])
  })

  it('is refused when it holds other files', async () => {
    await mkdir(join(root, 'homes'))
    await writeFile(join(root, 'homes', 'thesis.tex'), 'years')
    expect(await failure(prepareWorkspace(root))).to.include('choose another --out')
    expect(await readdir(join(root, 'homes'))).to.deep.equal(['thesis.tex'])
  })

  it('is refused when it is a file', async () => {
    await writeFile(join(root, 'file'), '')
    expect(await failure(prepareWorkspace(join(root, 'file')))).to.include('not a folder')
  })
})

describe('pMap, as evaluations and experiments use it', () => {
  it('keeps order and never runs more than the limit', async () => {
    let running = 0
    let most = 0
    const results = await pMap([5, 1, 4, 2, 3], async (value) => {
      most = Math.max(most, ++running)
      for (let i = 0; i < value; i++) await Promise.resolve()
      running--
      return 10 * value
    }, { concurrency: 2 })
    expect(results).to.deep.equal([50, 10, 40, 20, 30])
    expect(most).to.equal(2)
  })

  it('fails with the first failure, and begins nothing after it', async () => {
    const begun: number[] = []
    const work = pMap([1, 2, 3, 4, 5], async (value) => {
      begun.push(value)
      await Promise.resolve()
      if (value === 2) throw new InputError('no')
    }, { concurrency: 2 })
    expect(await failure(work)).to.equal('no')
    expect(begun).to.deep.equal([1, 2, 3])
  })
})
