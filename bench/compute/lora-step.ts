/** The training step of torch_lora_step.py, written against tfjs-core. */
import * as tf from '@tensorflow/tfjs-core'
import { elementCount } from '../../src/adapter/schema.ts'
import { normal, seededRandom } from '../../src/common/random.ts'
import { gelu, layerNorm } from '../../src/compute/index.ts'
import type { HostRecord, HostTensor, Step, TensorRecord } from '../../src/compute/index.ts'
import { createLayout, flatten, unpack } from '../../src/model/parameters/layout.ts'
import type { Layout } from '../../src/model/parameters/layout.ts'
import type { Case } from './cases.ts'

interface Drawn { readonly shape: readonly number[], readonly data: Float32Array }

const DIM = 768
const HEADS = 12
const HEAD = DIM / HEADS
const RANK = 4
const LORA = ['qA', 'qB', 'vA', 'vB']
const RATE = 1e-3
const BETAS = [0.9, 0.999] as const
const EPSILON = 1e-7

/** Shape and standard deviation of one block's tensors; `one` is a norm's weight. */
const tensors: Record<string, { readonly shape: readonly number[], readonly scale: number, readonly one?: boolean }> = {
  n1w: { shape: [DIM], scale: 0, one: true },
  n1b: { shape: [DIM], scale: 0 },
  n2w: { shape: [DIM], scale: 0, one: true },
  n2b: { shape: [DIM], scale: 0 },
  wqkv: { shape: [DIM, 3 * DIM], scale: DIM ** -0.5 },
  bqkv: { shape: [3 * DIM], scale: 0 },
  wp: { shape: [DIM, DIM], scale: DIM ** -0.5 },
  bp: { shape: [DIM], scale: 0 },
  w1: { shape: [DIM, 4 * DIM], scale: DIM ** -0.5 },
  b1: { shape: [4 * DIM], scale: 0 },
  w2: { shape: [4 * DIM, DIM], scale: (4 * DIM) ** -0.5 },
  b2: { shape: [DIM], scale: 0 },
  qA: { shape: [DIM, RANK], scale: DIM ** -0.5 },
  qB: { shape: [RANK, DIM], scale: 0.02 },
  vA: { shape: [DIM, RANK], scale: DIM ** -0.5 },
  vB: { shape: [RANK, DIM], scale: 0.02 }
}

function linear (x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor2D {
  return tf.fused.matMul({ a: x, b: weight, bias }) as tf.Tensor2D
}

/** [tokens, dim] → [heads, tokens, head] */
function heads (x: tf.Tensor): tf.Tensor3D {
  return tf.transpose(tf.reshape(x, [-1, HEADS, HEAD]), [1, 0, 2])
}

function attention (h: tf.Tensor2D, t: (name: string) => tf.Tensor): tf.Tensor {
  const [q, k, v] = tf.split(linear(h, t('wqkv'), t('bqkv')), 3, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D]
  const adapted = (y: tf.Tensor2D, name: string): tf.Tensor3D =>
    heads(tf.add(y, tf.matMul(tf.matMul(h, t(`${name}A`) as tf.Tensor2D), t(`${name}B`) as tf.Tensor2D)))
  const logits = tf.mul(tf.matMul(adapted(q, 'q'), heads(k), false, true), 1 / Math.sqrt(HEAD))
  const mixed = tf.matMul(tf.softmax(logits), adapted(v, 'v'))
  return linear(tf.reshape(tf.transpose(mixed, [1, 0, 2]), [-1, DIM]), t('wp'), t('bp'))
}

function block (x: tf.Tensor2D, t: (name: string) => tf.Tensor): tf.Tensor2D {
  const attended = tf.add<tf.Tensor2D>(x, attention(layerNorm(x, t('n1w'), t('n1b'), 1e-6) as tf.Tensor2D, t))
  const h = layerNorm(attended, t('n2w'), t('n2b'), 1e-6)
  return tf.add(attended, linear(gelu(linear(h, t('w1'), t('b1'))), t('w2'), t('b2')))
}

/** What the step trains lies end to end in one vector, as in the learner: one Adam update for all. */
function layoutOf ({ depth, all }: Case): Layout {
  const names = all ? Object.keys(tensors) : LORA
  return createLayout(
    Array.from({ length: depth }, (_, index) => names.map((name) => ({ name: `${index}.${name}`, shape: tensors[name]?.shape ?? [] })))
      .flat()
  )
}

/** One Adam step as PyTorch takes it; `corrections` [2] holds lr / (1 − β₁ᵗ) and 1 / √(1 − β₂ᵗ). */
function adam (t: TensorRecord, gradient: tf.Tensor): TensorRecord {
  const [stepSize, root] = tf.split(t['corrections'] as tf.Tensor, 2) as [tf.Tensor, tf.Tensor]
  const m = tf.add(tf.mul(t['m'] as tf.Tensor, BETAS[0]), tf.mul(gradient, 1 - BETAS[0]))
  const v = tf.add(tf.mul(t['v'] as tf.Tensor, BETAS[1]), tf.mul(tf.square(gradient), 1 - BETAS[1]))
  const value = tf.sub(t['value'] as tf.Tensor, tf.mul(stepSize, tf.div(m, tf.add(tf.mul(tf.sqrt(v), root), EPSILON))))
  return { value, m, v }
}

/** Mean squared error of the stack's output, its gradient and the Adam update. */
export function loraStep (bench: Case): Step {
  const layout = layoutOf(bench)
  return (t) => {
    const { value: loss, grad } = tf.valueAndGrad((flat: tf.Tensor) => {
      const record: TensorRecord = { ...t, ...unpack(layout, flat) }
      let x = t['x'] as tf.Tensor2D
      for (let index = 0; index < bench.depth; index++) x = block(x, (name) => record[`${index}.${name}`] as tf.Tensor)
      return tf.mean(tf.squaredDifference(x, t['y'] as tf.Tensor))
    })(t['value'] as tf.Tensor)
    return { loss, ...adam(t, grad) }
  }
}

/** Frozen weights, what the first step trains from, and the batch, which is fed anew in every step. */
export function startOf (bench: Case): { frozen: HostRecord, state: HostRecord, batch: HostRecord } {
  const random = seededRandom(1)
  const drawn = (shape: readonly number[], scale: number): Drawn => ({
    shape,
    data: Float32Array.from({ length: elementCount(shape) }, () => scale === 0 ? 0 : scale * normal(random))
  })
  const weights = Object.fromEntries(
    Array.from({ length: bench.depth }, (_, index) =>
      Object.entries(tensors).map((
        [name, { shape, scale, one }]
      ): [string, Drawn] => [
        `${index}.${name}`,
        one === true ? { shape, data: new Float32Array(elementCount(shape)).fill(1) } : drawn(shape, scale)
      ])).flat()
  )
  const layout = layoutOf(bench)
  const trained = new Set(layout.entries.map(({ name }) => name))
  const zeros = (): HostTensor => ({ shape: [layout.size], data: new Float32Array(layout.size) })
  return {
    frozen: Object.fromEntries(Object.entries(weights).filter(([name]) => !trained.has(name))),
    state: { value: { shape: [layout.size], data: flatten(layout, weights) }, m: zeros(), v: zeros() },
    batch: { x: drawn([bench.tokens, DIM], 1), y: drawn([bench.tokens, DIM], 1) }
  }
}

/** The factors of Adam's step `step`, from 1. */
export function corrections (step: number): HostTensor {
  return { shape: [2], data: Float32Array.of(RATE / (1 - BETAS[0] ** step), 1 / Math.sqrt(1 - BETAS[1] ** step)) }
}
