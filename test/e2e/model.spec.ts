import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { safetensorsHeader } from '../../src/adapter/safetensors.ts'
import { samConfig } from '../../src/model/sam/build-sam.ts'
import { tensorShapes } from '../../src/model/sam/tensor-shapes.ts'
import type { ImportedModel } from '../../src/site-model/base/import-model.ts'
import type { StoredModel } from '../../src/site-model/base/model-store.ts'
import { tinyWeights } from '../unit/model/golden.ts'
import { writePth } from '../unit/node/offline-models/pth-writer.ts'
import { consilium, consiliumJson, plainLines, start, type Ended } from './cli.ts'

const original = new Map(Object.entries(tinyWeights))

describe('model', function () {
  this.timeout(120_000)
  let folder: string
  let home: string
  let file: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    home = join(folder, 'site')
    file = join(folder, 'weights.pth')
    await writeFile(file, writePth(original))
  })

  after(async () => { await rm(folder, { recursive: true }) })

  const model = async (...args: string[]): Promise<Ended> => await consilium(['model', ...args, '--home', home])

  async function refusal (...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await model(...args)
    expect({ code, stdout, lines: plainLines(stderr).length }).to.deep.equal({ code: 1, stdout: '', lines: 1 })
    return stderr
  }

  it('is imported, listed and described', async () => {
    const imported = await consiliumJson<ImportedModel>(['model', 'import', file, '--home', home, '--name', 'ours'])
    expect(imported).to.include({ name: 'ours', parameters: 731_208, path: join(home, 'models', 'ours.safetensors') })
    const listed = await consiliumJson<StoredModel[]>(['model', 'list', '--home', home])
    expect(listed.map(({ name, bundled }) => ({ name, bundled }))).to.deep.equal([
      { name: 'sam-tiny', bundled: true },
      { name: 'litemedsam', bundled: true },
      { name: 'ours', bundled: false }
    ])
    expect((await model('list')).stdout.split('\n')[2]).to.include('ours').and.to.include(imported.hash.slice(0, 12))
    const info = await consiliumJson<StoredModel>(['model', 'info', 'ours', '--home', home])
    expect(info).to.deep.equal({ ...listed[2]! })
    expect(info).to.include({ hash: imported.hash, architecture: imported.architecture, parameters: 731_208 })
    expect((await model('info', 'ours')).stdout).to.include('731,208')
  })

  it('is refused in one plain sentence', async () => {
    expect(await refusal('info', 'vit-x')).to.include('there is no model named vit-x').and.to.include('model import')
    expect(await refusal('import', file, '--architecture', 'vit-x')).to.include('use sam-tiny, vit-b, vit-l, vit-h').and.to.not.include(
      'golden'
    )
    expect(await refusal('import', join(folder, 'nowhere.pth'))).to.include('nowhere.pth')
    const token = original.get('mask_decoder.iou_token.weight')!
    const others = join(folder, 'others.pth')
    await writeFile(others, writePth(new Map(original).set('mask_decoder.iou_token.weight', { ...token, data: token.data.with(0, 7) })))
    expect(await refusal('import', others, '--name', 'ours')).to.include('--name')
    expect(await readdir(join(home, 'models'))).to.deep.equal(['ours.safetensors'])
  })

  it('is not half there after Ctrl-C', async () => {
    const large = join(folder, 'vit-b.safetensors')
    const shapes = new Map([...tensorShapes(samConfig('vit-b'))].map(([name, shape]) => [name, { shape }]))
    const header = safetensorsHeader(shapes, {})
    await writeFile(large, header)
    await truncate(
      large,
      header.length + 4 * [...shapes.values()].reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0)
    )
    const other = join(folder, 'other')
    const running = start(['model', 'import', large, '--home', other])
    const models = async (): Promise<string[]> => await readdir(join(other, 'models')).catch(() => [])
    while (running.child.exitCode == null && (await models()).length === 0) await new Promise((resolve) => { setTimeout(resolve, 5) })
    running.child.kill('SIGINT')
    const { code, stderr } = await running.ended
    expect(code).to.equal(1)
    expect(plainLines(stderr)).to.deep.equal([`consilium: ${large} was not imported: stopped before it was whole`])
    expect(await models()).to.deep.equal([])
  })
})
