/**
 * Attention with gradients of its own: only what is asked for, and maps that are computed anew in the backward pass where they are too
 * large to keep.
 */
import * as tf from '@tensorflow/tfjs-core'
import { hasKernel } from './ops.ts'

/** Bytes of attention maps that one call may hold at a time; 12 heads over 1,024 tokens need 50 MB. */
const mapBudget = 2 ** 27

export interface AttendOptions {
  /** What each query adds to its logits for the rows and then for the columns of a square of keys: [heads, n, 2·side]. */
  readonly places?: tf.Tensor3D | undefined
  /** Or what is added to the logits as it is, the same for every group of so many heads: [heads in a group, n, m]. */
  readonly biases?: tf.Tensor3D | undefined
  /** Bytes of maps that are kept for the gradient. */
  readonly budget?: number
}

type Save = (tensors: tf.Tensor[]) => void
type Inputs = [query: tf.Tensor3D, key: tf.Tensor3D, value: tf.Tensor3D, ...addend: tf.Tensor3D[]]

/** How the fourth input gets into the logits, and gets its gradient from theirs. */
interface Addend {
  readonly logits: (query: tf.Tensor3D, key: tf.Tensor3D, added?: tf.Tensor3D) => tf.Tensor3D
  readonly gradient: (slope: tf.Tensor3D, added: tf.Tensor3D) => tf.Tensor3D
  /** All groups of heads have the same. */
  readonly isShared: boolean
}

/**
 * softmax(query · keyᵀ + places or biases) · value for query [heads, n, d], key [heads, m, d] and value [heads, m, e]: [heads, n, e].
 * Maps above `budget` bytes are not kept for the gradient but computed twice, as many heads at a time as fit (Chen et al. 2016,
 * arXiv 1604.06174).
 */
export function attend (
  query: tf.Tensor3D,
  key: tf.Tensor3D,
  value: tf.Tensor3D,
  { places, biases, budget = mapBudget }: AttendOptions = {}
): tf.Tensor3D {
  const [heads, rows] = query.shape
  const fitting = Math.min(heads, Math.max(1, Math.floor(budget / (4 * rows * key.shape[1]))))
  const unit = biases?.shape[0] ?? 1
  const group = Math.max(unit, fitting - fitting % unit)
  const addend = biases === undefined ? PLACES : BIASES
  const compute = group >= heads
    ? kept(addend)
    : computedTwice(addend, Array.from({ length: Math.ceil(heads / group) }, (_, index) => Math.min(group, heads - index * group)))
  const inputs: Inputs = [query, key, value, ...[places ?? biases].filter((added) => added !== undefined)]
  return tf.customGrad<tf.Tensor3D>(((...all: [...Inputs, Save]) => compute(all.slice(0, -1) as Inputs, all.at(-1) as Save)) as never)(
    ...inputs
  )
}

interface Differentiable {
  readonly value: tf.Tensor3D
  gradFunc (dy: tf.Tensor3D, saved: tf.Tensor3D[]): tf.Tensor3D[]
}

function kept (addend: Addend): (inputs: Inputs, save: Save) => Differentiable {
  return (inputs, save) => {
    const map = mapOf(inputs, addend)
    const mixed: tf.Tensor3D = tf.matMul(map, inputs[2])
    save([map, mixed, ...inputs])
    return { value: mixed, gradFunc: (dy, [first, second, ...rest]) => gradients(dy, first!, second!, rest as Inputs, addend) }
  }
}

function computedTwice (addend: Addend, sizes: readonly number[]): (inputs: Inputs, save: Save) => Differentiable {
  /** `tensors` by heads, and behind those of every part what all share. */
  const cut = (tensors: readonly tf.Tensor3D[], shared: readonly tf.Tensor3D[]): tf.Tensor3D[][] => {
    const parts = tensors.map((tensor) => tf.split<tf.Tensor3D>(tensor, [...sizes]))
    return sizes.map((_, index) => [...parts.map((list) => list[index]!), ...shared])
  }
  const cutInputs = (before: readonly tf.Tensor3D[], inputs: readonly tf.Tensor3D[]): tf.Tensor3D[][] => {
    const shared = addend.isShared ? 3 : inputs.length
    return cut([...before, ...inputs.slice(0, shared)], inputs.slice(shared))
  }
  return (inputs, save) => {
    const mixed: tf.Tensor3D = tf.concat(
      cutInputs([], inputs).map((part) => tf.tidy(() => tf.matMul(mapOf(part as Inputs, addend), part[2]!)))
    )
    save([mixed, ...inputs])
    return {
      value: mixed,
      gradFunc: (dy, [first, ...rest]) => groupGradients(cutInputs([dy, first!], rest), addend)
    }
  }
}

/** Group by group, each after the gradients of the one before, or a graph might hold the maps of all at once. */
function groupGradients (groups: readonly tf.Tensor3D[][], addend: Addend): tf.Tensor3D[] {
  const results: tf.Tensor3D[][] = []
  for (const [dy, mixed, query, ...rest] of groups as [tf.Tensor3D, tf.Tensor3D, ...Inputs][]) {
    const inputs: Inputs = [after(query, [dy, ...results.at(-1) ?? []]), ...rest]
    results.push(tf.tidy(() => gradients(dy, mapOf(inputs, addend), mixed, inputs, addend)))
  }
  return results[0]!.map((_, which) => {
    const parts = results.map((result) => result[which]!)
    return which === 3 && addend.isShared ? tf.addN(parts) : tf.concat(parts)
  })
}

/**
 * With map P and dP = dy · valueᵀ: dS = P · (dP − Σ dP · P), and the row sums Σ dP · P are those of dy · mixed; one more column
 * subtracts them.
 */
function gradients (
  dy: tf.Tensor3D,
  map: tf.Tensor3D,
  mixed: tf.Tensor3D,
  [query, key, value, added]: Inputs,
  addend: Addend
): tf.Tensor3D[] {
  const sums: tf.Tensor3D = tf.sum(tf.mul(dy, mixed), -1, true)
  const minus: tf.Tensor3D = tf.fill([value.shape[0], value.shape[1], 1], -1)
  const slope = tf.mul<tf.Tensor3D>(map, tf.matMul(tf.concat([dy, sums], 2), tf.concat([value, minus], 2), false, true))
  const gradient: tf.Tensor3D[] = [tf.matMul(slope, key), tf.matMul(slope, query, true, false), tf.matMul(map, dy, true, false)]
  return added === undefined ? gradient : [...gradient, addend.gradient(slope, added)]
}

/** Sums over the keys of one row, and of one column. */
function placeGradient (slope: tf.Tensor3D, side: number): tf.Tensor3D {
  const [heads, tokens] = slope.shape
  const square = tf.reshape(slope, [heads * tokens, side, side])
  return tf.concat([2, 1].map((axis) => tf.reshape<tf.Rank.R3>(tf.sum(square, axis), [heads, tokens, side])), 2)
}

function mapOf ([query, key, , added]: Inputs, { logits }: Addend): tf.Tensor3D {
  return tf.softmax(logits(query, key, added))
}

/** query · keyᵀ plus the same biases for every group of heads. */
function biasedLogits (query: tf.Tensor3D, key: tf.Tensor3D, biases?: tf.Tensor3D): tf.Tensor3D {
  const products: tf.Tensor3D = tf.matMul(query, key, false, true)
  return tf.reshape(tf.add(inGroups(products, biases!.shape[0]), biases!), products.shape)
}

function inGroups (x: tf.Tensor3D, heads: number): tf.Tensor4D {
  const [all, rows, columns] = x.shape
  return tf.reshape(x, [all / heads, heads, rows, columns])
}

const PLACES: Addend = {
  logits: attentionLogits,
  gradient: (slope, places) => placeGradient(slope, places.shape[2] / 2),
  isShared: false
}
const BIASES: Addend = {
  logits: biasedLogits,
  gradient: (slope, biases) => tf.sum(inGroups(slope, biases.shape[0]), 0),
  isShared: true
}

/**
 * query · keyᵀ plus what the places add, as one product: each key bears the one-hots of its row and column
 * (docs/spec/sam.md#relative-positions).
 */
export function attentionLogits (query: tf.Tensor3D, key: tf.Tensor3D, places?: tf.Tensor3D): tf.Tensor3D {
  if (places === undefined) return tf.matMul(query, key, false, true)
  const side = places.shape[2] / 2
  const codes = tf.tile<tf.Tensor3D>(tf.tensor3d(placeCodes(side), [1, side * side, 2 * side]), [key.shape[0], 1, 1])
  return tf.matMul(tf.concat([query, places], 2), tf.concat([key, codes], 2), false, true)
}

/** [side², 2·side]: for each key of the square, its row and its column as one-hots. */
function placeCodes (side: number): Float32Array {
  const codes = new Float32Array(side * side * 2 * side)
  for (let i = 0; i < side * side; i++) {
    codes[i * 2 * side + Math.floor(i / side)] = 1
    codes[i * 2 * side + side + i % side] = 1
  }
  return codes
}

/** `x`, but not before `others` are known; only graphs need telling. */
function after (x: tf.Tensor3D, others: readonly tf.Tensor[]): tf.Tensor3D {
  if (!hasKernel('After')) return x
  return others.reduce<tf.Tensor3D>((value, other) => tf.engine().runKernel<tf.Tensor3D>('After', { x: value, other }), x)
}
