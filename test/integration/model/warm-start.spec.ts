import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Adapter, adapterToSafetensors } from '../../../src/adapter/adapter.ts'
import { readFloatTensors, writeSafetensors } from '../../../src/adapter/safetensors.ts'
import { program } from '../../../src/cli/program.ts'
import { createIdentity } from '../../../src/federation/create-identity.ts'
import { readFederation } from '../../../src/federation/document.ts'
import { inviteSite } from '../../../src/federation/membership/invite-site.ts'
import { joinFederation } from '../../../src/federation/membership/join-federation.ts'
import { loadConfig } from '../../../src/home/config/load.ts'
import { isThere } from '../../../src/home/files.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { openSite } from '../../../src/node/site.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import { createFederation, type FederationInit } from '../../../src/site-model/create-federation.ts'
import { evaluateSite } from '../../../src/site-model/evaluate-site.ts'
import { openSiteModel } from '../../../src/site-model/site-model.ts'

const SAMPLE = join(import.meta.dirname, '../../../samples/colin27')
const COMPUTE = { engine: 'onnx', provider: 'cpu', threads: 1 } as const

describe('a federation that starts from an adapter', function () {
  this.timeout(240_000)
  let folder: string
  const at = (...names: string[]): string => join(folder, ...names)
  const found = async (name: string, init: Partial<FederationInit>): ReturnType<typeof createFederation> =>
    await createFederation({ home: at(name), name, rounds: 1, imageSize: 64, ...init })
  const reasonOf = async (work: Promise<unknown>): Promise<string> =>
    await work.then(() => 'it was done', (error: Error) => `${error.name}: ${error.message}`)

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    const data = at('data')
    for (const slice of ['051', '054', '057', '060', '063', '066']) {
      for (const kind of ['images', 'masks']) {
        const name = `colin27_${slice}.png`
        await cp(join(SAMPLE, 'hospital-d', kind, name), join(data, kind, name), { force: true })
      }
    }
    await found('former', { settings: { model: { lora: { rank: 2 } } } })
    const site = await openSiteModel(at('former'), COMPUTE)
    const { learner } = site
    const adapter = new Adapter(learner.schema, learner.initialAdapter().values.map((value, i) => value + (i % 7) / 100))
    await site.close()
    const written = adapterToSafetensors(adapter, { round: 3, weight: 5, notes: '{"included":[]}' })
    await writeFile(sitePaths(at('former')).adapter, written)
    await program(['export', '--home', at('former'), '--out', at('former.safetensors')]).parseAsync()
  })
  after(async () => { await rm(folder, { recursive: true }) })

  it('gives away what the numbers mean, and none of its notes', async () => {
    const { tensors, metadata } = readFloatTensors(await readFile(at('former.safetensors')))
    expect(metadata).not.to.have.property('notes')
    expect(JSON.parse(metadata['settings']!)).to.have.nested.property('model.lora.rank', 2)
    expect(tensors).to.deep.equal(readFloatTensors(await readFile(sitePaths(at('former')).adapter)).tensors)
  })

  it('begins at the Dice of the former one, by other experts and seed, at every site', async () => {
    const settings = { model: { lora: { rank: 2 }, moe: { experts: 2, topK: 1 } } }
    await found('north', { settings, seed: 7, from: at('former.safetensors') })
    await found('twin', { settings, seed: 8, from: at('former') })
    const [north, twin] = [await readFederation(sitePaths(at('north')).federation), await readFederation(sitePaths(at('twin')).federation)]
    expect(twin.document.start).to.deep.equal(north.document.start)
    const peerId = await createIdentity(at('south'))
    const { invitation } = await inviteSite({ home: at('north'), peerId, name: 'South' })
    await joinFederation({ home: at('south'), invitation, from: sitePaths(at('north')).startAdapter })
    const options = { split: 'all', tolerance: 2, compute: COMPUTE } as const
    const of = async (name: string): Promise<readonly number[]> => {
      const { round, frozen, global } = await evaluateSite(at(name), at('data'), options)
      return [round, frozen.dice, global.dice]
    }
    const [, frozen, global] = await of('former')
    expect(global).not.to.equal(frozen)
    for (const name of ['north', 'south']) expect(await of(name), name).to.deep.equal([0, frozen, global])
  })

  it('is founded from nothing that means something else, and every setting is named', async () => {
    const refused = async (settings: Record<string, unknown>, from = at('former.safetensors')): Promise<string> =>
      await reasonOf(found('refused', { settings, from }))
    expect(await refused({ model: { lora: { rank: 4, alpha: 8 }, decoder: 'lora' } })).to.contain(
      'former.safetensors is of a federation with other settings: model.lora.rank is 2 there and 4 here; ' +
        'model.lora.alpha is 4 there and 8 here; model.decoder is lora+upscaling there and lora here'
    )
    const same = { model: { lora: { rank: 2 } } }
    expect(await refused(same, at('none.safetensors'))).to.match(/none\.safetensors is not there/)
    const { tensors, metadata } = readFloatTensors(await readFile(at('former.safetensors')))
    const { settings: _, ...rest } = metadata
    await writeFile(at('old.safetensors'), writeSafetensors(tensors, rest))
    expect(await refused(same, at('old.safetensors'))).to.match(/does not say by which settings it was trained/)
    const [name] = tensors.keys()
    tensors.delete(name!)
    await writeFile(at('cut.safetensors'), writeSafetensors(tensors, metadata))
    expect(await refused(same, at('cut.safetensors'))).to.include(`tensor ${name} is missing`)
    await writeFile(at('text.safetensors'), 'no tensors')
    expect(await refused(same, at('text.safetensors'))).to.match(/text\.safetensors is damaged, or no adapter/)
    expect(await isThere(sitePaths(at('refused')).federation)).to.equal(false)
  })

  it('is joined with this adapter and no other, and started with it alone', async () => {
    const peerId = await createIdentity(at('east'))
    const { invitation } = await inviteSite({ home: at('north'), peerId, name: 'East' })
    const join_ = async (from?: string): Promise<string> =>
      await reasonOf(joinFederation({ home: at('east'), invitation, ...(from == null ? {} : { from }) }))
    const { tensors } = readFloatTensors(await readFile(at('former.safetensors')))
    const other = new Map([...tensors].map(([name, { shape, data }]) => [name, { shape, data: data.map((value) => 2 * value) }]))
    await writeFile(at('other.safetensors'), writeSafetensors(other))
    expect(await join_(at('other.safetensors'))).to.match(/^InputError: .*other\.safetensors holds the adapter [0-9a-f]{12}, and the fed/)
    expect(await isThere(sitePaths(at('east')).federation)).to.equal(false)
    expect(await join_()).to.equal('it was done')
    const { startAdapter, config: file } = sitePaths(at('east'))
    const config = { ...await loadConfig(file, {}, {}), data: at('data') }
    const start = async (): Promise<string> => await reasonOf(openSite({ home: at('east'), config, logger: createLogger('silent') }))
    expect(await start()).to.match(/^InputError: .*start\.safetensors is not there: ask .* or put it there$/)
    await cp(at('other.safetensors'), startAdapter)
    expect(await start()).to.match(/^InputError: .*start\.safetensors holds the adapter/)
    await cp(at('former.safetensors'), startAdapter)
    expect(await start()).to.equal('it was done')
    const seeded = await createIdentity(at('west'))
    const { invitation: plain } = await inviteSite({ home: at('former'), peerId: seeded, name: 'West' })
    expect(await reasonOf(joinFederation({ home: at('west'), invitation: plain, from: startAdapter }))).to.match(/leave --from out$/)
  })
})
