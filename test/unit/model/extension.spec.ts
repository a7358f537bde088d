import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import type { TensorRecord } from '../../../src/compute/index.ts'
import { balanceLoss, routedShare } from '../../../src/model/blocks/experts.ts'
import { distillationLoss } from '../../../src/model/objectives/distillation.ts'
import { diceLoss, supervisedLoss } from '../../../src/model/objectives/supervised.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { encodeImage } from '../../../src/model/sam/image-encoder.ts'
import { samForward, type SamOutput } from '../../../src/model/sam/sam.ts'
import { compute, expectClose, expectCloseRelative, extensionWeights, golden, goldenExtension, nhwc, tinyWeights } from './golden.ts'

const config = samConfig('golden-128')
const lora = Object.keys(extensionWeights).filter((name) => name.includes('lora'))
const experts = Object.keys(extensionWeights).filter((name) => name.includes('lmoe'))
const inputs = {
  ...tinyWeights,
  ...extensionWeights,
  image: nhwc(golden('in.image')),
  target: golden('in.target'),
  teacher: goldenExtension('zT_phaseG'),
  masks: goldenExtension('global.masks')
}

/** The model with some tensors replaced; without `names`, the global one. */
function forward (t: TensorRecord, names: readonly string[], trained: Record<string, tf.Tensor> = {}): SamOutput {
  const base = Object.fromEntries(Object.keys(tinyWeights).map((name) => [name, t[name]!]))
  const adapters = Object.fromEntries(names.map((name) => [name, trained[name] ?? t[name]!]))
  return samForward({ ...base, ...adapters }, config, t['image'] as tf.Tensor4D, {}, { maps: [0] })
}

function mean (terms: tf.Scalar[]): tf.Scalar {
  return tf.div(tf.addN(terms), terms.length)
}

describe('LoRA and experts against the reference', () => {
  it('gives the global and the personal model, gates and shares', async () => {
    const outputs = await compute(inputs, (t) => {
      const global = encodeImage(
        Object.fromEntries(Object.entries(t).filter(([name]) => !experts.includes(name))),
        config,
        t['image'] as tf.Tensor4D
      )
      const personal = encodeImage(t, config, t['image'] as tf.Tensor4D)
      expect(global.routing).to.have.length(0)
      const { probabilities, gates } = personal.routing[0]!
      const masks = samForward(t, config, t['image'] as tf.Tensor4D).masks
      return {
        global: global.embedding,
        personal: personal.embedding,
        masks,
        probabilities,
        gates,
        share: routedShare(gates),
        globalMask: forward(t, lora).masks
      }
    })
    expectClose(outputs['global'], nhwc(goldenExtension('global.enc.out')), 3e-5)
    expectClose(outputs['personal'], nhwc(goldenExtension('personal.enc.out')), 3e-5)
    expectClose(outputs['masks'], goldenExtension('personal.masks'), 3e-5)
    expectClose(outputs['probabilities'], goldenExtension('personal.block1.gate_probs'), 4e-5)
    expectClose(outputs['gates'], goldenExtension('personal.block1.gates'), 4e-5)
    expectClose(outputs['share'], goldenExtension('personal.block1.f'), 1e-6)
  })

  it('phase G: losses and the gradients of LoRA', async () => {
    const outputs = await compute(inputs, (t) => {
      const loss = (...trained: tf.Tensor[]): tf.Scalar => {
        const z = forward(t, lora, Object.fromEntries(lora.map((name, i) => [name, trained[i]!]))).masks
        return tf.add(supervisedLoss(z, t['target']!), tf.mul(distillationLoss(t['teacher']!, z, 2), 0.5))
      }
      const z = forward(t, lora).masks
      const { value, grads } = tf.valueAndGrads(loss)(lora.map((name) => t[name]!))
      return {
        total: value,
        sup: supervisedLoss(z, t['target']!),
        kd: distillationLoss(t['teacher']!, z, 2),
        kd_dice: diceLoss(z, tf.sigmoid(t['teacher']!)),
        ...Object.fromEntries(lora.map((name, i) => [name, grads[i]!]))
      }
    })
    for (const name of ['total', 'sup', 'kd', 'kd_dice']) expectClose(outputs[name], goldenExtension(`phaseG.${name}`), 1e-6)
    for (const name of lora.filter((each) => /blocks\.[03]\./.test(each))) {
      expectCloseRelative(outputs[name], goldenExtension(`phaseG.grad.${name}`), 5e-5)
    }
  })

  it('phase L: losses and the gradients of every expert tensor', async () => {
    const outputs = await compute(inputs, (t) => {
      const teacher = tf.slice(t['masks']!, [0, 0, 0, 0], [2, 1, 32, 32])
      const run = (trained: tf.Tensor[]): SamOutput =>
        forward(t, [...lora, ...experts], Object.fromEntries(experts.map((name, i) => [name, trained[i]!])))
      const loss = (...trained: tf.Tensor[]): tf.Scalar => {
        const { masks, routing } = run(trained)
        const own = tf.add(supervisedLoss(masks, t['target']!), tf.mul(distillationLoss(teacher, masks, 2), 0.1))
        return tf.add(own, tf.mul(mean(routing.map(balanceLoss)), 0.01))
      }
      const start = experts.map((name) => t[name]!)
      const { masks, routing } = run(start)
      const { value, grads } = tf.valueAndGrads(loss)(start)
      return {
        total: value,
        sup: supervisedLoss(masks, t['target']!),
        kd: distillationLoss(teacher, masks, 2),
        balance: mean(routing.map(balanceLoss)),
        ...Object.fromEntries(experts.map((name, i) => [name, grads[i]!]))
      }
    })
    for (const name of ['total', 'sup', 'kd', 'balance']) expectClose(outputs[name], goldenExtension(`phaseL.${name}`), 1e-6)
    for (const name of experts) expectCloseRelative(outputs[name], goldenExtension(`phaseL.grad.${name}`), 5e-5)
  })
})
