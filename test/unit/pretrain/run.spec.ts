import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { PretrainProgress } from '../../../scripts/pretrain/progress.ts'
import { pretrain, type RunOptions } from '../../../scripts/pretrain/run.ts'
import { readCheckpoint, type TrainingCheckpoint } from '../../../scripts/pretrain/training/checkpoint.ts'
import { initialWeights } from '../../../scripts/pretrain/training/initial.ts'
import { partition } from '../../../scripts/pretrain/training/parameters.ts'
import { readSafetensors } from '../../../src/adapter/safetensors.ts'
import { createEngine, type Engine } from '../../../src/compute/index.ts'
import { InputError } from '../../../src/errors.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { loadWeights } from '../../../src/model/sam/weights.ts'

const settings = { model: 'golden-128', seed: 1, steps: 4, batch: 1, rate: 1e-3 }
const config = samConfig(settings.model)

describe('a run of the pretraining', function () {
  this.timeout(60_000)
  let engine: Engine
  let folder: string

  before(async () => {
    engine = await createEngine({ threads: 1 })
    folder = await mkdtemp(join(tmpdir(), 'pretrain-'))
  })

  after(async () => {
    await engine.dispose()
    await rm(folder, { recursive: true })
  })

  const options = (name: string): RunOptions => ({
    engine,
    settings,
    out: join(folder, `${name}.safetensors`),
    checkpoint: join(folder, `${name}.checkpoint`),
    curves: join(folder, `${name}.svg`),
    resume: true,
    every: 3,
    heldOut: 1
  })
  const checkpoint = (name: string): Promise<TrainingCheckpoint | undefined> =>
    readCheckpoint(join(folder, `${name}.checkpoint`), partition(initialWeights(config, 1)).layout.size, settings)

  it('that is stopped and resumed ends with the same bits as one that is not', async () => {
    const progress: PretrainProgress[] = []
    const whole = await pretrain({ ...options('whole'), onProgress: (each) => { progress.push(each) } })

    const stop = new AbortController()
    const first = await pretrain({ ...options('parts'), signal: stop.signal, onProgress: ({ step }) => { if (step === 2) stop.abort() } })
    const second = await pretrain(options('parts'))

    expect([first.step, second.step]).to.deep.equal([2, 4])
    expect(second).to.deep.equal(whole)
    const [parts, single] = [await checkpoint('parts'), await checkpoint('whole')]
    expect(parts!.state).to.deep.equal(single!.state)
    expect([parts!, single!].map(({ history }) => history.map(({ step }) => step))).to.deep.equal([[2, 3, 4], [3, 4]])
    expect(parts!.history.at(-1)!.scores).to.deep.equal(single!.history.at(-1)!.scores)
    expect(String(await readFile(options('parts').curves))).to.match(/^<svg.*held-out IoU.*training loss/s)
    expect(await readFile(options('parts').out)).to.deep.equal(await readFile(options('whole').out))
    expect(progress.map(({ step }) => step)).to.deep.equal([1, 2, 3, 4])
    expect(progress.every(({ loss }) => Number.isFinite(loss))).to.equal(true)
    expect(engine.fallbacks().size).to.equal(0)
  })

  it('writes weights that load strictly, with their origin and scores', async () => {
    const bytes = await readFile(options('whole').out)
    expect(Object.keys(loadWeights(config, bytes).weights)).to.have.length(202)
    const { metadata } = readSafetensors(bytes)
    expect(metadata).to.include({ model: 'golden-128', steps: '4' })
    expect(JSON.parse(metadata['heldOutIoU']!)).to.have.keys('none', 'point', 'box')
  })

  it('goes on from given weights, and says so', async () => {
    const { weights, hash } = loadWeights(config, await readFile(options('whole').out))
    const from = { ...settings, from: hash, rate: 1e-9, steps: 1 }
    await pretrain({ ...options('from'), settings: from, from: weights })
    const bytes = await readFile(options('from').out)
    const after = loadWeights(config, bytes).weights
    for (const [name, { data }] of Object.entries(weights)) {
      expect(data.every((value, i) => Math.abs(value - after[name]!.data[i]!) < 1e-6), `${name} moved in a step too small to see`).to.equal(
        true
      )
    }
    expect(JSON.parse(readSafetensors(bytes).metadata['settings']!)).to.deep.include({ from: hash })
    const another = await pretrain({ ...options('from'), settings }).catch((error: unknown) => error)
    expect(another).to.be.instanceOf(InputError)
  })

  it('starts over when told to', async () => {
    const stop = new AbortController()
    const { step } = await pretrain({ ...options('whole'), resume: false, signal: stop.signal, onProgress: () => { stop.abort() } })
    expect(step).to.equal(1)
  })
})
