/** Runs one step on the onnx engine and on tfjs-cpu and compares every output. */
import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { createEngine } from '../../../src/compute/index.ts'
import type { Engine, HostRecord, HostTensor, Step, TensorRecord } from '../../../src/compute/index.ts'

export interface Engines { readonly onnx: Engine, readonly cpu: Engine }

/** Graphs are small: one thread. A GPU is tried with CONSILIUM_TEST_PROVIDER and more than the usual rounding with CONSILIUM_TEST_SLACK. */
export async function createEngines (): Promise<Engines> {
  const { CONSILIUM_TEST_PROVIDER: provider = 'cpu' } = process.env
  return { onnx: await createEngine({ name: 'onnx', provider: provider as 'cpu', threads: 1 }), cpu: await createEngine({ name: 'cpu' }) }
}

export async function disposeEngines ({ onnx, cpu }: Engines): Promise<void> {
  await Promise.all([onnx.dispose(), cpu.dispose()])
}

export async function runOnce (engine: Engine, step: Step, inputs: HostRecord): Promise<HostRecord> {
  const compiled = engine.compile(step)
  try {
    return await compiled.run(inputs)
  } finally {
    await compiled.dispose()
  }
}

/** `reference` runs on tfjs-cpu, which has errors of its own: it may say the same in other operations. */
export async function expectSame (engines: Engines, step: Step, inputs: HostRecord, reference = step): Promise<void> {
  const tolerance = 1e-5 * Number(process.env['CONSILIUM_TEST_SLACK'] ?? 1)
  const actual = await runOnce(engines.onnx, step, inputs)
  const expected = await runOnce(engines.cpu, reference, inputs)
  expect(Object.keys(actual)).to.deep.equal(Object.keys(expected))
  for (const [name, tensor] of Object.entries(expected)) expectClose(actual[name] as HostTensor, tensor, tolerance, name)
}

/** Every number within `tolerance` · max(1, |expected|); NaN and infinities must be the same. */
export function expectClose (actual: HostTensor, expected: HostTensor, tolerance: number, name = 'tensor'): void {
  expect(actual.shape, `shape of ${name}`).to.deep.equal(expected.shape)
  expect(actual.data.constructor.name, `type of ${name}`).to.equal(expected.data.constructor.name)
  expect(actual.data.length, `length of ${name}`).to.equal(expected.data.length)
  for (const [index, number] of expected.data.entries()) {
    const other = actual.data[index] as number
    const same = Object.is(other, number) || Math.abs(other - number) <= tolerance * Math.max(1, Math.abs(number))
    if (!same) expect.fail(`${name}[${index}] is ${other} instead of ${number}`)
  }
}

/** Numbers in [low, high) from a fixed sequence. */
export function numbers (shape: readonly number[], low = -2, high = 2, seed = 1): HostTensor {
  let state = seed
  const next = (): number => {
    state = (state * 48271) % 0x7fffffff
    return state / 0x7fffffff
  }
  const data = Float32Array.from({ length: sizeOf(shape) }, () => low + (high - low) * next())
  return { shape, data }
}

export function integers (shape: readonly number[], values: readonly number[]): HostTensor {
  return { shape, data: Int32Array.from({ length: sizeOf(shape) }, (_, index) => values[index % values.length] as number) }
}

function sizeOf (shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1)
}

type Operation = (inputs: TensorRecord) => tf.Tensor

/** The operation's value and its gradients with respect to the float inputs, weighted so that no two output elements count alike. */
export function withGradients (operation: Operation): Step {
  return (inputs) => {
    const names = Object.keys(inputs).filter((name) => inputs[name]?.dtype === 'float32')
    const { value, grads } = tf.valueAndGrads((...tensors: tf.Tensor[]) => {
      const y = operation({ ...inputs, ...Object.fromEntries(names.map((name, index) => [name, tensors[index] as tf.Tensor])) })
      const weights = tf.add(tf.sin(tf.reshape(tf.range(0, y.size), y.shape)), 1.5)
      return tf.sum(tf.mul(tf.cast(y, 'float32'), weights))
    })(names.map((name) => inputs[name] as tf.Tensor))
    return { value, y: operation(inputs), ...Object.fromEntries(names.map((name, index) => [`d${name}`, grads[index] as tf.Tensor])) }
  }
}
