import type * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { hashTensor, weightScale } from '../../../../bench/sam/hash-tensor.ts'
import { readFloatTensors, writeSafetensors, type NamedTensor } from '../../../../src/adapter/safetensors.ts'
import { SchemaError } from '../../../../src/errors.ts'
import { samConfig, withImageSize } from '../../../../src/model/sam/build-sam.ts'
import { encodeImage } from '../../../../src/model/sam/image-encoder.ts'
import { densePositions } from '../../../../src/model/sam/prompt-encoder.ts'
import { tensorShapes } from '../../../../src/model/sam/tensor-shapes.ts'
import { checkWeights, loadWeights, prepareWeights } from '../../../../src/model/sam/weights.ts'
import { compute, difference, expectClose, golden, nhwc, tinyWeights } from '../golden.ts'
import { huggingFaceName } from './hugging-face-name.ts'

const config = samConfig('golden-128')
const original = new Map(Object.entries(tinyWeights))

describe('weights', () => {
  it('loads its own file and the Hugging Face naming into the same model', () => {
    const own = loadWeights(config, writeSafetensors(original))
    const theirs = new Map([...original].map(([name, tensor]) => [huggingFaceName(name), tensor]))
    theirs.set('shared_image_embedding.positional_embedding', theirs.get('prompt_encoder.shared_embedding.positional_embedding')!)
    const other = loadWeights(config, writeSafetensors(theirs))
    expect([...theirs.keys()].filter((name) => original.has(name)).length).to.be.lessThan(100)
    expect(other.hash).to.equal(own.hash)
    expect(Object.keys(other.weights)).to.deep.equal(Object.keys(own.weights))
    theirs.delete('prompt_encoder.shared_embedding.positional_embedding')
    expect(loadWeights(config, writeSafetensors(theirs)).hash).to.equal(own.hash)
  })

  it('refuses two different copies of the tied matrix', () => {
    const theirs = new Map([...original].map(([name, tensor]) => [huggingFaceName(name), tensor]))
    theirs.set('shared_image_embedding.positional_embedding', { shape: [2, 32], data: new Float32Array(64) })
    expect(() => loadWeights(config, writeSafetensors(theirs))).to.throw(SchemaError, 'Fourier matrix')
  })

  it('refuses two tensors that mean the same one', () => {
    const theirs = new Map([...original].map(([name, tensor]) => [huggingFaceName(name), tensor]))
    theirs.set('image_encoder.pos_embed', original.get('image_encoder.pos_embed')!)
    expect(() => loadWeights(config, writeSafetensors(theirs))).to.throw(
      SchemaError,
      /vision_encoder\.pos_embed and image_encoder\.pos_embed/
    )
  })

  it('names a tensor that is missing, superfluous or of another shape', () => {
    const name = 'image_encoder.blocks.2.attn.rel_pos_h'
    const wrong = (change: (tensors: Map<string, NamedTensor>) => void): (() => unknown) => () => {
      const tensors = new Map(original)
      change(tensors)
      return checkWeights(config, tensors)
    }
    expect(wrong((tensors) => tensors.delete(name))).to.throw(SchemaError, `${name} of model golden-128 is missing`)
    expect(wrong((tensors) => tensors.set('other.weight', { shape: [1], data: new Float32Array(1) }))).to.throw(
      SchemaError,
      'other.weight is not part'
    )
    expect(wrong((tensors) => tensors.set(name, { shape: [13, 32], data: new Float32Array(13 * 32) }))).to.throw(
      SchemaError,
      `${name} has the shape [13, 32]`
    )
  })

  it('hashes values, not files: a float16 file equals its widened copy, one changed bit does not', () => {
    const half = writeSafetensors(original, {}, 'F16')
    const widened = readFloatTensors(half).tensors
    const { hash } = loadWeights(config, half)
    expect(loadWeights(config, writeSafetensors(new Map([...widened].reverse()), { note: 'other' })).hash).to.equal(hash)
    const bias = widened.get('image_encoder.neck.3.bias')!
    widened.set('image_encoder.neck.3.bias', { shape: bias.shape, data: bias.data.with(0, bias.data[0]! + 0.5) })
    expect(loadWeights(config, writeSafetensors(widened)).hash).to.not.equal(hash)
  })

  it('counts the parameters of the specification', () => {
    const count = (name: string): number =>
      [...tensorShapes(samConfig(name))].reduce(
        (sum, [tensor, shape]) => sum + (tensor.endsWith('gaussian_matrix') ? 0 : shape.reduce((product, side) => product * side, 1)),
        0
      )
    expect(count('vit-b')).to.equal(93_735_472)
    expect(count('golden-128')).to.equal(731_208)
    expect(count('sam-tiny')).to.be.lessThan(2_500_000)
  })
})

describe('other image sizes', () => {
  for (const size of [64, 192]) {
    it(`matches the reference at ${size} pixels`, async () => {
      const to = withImageSize(config, size)
      const weights = prepareWeights(checkWeights(config, original), config, to)
      expectClose(weights['image_encoder.pos_embed'], golden(`size${size}.pos_embed`), 2e-6)
      expectClose(weights['image_encoder.blocks.2.attn.rel_pos_h'], golden(`size${size}.block2.rel_pos_h`), 2e-6)
      checkWeights(to, new Map(Object.entries(weights)))
      const outputs = await compute({ ...weights, image: nhwc(golden(`in.image${size}`)) }, (t) => ({
        embedding: encodeImage(t, to, t['image'] as tf.Tensor4D).embedding,
        grid: densePositions(t, to)
      }))
      expectClose(outputs['embedding'], nhwc(golden(`size${size}.enc.out`)), 3e-5)
      expectClose(outputs['grid'], nhwc(golden(`size${size}.pe.dense_pe`)), 5e-6)
    })
  }
})

describe('hash-generated tensors', () => {
  it('equal all 202 stored weights bit for bit', () => {
    expect(original.size).to.equal(202)
    for (const [name, { shape, data }] of original) {
      const { amplitude, offset } = weightScale(name, shape)
      expect(difference({ shape, data: hashTensor(`param:${name}`, data.length, amplitude, offset) }, { shape, data }), name).to.equal(0)
    }
  })
})
