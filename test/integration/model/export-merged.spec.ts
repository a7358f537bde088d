import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Adapter, adapterToSafetensors } from '../../../src/adapter/adapter.ts'
import { program } from '../../../src/cli/program.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { openPth } from '../../../src/site-model/base/pth/pth-file.ts'
import { createFederation } from '../../../src/site-model/create-federation.ts'
import { openSiteModel } from '../../../src/site-model/site-model.ts'

describe('export --merged', function () {
  this.timeout(120_000)
  let folder: string
  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  it('writes the adapter of the home into its base, and no experts', async () => {
    const [home, out] = [join(folder, 'home'), join(folder, 'model.pth')]
    await createFederation({ home, name: 'x', rounds: 1 })
    const site = await openSiteModel(home, { engine: 'onnx', provider: 'cpu', threads: 1 })
    const { learner } = site
    const adapter = new Adapter(learner.schema, learner.initialAdapter().values.map((value, i) => value + (i % 7) / 100))
    await writeFile(sitePaths(home).adapter, adapterToSafetensors(adapter, { round: 3, weight: 5 }))
    await program(['export', '--home', home, '--merged', '--out', out]).parseAsync()
    const wanted = learner.mergedWeights(adapter)
    const file = await openPth(out)
    expect([...file.shapes.keys()]).to.have.members(Object.keys(wanted))
    expect([...file.shapes.keys()].filter((name) => /lora|expert|gate/.test(name))).to.deep.equal([])
    for (const [name, { data }] of Object.entries(wanted)) expect(await file.read(name)).to.deep.equal(data)
    await file.close()
    await site.close()
  })
})
