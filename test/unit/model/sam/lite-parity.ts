import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { createEngine, type Engine, type HostRecord, type Step, type TensorRecord } from '../../../../src/compute/index.ts'
import { balanceLoss, routedShare } from '../../../../src/model/blocks/experts.ts'
import { bceLoss, diceLoss, supervisedLoss } from '../../../../src/model/objectives/supervised.ts'
import { embedTokens, encodeImage, neck, runBlocks } from '../../../../src/model/sam/image-encoder.ts'
import { densePositions, encodeDense, encodeSparse, type Prompts } from '../../../../src/model/sam/prompt-encoder.ts'
import { promptMasks } from '../../../../src/model/sam/sam.ts'
import { compute, expectClose, expectCloseRelative } from '../golden.ts'
import {
  facts, hasLiteGolden, liteAdapters, liteConfig, liteGolden, liteWeights, maskSample, noisePicture, sampled, stored, synth, targets64
} from './lite-golden.ts'

export const PICTURES = ['synth', 'nuclei', 'colin'] as const
type Picture = typeof PICTURES[number]

const KINDS = ['box', 'point', 'none'] as const

export function imageOf (name: Picture): HostRecord[string] {
  if (name === 'synth') return synth(256)
  return stored(name === 'nuclei' ? 'in.nuclei_u8' : 'in.colin_resized_u8')
}

export function promptsFor (picture: Picture, kind: typeof KINDS[number]): Prompts {
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

interface Training {
  readonly inputs: HostRecord
  /** Those of which the reference's file has gradients, and that lie behind `from`. */
  readonly names: readonly string[]
  readonly step: Step
}

/** Loss and its parts of two pictures of 64 pixels, and gradients, from block `from` on, whose @tokens are fed where it is not 0. */
function training (mode: 'global' | 'personal', from: number): Training {
  const [config, weights, adapters] = [liteConfig(64), liteWeights(), liteAdapters(mode === 'personal')]
  const prefix = `train64.${mode}.grad`
  const names = [...Object.keys(adapters), ...Object.keys(weights)]
    .filter((name) => hasLiteGolden(`${prefix}.${name}`) || hasLiteGolden(`${prefix}_3_8.${name}`))
    .filter((name) => from === 0 || !/layers\.[12]\./.test(name.replace('mask_decoder.transformer.layers', '')))
  const step = (t: TensorRecord): TensorRecord => {
    const { image, target, '@tokens': tokens, ...base } = t
    const said: TensorRecord = {}
    const total = (...trained: tf.Tensor[]): tf.Scalar => {
      const record = { ...base, ...Object.fromEntries(names.map((name, i) => [name, trained[i]!])) }
      const start = tokens == null ? embedTokens(image as tf.Tensor4D, record, config) : { x: tokens as tf.Tensor4D, routing: [] }
      const { x, routing } = runBlocks(start, record, config, from, config.depth)
      const embedding = neck(x, record)
      const { masks } = promptMasks(record, config, embedding, {}, { maps: [0] })
      const own = supervisedLoss(masks, target!)
      Object.assign(said, { masks, embedding, sup: own, bce: bceLoss(masks, target!), dice: diceLoss(masks, target!) })
      routing.forEach(({ gates }, i) => { Object.assign(said, { [`gates${i}`]: gates, [`share${i}`]: routedShare(gates) }) })
      const balance: tf.Scalar | undefined = routing.length === 0 ? undefined : tf.div(tf.addN(routing.map(balanceLoss)), 2)
      if (balance != null) said['bal'] = balance
      // The gradient's own scope would free them.
      for (const tensor of Object.values(said)) tf.keep(tensor)
      return balance == null ? own : tf.add(own, tf.mul(balance, 0.01))
    }
    const { value, grads } = tf.valueAndGrads(total)(names.map((name) => t[name]!))
    return { ...said, total: value, ...Object.fromEntries(names.map((name, i) => [`grad.${name}`, grads[i]!])) }
  }
  return { inputs: { ...weights, ...adapters, image: pair(synth(64), noisePicture(64)), target: targets64() }, names, step }
}

/** Tokens before a block, made by the engine that is quick. */
async function tokensBefore (block: number, inputs: HostRecord): Promise<HostRecord> {
  if (block === 0) return inputs
  const { tokens } = await compute(inputs, (t) => {
    const config = liteConfig(64)
    return { tokens: runBlocks(embedTokens(t['image'] as tf.Tensor4D, t, config), t, config, 0, block).x }
  })
  return { ...inputs, '@tokens': tokens! }
}

function expectGradients (outputs: HostRecord, mode: string, names: readonly string[]): void {
  for (const each of names) {
    const [whole, tolerance] = [hasLiteGolden(`train64.${mode}.grad.${each}`), each.includes('lmoe') ? 5e-5 : 3e-4]
    const gradient = outputs[`grad.${each}`]!
    const some = { shape: [], data: gradient.data.filter((_, i) => i % 8 === 3) }
    expectCloseRelative(whole ? gradient : some, liteGolden(`train64.${mode}.${whole ? 'grad' : 'grad_3_8'}.${each}`), tolerance)
  }
}

/** Rows and columns 0 and 8 of both pictures' gates. */
function expectRouting (outputs: HostRecord, index: number, block: string): void {
  const golden = (what: string): HostRecord[string] => liteGolden(`train64.personal.${what}.image_encoder.${block}.`)
  expectClose(outputs[`share${index}`], golden('share'), 1e-6)
  const { data } = outputs[`gates${index}`]!
  const rows = [0, 1].flatMap((b) => [0, 8].flatMap((y) => [0, 8].map((x) => (b * 16 + y) * 16 + x)))
  expectClose(
    { shape: [2, 2, 2, 4], data: Float32Array.from(rows.flatMap((row) => [...data.subarray(4 * row, 4 * row + 4)])) },
    golden('gates'),
    1e-4
  )
}

/** What is asked of one engine; slow ones take fewer pictures and, where `from` is not 0, gradients of the last blocks alone. */
export interface Extent {
  readonly pictures: readonly Picture[]
  readonly modes: ReadonlyArray<'global' | 'personal'>
  readonly from: number
}

/** Holds an engine to the reference's numbers for LiteMedSAM. */
export function describeParity (name: 'onnx' | 'wasm' | 'cpu', { pictures, modes, from }: Extent): void {
  describe(`LiteMedSAM against the reference on ${name}`, function () {
    this.timeout(900_000)
    let engine: Engine

    before(async () => { engine = await createEngine({ name, threads: 1 }) })
    after(async () => {
      if (name === 'onnx') expect(engine.fallbacks()).to.have.property('size', 0)
      await engine.dispose()
    })

    it('encodes and decodes 64 pixels with a box', async () => {
      const config = liteConfig(64)
      const outputs = await run(engine, { ...liteWeights(), image: synth(64) }, (t) => {
        const { embedding } = encodeImage(t, config, t['image'] as tf.Tensor4D)
        return { embedding, ...promptMasks(t, config, embedding, { boxes: tf.tensor2d([[10, 13, 44, 47]]) }) }
      })
      expectClose(sampled(outputs['embedding']!, true), liteGolden('size64.neck.3'), 3e-5)
      expectMasks(outputs, 'size64.box', 1, 4)
    })

    for (const picture of pictures) {
      it(`decodes ${picture} with a box, with points and with nothing`, async () => {
        const { embedding } = await compute({ ...liteWeights(), image: imageOf(picture) }, (t) => ({
          embedding: encodeImage(t, liteConfig(), t['image'] as tf.Tensor4D).embedding
        }))
        for (const kind of KINDS) {
          const outputs = await run(engine, { ...liteWeights(), embedding: embedding! }, (t) => {
            const prompts = promptsFor(picture, kind)
            const sparse = encodeSparse(t, liteConfig(), prompts)
            return { ...promptMasks(t, liteConfig(), t['embedding'] as tf.Tensor4D, prompts), ...(sparse == null ? {} : { sparse }) }
          })
          expectMasks(outputs, `${picture}.${kind}`, 4, 8)
          if (picture === 'synth' && kind !== 'none') expectClose(outputs['sparse'], liteGolden(`synth.${kind}.sparse`), 5e-6)
        }
      })
    }

    it('places the grid and takes a mask as prompt', async () => {
      const mask = { shape: [1, 256, 256], data: Float32Array.from({ length: 65_536 }, (_, i) => 4 * Math.sin(i % 97 / 10)) }
      const outputs = await run(engine, { ...liteWeights(), mask }, (t) => ({
        grid: densePositions(t, liteConfig()),
        dense: encodeDense(t, { mask: t['mask'] as tf.Tensor3D })
      }))
      expectClose(sampled(outputs['grid']!), liteGolden('pe.dense'), 5e-6)
      expectClose(eighths(outputs['dense']!), liteGolden('pe.dense_mask'), 1e-4)
    })

    for (const mode of modes) {
      it(`trains the ${mode} model as the reference does`, async () => {
        const { inputs, names, step } = training(mode, from)
        const outputs = await run(engine, await tokensBefore(from, inputs), step)
        const golden = (rest: string): HostRecord[string] => liteGolden(`train64.${mode}.${rest}`)
        expect(names.some((each) => each.includes('layers.3.blocks.1.attn.qkv.lora_A_q'))).to.equal(true)
        expectGradients(outputs, mode, names)
        if (from > 0) return
        expectClose(maskSample(outputs['masks']!, 2, 4), golden('masks_sub'), 1e-3)
        expectClose(sampled(outputs['embedding']!), golden('embedding'), 3e-5)
        for (const part of ['bce', 'dice', 'sup', 'total']) expectClose(outputs[part], golden(part), 2e-6)
        if (mode === 'global') return
        expectClose(outputs['bal'], golden('bal'), 2e-6)
        expectRouting(outputs, 0, 'layers.2.blocks.3')
        expectRouting(outputs, 1, 'layers.3.blocks.1')
      })
    }
  })
}

/** Every eighth channel instead of every fourth. */
function eighths (tensor: HostRecord[string]): HostRecord[string] {
  const fourths = sampled(tensor)
  return { shape: [1, 8, 8, 32], data: fourths.data.filter((_, i) => i % 2 === 0) }
}
