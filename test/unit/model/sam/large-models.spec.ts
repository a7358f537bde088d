import { expect } from 'chai'
import { InputError } from '../../../../src/errors.ts'
import { lowResSide, samConfig, withImageSize } from '../../../../src/model/sam/build-sam.ts'
import { huggingFaceName as written, originalName } from '../../../../src/model/sam/naming.ts'
import { parameterCount, tensorShapes } from '../../../../src/model/sam/tensor-shapes.ts'
import { sourceNames } from '../../../../src/model/sam/weights.ts'
import { defaultImageSize } from '../../../../src/settings/model.ts'
import { huggingFaceName } from './hugging-face-name.ts'

/** As published (segment-anything's build_sam.py). */
const PUBLISHED = [
  { name: 'vit-b', dim: 768, depth: 12, heads: 12, global: [2, 5, 8, 11], parameters: 93_735_472 },
  { name: 'vit-l', dim: 1024, depth: 24, heads: 16, global: [5, 11, 17, 23], parameters: 312_342_832 },
  { name: 'vit-h', dim: 1280, depth: 32, heads: 16, global: [7, 15, 23, 31], parameters: 641_090_608 }
]

/** Prompt encoder and mask decoder, the same in all three (docs/spec/sam.md#parameter-counts). */
const REST = 6_220 + 4_058_340

/** docs/spec/sam.md#image-encoder, counted by hand: patches, positions, blocks with their tables, neck. */
function encoderParameters ({ dim, depth, heads, global }: typeof PUBLISHED[number]): number {
  const block = 2 * 2 * dim + (3 * dim * dim + 3 * dim) + (dim * dim + dim) + (4 * dim * dim + 4 * dim) + (4 * dim * dim + dim)
  const tables = 2 * (global.length * 127 + (depth - global.length) * 27) * dim / heads
  return (16 * 16 * 3 * dim + dim) + 64 * 64 * dim + depth * block + tables + (dim * 256 + 2 * 256) + (256 * 256 * 9 + 2 * 256)
}

describe('the large models', () => {
  for (const published of PUBLISHED) {
    const { name, dim, depth, heads, global, parameters } = published
    it(`${name} has the published parameters, blocks and tables`, () => {
      const config = samConfig(name)
      const shapes = tensorShapes(config)
      expect(config).to.include({ dim, depth, heads, imageSize: 1024, window: 14, width: 256 })
      expect(config.globalBlocks).to.deep.equal(global)
      expect(parameterCount(config)).to.equal(parameters)
      expect(encoderParameters(published) + REST).to.equal(parameters)
      expect(new Set([...shapes.keys()].flatMap((tensor) => /blocks\.(\d+)\./.exec(tensor)?.[1] ?? [])).size).to.equal(depth)
      for (let block = 0; block < depth; block++) {
        for (const axis of ['h', 'w']) {
          expect(shapes.get(`image_encoder.blocks.${block}.attn.rel_pos_${axis}`)).to.deep.equal([
            global.includes(block) ? 127 : 27,
            dim / heads
          ])
        }
      }
      expect(shapes.get('image_encoder.pos_embed')).to.deep.equal([1, 64, 64, dim])
    })

    it(`${name} has every tensor under both namings`, () => {
      const own = [...tensorShapes(samConfig(name)).keys()]
      const theirs = own.map(huggingFaceName)
      expect(new Set(theirs).size).to.equal(own.length)
      expect(own.map(written)).to.deep.equal(theirs)
      expect(theirs.map(originalName)).to.deep.equal(own)
      expect([...sourceNames(theirs).sources.keys()]).to.deep.equal(own)
      expect([...sourceNames(own).sources.values()]).to.deep.equal(own)
    })

    it(`${name} works at 448 pixels by default, and at multiples of 16 alone`, () => {
      const config = samConfig(name)
      expect(defaultImageSize(config)).to.equal(448)
      const small = withImageSize(config, 448)
      expect(lowResSide(small)).to.equal(112)
      expect(tensorShapes(small).get(`image_encoder.blocks.${global[0]}.attn.rel_pos_h`)).to.deep.equal([55, dim / heads])
      for (const side of [450, 0, -16, NaN]) {
        expect(() => withImageSize(config, side)).to.throw(InputError, `${side} is not a multiple of the patch side 16`)
      }
    })
  }

  it('are what a wrong name is answered with, without the model that only tests use', () => {
    expect(() => samConfig('vit-x')).to.throw(InputError, 'use sam-tiny, vit-b, vit-l, vit-h')
    expect(defaultImageSize(samConfig('sam-tiny'))).to.equal(128)
  })
})
