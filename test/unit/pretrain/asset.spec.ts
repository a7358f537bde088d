import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { heldOut, score } from '../../../scripts/pretrain/training/scores.ts'
import { predictStep } from '../../../scripts/pretrain/training/step.ts'
import { readSafetensors } from '../../../src/adapter/safetensors.ts'
import { createEngine } from '../../../src/compute/index.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { loadWeights } from '../../../src/model/sam/weights.ts'

describe('assets/sam-tiny.safetensors', () => {
  let bytes: Buffer
  before(async () => { bytes = await readFile(new URL('../../../assets/sam-tiny.safetensors', import.meta.url)) })

  it('is float16, at most 8 MB and 2.5 million parameters, and loads strictly', () => {
    const { weights } = loadWeights(samConfig('sam-tiny'), bytes)
    const parameters = Object.values(weights).reduce((sum, { data }) => sum + data.length, 0)
    expect(bytes.length).to.be.at.most(8e6)
    expect(parameters).to.be.at.most(2.5e6)
    expect([...readSafetensors(bytes).tensors.values()].every(({ data }) => data instanceof Float32Array && data.every(Number.isFinite))).to
      .equal(true)
  })

  it('is the file that the model card describes', async () => {
    const card = await readFile(new URL('../../../docs/models/sam-tiny.md', import.meta.url), 'utf8')
    expect(card).to.include(loadWeights(samConfig('sam-tiny'), bytes).hash)
  })

  it('scores that much', async function () {
    this.timeout(60_000)
    const config = samConfig('sam-tiny')
    const engine = await createEngine({ threads: 1 })
    const scores = await score(engine.compile(predictStep(config)), loadWeights(config, bytes).weights, heldOut(16, config), config, 8)
    await engine.dispose()
    for (const [prompt, least] of [['none', 0.7], ['point', 0.6], ['box', 0.75]] as const) {
      expect(scores[prompt], prompt).to.be.within(least, 1)
    }
  })

  it('says where it comes from and how well it segments held-out shapes', () => {
    const { metadata } = readSafetensors(bytes)
    const scores = JSON.parse(metadata['heldOutIoU']!) as Record<string, number>
    expect(metadata['model']).to.equal('sam-tiny')
    expect(Number(metadata['steps'])).to.be.above(0)
    for (const [prompt, least] of [['none', 0.8], ['point', 0.75], ['box', 0.85]] as const) {
      expect(scores[prompt], prompt).to.be.within(least, 1)
    }
  })
})
