import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { Adapter, adapterToSafetensors } from '../../../src/adapter/adapter.ts'
import { program } from '../../../src/cli/program.ts'
import { writeJson } from '../../../src/home/files.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { createFederation } from '../../../src/site-model/create-federation.ts'
import { crossEvaluate } from '../../../src/site-model/cross-evaluate.ts'
import { evaluateExported } from '../../../src/site-model/evaluate-exported.ts'
import { evaluateSite } from '../../../src/site-model/evaluate-site.ts'
import { openSiteModel } from '../../../src/site-model/site-model.ts'

const SAMPLE = join(import.meta.dirname, '../../../samples/colin27/hospital-d')
const COMPUTE = { engine: 'onnx', provider: 'cpu', threads: 1 } as const

describe('global models of a federation', function () {
  this.timeout(240_000)
  let folder: string
  const at = (...names: string[]): string => join(folder, ...names)
  const run = async (...args: string[]): Promise<Record<string, unknown>> => {
    let said = ''
    const write = process.stdout.write.bind(process.stdout)
    process.stdout.write = (text: string | Uint8Array) => {
      said += String(text)
      return true
    }
    try {
      await program([...args, '--json']).parseAsync()
    } finally {
      process.stdout.write = write
    }
    return JSON.parse(said) as Record<string, unknown>
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    for (const [i, name] of (await readdir(join(SAMPLE, 'images'))).entries()) {
      for (const kind of ['images', 'masks']) {
        const copies = i < 6 ? ['data', 'few'] : ['data']
        for (const data of copies) await cp(join(SAMPLE, kind, name), at(data, kind, `patient${i + 10}_001.png`))
      }
    }
    await createFederation({ home: at('home'), name: 'x', rounds: 1, imageSize: 64 })
    const site = await openSiteModel(at('home'), COMPUTE)
    const { learner } = site
    for (const round of [1, 2]) {
      const adapter = new Adapter(learner.schema, learner.initialAdapter().values.map((value, i) => value + (i % 7) / (100 * round)))
      await writeFile(sitePaths(at('home')).adapter, adapterToSafetensors(adapter, { round, weight: 5 }))
      await program(['export', '--home', at('home'), '--out', at(`${round}.safetensors`)]).parseAsync()
    }
    await site.close()
  })
  after(async () => { await rm(folder, { recursive: true }) })

  it('are scored over patients that training never saw, as evaluate has it, and classes of fewer than five are left out', async () => {
    const init = { home: at('home'), data: at('data'), round: 'last', compute: COMPUTE } as const
    const [own] = await crossEvaluate({ ...init, files: [] })
    const whole = await evaluateSite(at('home'), at('data'), { split: 'validation', tolerance: 2, compute: COMPUTE })
    const { dice } = whole.global.patients
    expect(own).to.include({ round: 2, own: true })
    expect(dice.count).to.be.at.least(5)
    const [mean, low, high] = [dice.mean, dice.low, dice.high].map((value) => Number(value.toFixed(4)))
    expect(own!.dice['foreground']).to.deep.equal({ patients: dice.count, mean, low, high })
    const [first, second] = await crossEvaluate({ ...init, files: [at('1.safetensors'), at('2.safetensors')] })
    expect([first!.own, first!.round, second!.own]).to.deep.equal([false, 1, false])
    expect(second).to.deep.include({ adapter: own!.adapter, dice: own!.dice })
    expect(first!.adapter).not.to.equal(own!.adapter)
    expect((await crossEvaluate({ ...init, data: at('few'), files: [] }))[0]!.dice).to.deep.equal({})
    await writeFile(at('text.safetensors'), 'no adapter')
    const refused = await crossEvaluate({ ...init, files: [at('text.safetensors')] }).catch((error: Error) => error.message)
    expect(refused).to.match(/text\.safetensors is no adapter of this federation/)
  })

  it('are told to others where policy.json says so, and printed by the site itself', async () => {
    const command = ['cross-evaluate', '--home', at('home'), '--data', at('data'), '--engine', 'onnx', '--threads', '1']
    expect(await run(...command)).to.deep.include({ told: false, matrices: [] })
    await writeJson(sitePaths(at('home')).policy, { crossScores: true })
    const { told, matrices } = await run(...command)
    expect(told).to.equal(true)
    expect(await run('cross-evaluate', '--home', at('home'), '--show')).to.deep.equal({ matrices })
    expect(matrices).to.have.nested.property('[0].cells[0][0].patients').that.is.at.least(5)
  })

  it('can be scored by whoever has the file and images, without a home', async () => {
    const init = { file: at('2.safetensors'), data: at('few'), models: at('none'), tolerance: 2, compute: COMPUTE }
    const { round, classes, slices } = await evaluateExported(init)
    const all = await evaluateSite(at('home'), at('few'), { split: 'all', tolerance: 2, compute: COMPUTE })
    expect([round, slices]).to.deep.equal([2, all.allSlices])
    expect(classes['foreground']).to.deep.equal(all.global.classes['foreground'])
    const command = ['evaluate', '--home', at('nowhere'), '--adapter', at('2.safetensors'), '--data', at('few'), '--engine', 'onnx']
    expect(await run(...command)).to.deep.include({ round: 2, slices })
    expect((await readdir(folder)).includes('nowhere')).to.equal(false)
  })
})
