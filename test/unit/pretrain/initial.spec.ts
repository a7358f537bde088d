import { expect } from 'chai'
import { initialWeights } from '../../../scripts/pretrain/training/initial.ts'
import { assemble, partition } from '../../../scripts/pretrain/training/parameters.ts'
import { flatten } from '../../../src/model/parameters/layout.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { checkWeights, weightsHash } from '../../../src/model/sam/weights.ts'

const config = samConfig('golden-128')

describe('untrained weights', () => {
  const weights = initialWeights(config, 1)
  const deviation = (name: string): number => {
    const { data } = weights.get(name)!
    return Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length)
  }

  it('are the whole model, and the same for the same seed', () => {
    const hash = weightsHash(checkWeights(config, weights))
    expect(weightsHash(checkWeights(config, initialWeights(config, 1)))).to.equal(hash)
    expect(weightsHash(checkWeights(config, initialWeights(config, 2)))).to.not.equal(hash)
  })

  it('start norms at one, biases and relative positions at zero', () => {
    for (const [name, { data }] of weights) {
      const expected = /norm\w*\.weight|neck\.[13]\.weight|output_upscaling\.1\.weight/.test(name)
        ? 1
        : /\.bias|rel_pos/.test(name)
          ? 0
          : undefined
      if (expected !== undefined) expect(data.every((value) => value === expected), name).to.equal(true)
      else expect(deviation(name), name).to.be.within(0.03, 1)
    }
  })

  it('scale matrices by their sides', () => {
    // Cutting a unit normal at two deviations leaves a deviation of 0.88.
    expect(deviation('image_encoder.blocks.0.mlp.lin1.weight')).to.be.closeTo(0.88 * Math.sqrt(2 / (96 + 4 * 96)), 0.002)
    expect(deviation('image_encoder.neck.2.weight')).to.be.closeTo(0.88 * Math.sqrt(1 / (64 * 9)), 0.002)
  })

  it('give every grid cell its own position', () => {
    const { data } = weights.get('image_encoder.pos_embed')!
    const cells = Array.from({ length: 64 }, (_, i) => data.subarray(i * 96, (i + 1) * 96).join())
    expect(new Set(cells)).to.have.length(64)
  })
})

describe('the parts of a model', () => {
  it('leave out what is not trained and come back whole', () => {
    const weights = initialWeights(config, 1)
    const parameters = partition(weights)
    expect(Object.keys(parameters.fixed).every((name) => /mask_downscaling|gaussian/.test(name))).to.equal(true)
    expect(Object.keys(parameters.fixed)).to.have.length(11)
    const flat = flatten(parameters.layout, Object.fromEntries(weights))
    expect(assemble(parameters, flat)).to.deep.equal(new Map([...weights].sort(([a], [b]) => a < b ? -1 : 1)))
  })
})
