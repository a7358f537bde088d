import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { hashTensor, weightScale } from '../../../bench/sam/hash-tensor.ts'
import { readSafetensors, writeSafetensors, type NamedTensor } from '../../../src/adapter/safetensors.ts'
import { createEngine, type Engine, type HostRecord, type TensorRecord } from '../../../src/compute/index.ts'
import { gridSide, samConfig, withImageSize } from '../../../src/model/sam/build-sam.ts'
import { PLAIN } from '../../../src/model/sam/encoder-graph.ts'
import { encodeImage } from '../../../src/model/sam/image-encoder.ts'
import { promptMasks } from '../../../src/model/sam/sam.ts'
import { tensorShapes } from '../../../src/model/sam/tensor-shapes.ts'
import { prepareWeights } from '../../../src/model/sam/weights.ts'
import { readBaseModel } from '../../../src/site-model/base/base-model.ts'
import { importModel, type ImportedModel } from '../../../src/site-model/base/import-model.ts'
import { expectClose, nhwc } from '../../unit/model/golden.ts'
import { huggingFaceName } from '../../unit/model/sam/hugging-face-name.ts'
import { writePth } from '../../unit/node/offline-models/pth-writer.ts'

const config = samConfig('vit-b')

function generated (): Map<string, NamedTensor> {
  return new Map([...tensorShapes(config)].map(([name, shape]) => {
    const { amplitude, offset } = weightScale(name, shape)
    return [name, { shape, data: hashTensor(`vitb:${name}`, shape.reduce((product, side) => product * side, 1), amplitude, offset) }]
  }))
}

/** Elements of a [1,H,W,C] map at rows and columns begin, begin + step…, every `every`-th channel. */
function sampled ({ shape, data }: { shape: readonly number[], data: ArrayLike<number> }, step: number, every = 1): NamedTensor {
  const [, height, width, channels] = shape as [number, number, number, number]
  const begin = Math.floor(step / 2)
  const result: number[] = []
  for (let row = begin; row < height; row += step) {
    for (let column = begin; column < width; column += step) {
      for (let channel = 0; channel < channels; channel += every) result.push(data[(row * width + column) * channels + channel]!)
    }
  }
  return { shape: [result.length], data: Float32Array.from(result) }
}

describe('ViT-B against the reference, from imported files', function () {
  this.timeout(180_000)
  let folder = ''
  let engine: Engine
  let fromPth: ImportedModel
  let fromSafetensors: ImportedModel
  let probe: ReadonlyMap<string, NamedTensor>

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-vit-b-'))
    engine = await createEngine({ name: 'onnx', memory: 'low' })
    probe = readSafetensors(await readFile(new URL('../../fixtures/golden/sam_vitb_probe.safetensors', import.meta.url)))
      .tensors as ReadonlyMap<string, NamedTensor>
    const tensors = generated()
    const file = join(folder, 'weights')
    await writeFile(file, writePth(tensors))
    fromPth = await importModel({ file, folder, name: 'from-pth' })
    await writeFile(file, writeSafetensors(new Map([...tensors].map(([name, tensor]) => [huggingFaceName(name), tensor]))))
    fromSafetensors = await importModel({ file, folder, name: 'from-safetensors' })
    await rm(file)
  })

  after(async () => {
    await engine.dispose()
    await rm(folder, { recursive: true, force: true })
  })

  it('recognises both files as the same 93,735,472 parameters', () => {
    for (const imported of [fromPth, fromSafetensors]) {
      expect(imported).to.include({ architecture: 'vit-b', parameters: 93_735_472, hash: fromPth.hash })
    }
  })

  for (const side of [256, 512]) {
    it(`matches encoder, masks and IoU of the probe at ${side} px (docs/spec/sam.md#tolerances)`, async () => {
      const base = await readBaseModel('vit-b', (side === 256 ? fromPth : fromSafetensors).path)
      const small = withImageSize(config, side)
      const image = hashTensor(`vitb:input${side}`, 3 * side * side, 2)
      const scale = side / 1024
      const inputs: HostRecord = {
        ...prepareWeights(base.weights, config, small),
        '@image': nhwc({ shape: [1, 3, side, side], data: image }),
        '@point': { shape: [1, 1, 2], data: Float32Array.of(512 * scale, 400 * scale) },
        '@label': { shape: [1, 1], data: Float32Array.of(1) },
        '@box': { shape: [1, 4], data: Float32Array.of(200, 300, 700, 800).map((value) => value * scale) }
      }
      const compiled = engine.compile((t: TensorRecord) => {
        const { embedding } = encodeImage(t, small, t['@image'] as tf.Tensor4D, PLAIN)
        const outputs: TensorRecord = { embedding }
        const prompts = {
          point: { points: { coordinates: t['@point'] as tf.Tensor3D, labels: t['@label'] as tf.Tensor2D } },
          box: { boxes: t['@box'] as tf.Tensor2D },
          none: {}
        }
        for (const [name, prompt] of Object.entries(prompts)) {
          const { masks, iou } = promptMasks(t, small, embedding, prompt)
          outputs[`${name}.masks`] = tf.transpose(masks, [0, 2, 3, 1])
          outputs[`${name}.iou`] = iou
        }
        return outputs
      })
      const outputs = await compiled.run(inputs)
      await compiled.dispose()
      const grid = gridSide(small)
      expectClose(sampled(outputs['embedding']!, grid / 8), flat(nhwc(probe.get(`s${side}.enc.out`)!)), 2e-3)
      for (const name of ['point', 'box', 'none']) {
        expectClose(sampled(outputs[`${name}.masks`]!, 4 * grid / 32), flat(nhwc(probe.get(`s${side}.${name}.masks_sub`)!)), 1e-3)
        expectClose(outputs[`${name}.iou`], probe.get(`s${side}.${name}.iou`)!, 1e-3)
      }
      expect([...engine.fallbacks()]).to.deep.equal([])
    })
  }
})

function flat (tensor: NamedTensor): NamedTensor {
  return { shape: [tensor.data.length], data: tensor.data }
}
