import { expect } from 'chai'
import { initialWeights } from '../../../scripts/pretrain/initial.ts'
import { assemble, decayMask, flatten, layOut } from '../../../scripts/pretrain/parameters.ts'
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
      const expected = /norm\w*\.weight|neck\.[13]\.weight|output_upscaling\.1\.weight/.test(name) ? 1 : /\.bias|rel_pos/.test(name) ? 0 : undefined
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

describe('the flat vector of parameters', () => {
  const weights = initialWeights(config, 1)
  const layout = layOut(weights)
  const flat = flatten(layout, (name) => weights.get(name)!.data)

  it('leaves out what is not trained and comes back whole', () => {
    expect([...layout.fixed.keys()].every((name) => /mask_downscaling|gaussian/.test(name))).to.equal(true)
    expect(assemble(layout, flat)).to.deep.equal(new Map([...weights].sort(([a], [b]) => a < b ? -1 : 1)))
  })

  it('decays matrices and kernels alone', () => {
    const mask = decayMask(layout)
    const decayed = layout.places.filter(({ begin }) => mask[begin] === 1).map(({ name }) => name)
    expect(decayed).to.include.members([
      'image_encoder.patch_embed.proj.weight', 'image_encoder.blocks.1.attn.qkv.weight', 'mask_decoder.output_upscaling.3.weight',
      'mask_decoder.transformer.layers.0.cross_attn_image_to_token.q_proj.weight'
    ])
    expect(decayed.filter((name) => /bias|norm|mask_tokens|iou_token|rel_pos|pos_embed|_embed\.weight|point_embeddings/.test(name))).to.deep.equal([])
  })
})
