/** The training step of torch_lora_step.py, written against tfjs-core. */
import * as tf from '@tensorflow/tfjs-core'
import { gelu, layerNorm } from '../../src/compute/index.ts'
import type { HostRecord, HostTensor, Step, TensorRecord } from '../../src/compute/index.ts'
import type { Case } from './cases.ts'

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
  const adapted = (y: tf.Tensor2D, name: string): tf.Tensor3D => heads(tf.add(y, tf.matMul(tf.matMul(h, t(`${name}A`) as tf.Tensor2D), t(`${name}B`) as tf.Tensor2D)))
  const logits = tf.mul(tf.matMul(adapted(q, 'q'), heads(k), false, true), 1 / Math.sqrt(HEAD))
  const mixed = tf.matMul(tf.softmax(logits), adapted(v, 'v'))
  return linear(tf.reshape(tf.transpose(mixed, [1, 0, 2]), [-1, DIM]), t('wp'), t('bp'))
}

function block (x: tf.Tensor2D, t: (name: string) => tf.Tensor): tf.Tensor2D {
  const attended = tf.add<tf.Tensor2D>(x, attention(layerNorm(x, t('n1w'), t('n1b'), 1e-6) as tf.Tensor2D, t))
  const h = layerNorm(attended, t('n2w'), t('n2b'), 1e-6)
  return tf.add(attended, linear(gelu(linear(h, t('w1'), t('b1'))), t('w2'), t('b2')))
}

/** Names of what the step trains, in the order of the blocks. */
function trainable ({ depth, all }: Case): string[] {
  const names = all ? Object.keys(tensors) : LORA
  return Array.from({ length: depth }, (_, index) => names.map((name) => `${index}.${name}`)).flat()
}

/** One Adam step as PyTorch takes it; `corrections` [2] holds lr / (1 − β₁ᵗ) and 1 / √(1 − β₂ᵗ). */
function adam (t: TensorRecord, name: string, gradient: tf.Tensor): TensorRecord {
  const [stepSize, root] = tf.split(t['corrections'] as tf.Tensor, 2) as [tf.Tensor, tf.Tensor]
  const m = tf.add(tf.mul(t[`${name}.m`] as tf.Tensor, BETAS[0]), tf.mul(gradient, 1 - BETAS[0]))
  const v = tf.add(tf.mul(t[`${name}.v`] as tf.Tensor, BETAS[1]), tf.mul(tf.square(gradient), 1 - BETAS[1]))
  const next = tf.sub(t[name] as tf.Tensor, tf.mul(stepSize, tf.div(m, tf.add(tf.mul(tf.sqrt(v), root), EPSILON))))
  return { [name]: next, [`${name}.m`]: m, [`${name}.v`]: v }
}

/** Mean squared error of the stack's output, its gradients and their Adam updates. */
export function loraStep (bench: Case): Step {
  const names = trainable(bench)
  return (t) => {
    const { value, grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
      const record: TensorRecord = { ...t, ...Object.fromEntries(names.map((name, index) => [name, values[index] as tf.Tensor])) }
      let x = t['x'] as tf.Tensor2D
      for (let index = 0; index < bench.depth; index++) x = block(x, (name) => record[`${index}.${name}`] as tf.Tensor)
      return tf.mean(tf.squaredDifference(x, t['y'] as tf.Tensor))
    })(names.map((name) => t[name] as tf.Tensor))
    return Object.assign({ loss: value }, ...names.map((name, index) => adam(t, name, grads[index] as tf.Tensor))) as TensorRecord
  }
}

/** Frozen weights, what the first step trains from, and the batch, which is fed anew in every step. */
export function startOf (bench: Case): { frozen: HostRecord, state: HostRecord, batch: HostRecord } {
  const normal = normals(1)
  const drawn = (shape: readonly number[], scale: number): HostTensor => ({ shape, data: Float32Array.from({ length: size(shape) }, () => scale === 0 ? 0 : scale * normal()) })
  const weights = Array.from({ length: bench.depth }, (_, index) => Object.entries(tensors).map(([name, { shape, scale, one }]): [string, HostTensor] =>
    [`${index}.${name}`, one === true ? { shape, data: new Float32Array(size(shape)).fill(1) } : drawn(shape, scale)])).flat()
  const record = Object.fromEntries(weights)
  const moments = trainable(bench).flatMap((name) => ['m', 'v'].map((moment): [string, HostTensor] => [`${name}.${moment}`, drawn((record[name] as HostTensor).shape, 0)]))
  const trained = new Set(trainable(bench))
  const part = (isTrained: boolean): HostRecord => Object.fromEntries(weights.filter(([name]) => trained.has(name) === isTrained))
  return {
    frozen: part(false),
    state: { ...part(true), ...Object.fromEntries(moments) },
    batch: { x: drawn([bench.tokens, DIM], 1), y: drawn([bench.tokens, DIM], 1) }
  }
}

/** The factors of Adam's step `step`, from 1. */
export function corrections (step: number): HostTensor {
  return { shape: [2], data: Float32Array.of(RATE / (1 - BETAS[0] ** step), 1 / Math.sqrt(1 - BETAS[1] ** step)) }
}

function size (shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1)
}

/** Box–Muller on a 31-bit multiplicative generator: the numbers only have to be the same in every run. */
function normals (seed: number): () => number {
  let state = seed
  const next = (): number => {
    state = (state * 48271) % 0x7fffffff
    return state / 0x7fffffff
  }
  return () => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next())
}
