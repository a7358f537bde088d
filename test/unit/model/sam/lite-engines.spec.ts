import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { createEngine, type Engine, type HostRecord, type Step, type TensorRecord } from '../../../../src/compute/index.ts'
import { balanceLoss, routedShare } from '../../../../src/model/blocks/experts.ts'
import { bceLoss, diceLoss, supervisedLoss } from '../../../../src/model/objectives/supervised.ts'
import { encodeImage } from '../../../../src/model/sam/image-encoder.ts'
import { densePositions, encodeDense, encodeSparse, type Prompts } from '../../../../src/model/sam/prompt-encoder.ts'
import { promptMasks, samForward, type SamOutput } from '../../../../src/model/sam/sam.ts'
import { compute, expectClose, expectCloseRelative } from '../golden.ts'
import {
  facts, hasLiteGolden, liteAdapters, liteConfig, liteGolden, liteWeights, maskSample, noisePicture, sampled, stored, synth, targets64
} from './lite-golden.ts'

const PICTURES = ['synth', 'nuclei', 'colin'] as const
const KINDS = ['box', 'point', 'none'] as const

function imageOf (name: typeof PICTURES[number]): HostRecord[string] {
  if (name === 'synth') return synth(256)
  return stored(name === 'nuclei' ? 'in.nuclei_u8' : 'in.colin_resized_u8')
}

function promptsFor (picture: string, kind: typeof KINDS[number]): Prompts {
  const { box, point: [coordinates, labels] } = facts.prompts[picture]!
  if (kind === 'none') return {}
  if (kind === 'box') return { boxes: tf.tensor2d([box]) }
  return { points: { coordinates: tf.tensor3d([coordinates]), labels: tf.tensor2d([labels], undefined, 'float32') } }
}

async function run (engine: Engine, inputs: HostRecord, step: Step): Promise<HostRecord> {
  const compiled = engine.compile(step)
  const outputs = await compiled.run(inputs)
  await compiled.dispose()
  return outputs
}

function expectMasks ({ masks, iou }: HostRecord, prefix: string, from: number, by: number): void {
  expectClose(maskSample(masks!, from, by), liteGolden(`${prefix}.masks_sub`), 1e-3)
  expectClose(iou, liteGolden(`${prefix}.iou`), 5e-6)
}

function pair (one: HostRecord[string], other: HostRecord[string]): HostRecord[string] {
  return { shape: [2, ...one.shape.slice(1)], data: Float32Array.of(...one.data, ...other.data) }
}

/** Loss and its parts of two pictures of 64 pixels, and the gradients that the reference's file has. */
function training (mode: 'global' | 'personal'): { inputs: HostRecord, names: string[], step: Step } {
  const adapters = liteAdapters(mode === 'personal')
  const weights = liteWeights()
  const prefix = `train64.${mode}.grad`
  const names = [...Object.keys(adapters), ...Object.keys(weights)]
    .filter((name) => hasLiteGolden(`${prefix}.${name}`) || hasLiteGolden(`${prefix}_3_8.${name}`))
  const config = liteConfig(64)
  const step = (t: TensorRecord): TensorRecord => {
    const { image, target, ...base } = t
    const forward = (trained: tf.Tensor[]): SamOutput =>
      samForward({ ...base, ...Object.fromEntries(names.map((name, i) => [name, trained[i]!])) }, config, image as tf.Tensor4D, {}, { maps: [0] })
    const balance = ({ routing }: SamOutput): tf.Scalar => tf.div(tf.addN(routing.map(balanceLoss)), routing.length)
    const total = (out: SamOutput): tf.Scalar => {
      const own = supervisedLoss(out.masks, target!)
      return out.routing.length === 0 ? own : tf.add(own, tf.mul(balance(out), 0.01))
    }
    const start = names.map((name) => t[name]!)
    const out = forward(start)
    const { value, grads } = tf.valueAndGrads((...trained) => total(forward(trained)))(start)
    return {
      masks: out.masks,
      embedding: encodeImage(base, config, image as tf.Tensor4D).embedding,
      total: value,
      sup: supervisedLoss(out.masks, target!),
      bce: bceLoss(out.masks, target!),
      dice: diceLoss(out.masks, target!),
      ...(out.routing.length === 0 ? {} : { bal: balance(out) }),
      ...Object.fromEntries(out.routing.flatMap(({ gates }, i) => [[`gates${i}`, gates], [`share${i}`, routedShare(gates)]])),
      ...Object.fromEntries(names.map((name, i) => [`grad.${name}`, grads[i]!]))
    }
  }
  return { inputs: { ...weights, ...adapters, image: pair(synth(64), noisePicture(64)), target: targets64() }, names, step }
}

describe('LiteMedSAM against the reference on every engine', function () {
  this.timeout(600_000)
  const embeddings = new Map<string, HostRecord[string]>()

  before(async () => {
    for (const name of PICTURES) {
      const { embedding } = await compute({ ...liteWeights(), image: imageOf(name) }, (t) => ({
        embedding: encodeImage(t, liteConfig(), t['image'] as tf.Tensor4D).embedding
      }))
      embeddings.set(name, embedding!)
    }
  })

  for (const name of ['onnx', 'wasm', 'cpu'] as const) {
    describe(name, () => {
      let engine: Engine

      before(async () => { engine = await createEngine({ name, threads: 1 }) })
      after(async () => {
        if (name === 'onnx') expect(engine.fallbacks()).to.have.property('size', 0)
        await engine.dispose()
      })

      for (const side of [64, ...name === 'cpu' ? [] : [112]]) {
        it(`encodes and decodes ${side} pixels with a box`, async () => {
          const box = [10, 13, 44, 47].map((corner) => corner * side / 64)
          const outputs = await run(engine, { ...liteWeights(), image: synth(side) }, (t) => {
            const { embedding } = encodeImage(t, liteConfig(side), t['image'] as tf.Tensor4D)
            return { embedding, ...promptMasks(t, liteConfig(side), embedding, { boxes: tf.tensor2d([box]) }) }
          })
          expectClose(sampled(outputs['embedding']!, true), liteGolden(`size${side}.neck.3`), 3e-5)
          expectMasks(outputs, `size${side}.box`, 1, 4)
        })
      }

      for (const picture of name === 'cpu' ? ['synth'] as const : PICTURES) {
        for (const kind of KINDS) {
          it(`decodes ${picture} with ${kind}`, async () => {
            const outputs = await run(engine, { ...liteWeights(), embedding: embeddings.get(picture)! }, (t) => {
              const prompts = promptsFor(picture, kind)
              const sparse = encodeSparse(t, liteConfig(), prompts)
              return { ...promptMasks(t, liteConfig(), t['embedding'] as tf.Tensor4D, prompts), ...(sparse == null ? {} : { sparse }) }
            })
            expectMasks(outputs, `${picture}.${kind}`, 4, 8)
            if (picture === 'synth' && kind !== 'none') expectClose(outputs['sparse'], liteGolden(`synth.${kind}.sparse`), 5e-6)
          })
        }
      }

      it('places the grid and takes a mask as prompt', async () => {
        const mask = { shape: [1, 256, 256], data: Float32Array.from({ length: 65_536 }, (_, i) => 4 * Math.sin(i % 97 / 10)) }
        const outputs = await run(engine, { ...liteWeights(), mask }, (t) => ({
          grid: densePositions(t, liteConfig()),
          dense: encodeDense(t, { mask: t['mask'] as tf.Tensor3D })
        }))
        expectClose(sampled(outputs['grid']!), liteGolden('pe.dense'), 5e-6)
        const every8th = { ...outputs['dense']!, data: outputs['dense']!.data }
        expectClose(eighths(every8th), liteGolden('pe.dense_mask'), 1e-4)
      })

      for (const mode of ['global', 'personal'] as const) {
        it(`trains the ${mode} model as the reference does`, async () => {
          const { inputs, names, step } = training(mode)
          const outputs = await run(engine, inputs, step)
          const golden = (rest: string): HostRecord[string] => liteGolden(`train64.${mode}.${rest}`)
          expectClose(maskSample(outputs['masks']!, 2, 4), golden('masks_sub'), 1e-3)
          expectClose(sampled(outputs['embedding']!), golden('embedding'), 3e-5)
          for (const part of ['bce', 'dice', 'sup', 'total']) expectClose(outputs[part], golden(part), 2e-6)
          for (const each of names) {
            const [whole, tolerance] = [hasLiteGolden(`train64.${mode}.grad.${each}`), each.includes('lmoe') ? 5e-5 : 3e-4]
            const gradient = outputs[`grad.${each}`]!
            const some = { shape: [], data: gradient.data.filter((_, i) => i % 8 === 3) }
            expectCloseRelative(whole ? gradient : some, golden(whole ? `grad.${each}` : `grad_3_8.${each}`), tolerance)
          }
          if (mode === 'global') return
          expectClose(outputs['bal'], golden('bal'), 2e-6)
          for (const [i, block] of ['layers.2.blocks.3', 'layers.3.blocks.1'].entries()) {
            expectClose(outputs[`share${i}`], golden(`share.image_encoder.${block}.`), 1e-6)
            const { data } = outputs[`gates${i}`]!
            const rows = [0, 1].flatMap((b) => [0, 8].flatMap((y) => [0, 8].map((x) => (b * 16 + y) * 16 + x)))
            const gates = { shape: [2, 2, 2, 4], data: Float32Array.from(rows.flatMap((row) => [...data.subarray(4 * row, 4 * row + 4)])) }
            expectClose(gates, golden(`gates.image_encoder.${block}.`), 1e-4)
          }
        })
      }
    })
  }
})

/** Every eighth channel instead of every fourth. */
function eighths (tensor: HostRecord[string]): HostRecord[string] {
  const fourths = sampled(tensor)
  return { shape: [1, 8, 8, 32], data: fourths.data.filter((_, i) => i % 2 === 0) }
}
