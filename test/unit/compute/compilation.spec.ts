import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import { createEngine } from '../../../src/compute/index.ts'
import type { CompiledStep, Engine, HostRecord, HostTensor, Step } from '../../../src/compute/index.ts'
import { createEngines, disposeEngines, expectClose, expectSame, integers, numbers, runOnce } from './compare.ts'
import type { Engines } from './compare.ts'

async function failure (promise: Promise<unknown>): Promise<Error> {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  return expect.fail('nothing was thrown')
}

function full (shape: readonly number[], value: number): HostTensor {
  return { shape, data: new Float32Array(shape.reduce((product, extent) => product * extent, 1)).fill(value) }
}

/** Two dense layers under a squared error; one Adam step on all four parameters. */
const names = ['w1', 'b1', 'w2', 'b2']
const adam: Step = (t) => {
  const get = (name: string): tf.Tensor => t[name] as tf.Tensor
  const { value, grads } = tf.valueAndGrads((...[w1, b1, w2, b2]: tf.Tensor[]) => {
    const hidden = tf.tanh(tf.add(tf.matMul(get('x'), w1 as tf.Tensor), b1 as tf.Tensor))
    return tf.mean(tf.squaredDifference(tf.add(tf.matMul(hidden, w2 as tf.Tensor), b2 as tf.Tensor), get('y')))
  })(names.map(get))
  const count = tf.add(get('count'), 1)
  const rate = tf.div(tf.mul(get('rate'), tf.sqrt(tf.sub(1, tf.pow(0.999, count)))), tf.sub(1, tf.pow(0.9, count)))
  const updates = names.map((name, index) => {
    const gradient = grads[index] as tf.Tensor
    const m = tf.add(tf.mul(get(`${name}.m`), 0.9), tf.mul(gradient, 0.1))
    const v = tf.add(tf.mul(get(`${name}.v`), 0.999), tf.mul(tf.square(gradient), 0.001))
    return { [name]: tf.sub(get(name), tf.mul(rate, tf.div(m, tf.add(tf.sqrt(v), 1e-7)))), [`${name}.m`]: m, [`${name}.v`]: v }
  })
  return Object.assign({ loss: value, count }, ...updates) as ReturnType<Step>
}

function startOfAdam (): HostRecord {
  const shapes: Record<string, number[]> = { w1: [3, 8], b1: [8], w2: [8, 2], b2: [2] }
  const parameters = Object.entries(shapes).flatMap((
    [name, shape],
    index
  ) => [[name, numbers(shape, -0.5, 0.5, index + 1)], [`${name}.m`, full(shape, 0)], [`${name}.v`, full(shape, 0)]])
  return { ...Object.fromEntries(parameters) as HostRecord, count: full([], 0) }
}

async function trainAdam (compiled: CompiledStep, steps: number): Promise<HostRecord> {
  const batch = { x: numbers([16, 3], -1, 1, 9), y: numbers([16, 2], -1, 1, 11) }
  let state = startOfAdam()
  for (let step = 0; step < steps; step++) {
    const { loss, ...next } = await compiled.run({ ...state, ...batch, rate: full([], 0.01 / (1 + step / 10)) })
    expect(loss?.data[0]).to.be.a('number')
    state = next
  }
  return state
}

describe('compute: compiled steps', () => {
  let engines: Engines
  let onnx: Engine
  before(async () => {
    engines = await createEngines()
    onnx = engines.onnx
  })
  after(async () => { await disposeEngines(engines) })

  it('follows an Adam run on tfjs-cpu', async () => {
    const [fast, reference] = [onnx.compile(adam), engines.cpu.compile(adam)]
    const [actual, expected] = [await trainAdam(fast, 30), await trainAdam(reference, 30)]
    for (const [name, tensor] of Object.entries(expected)) expectClose(actual[name] as HostTensor, tensor, 1e-4, name)
    await fast.dispose()
  })

  it('keeps tensors and memory flat over hundreds of steps', async () => {
    const compiled = onnx.compile(adam)
    await trainAdam(compiled, 100)
    const [tensors, memory] = [tf.memory().numTensors, process.memoryUsage.rss()]
    await trainAdam(compiled, 400)
    expect(tf.memory().numTensors).to.equal(tensors)
    expect(process.memoryUsage.rss() - memory).to.be.below(60 * 2 ** 20)
    await compiled.dispose()
  })

  it('traces once per set of shapes and types, whatever the order of names', async () => {
    let traces = 0
    const compiled = onnx.compile(({ a, b }) => {
      traces++
      return { sum: tf.add(tf.cast(a as tf.Tensor, 'float32'), b as tf.Tensor) }
    })
    const sum = async (inputs: HostRecord): Promise<number[]> => Array.from((await compiled.run(inputs))['sum']?.data ?? [])
    const [one, two] = [full([2], 1), full([2], 2)]
    expect(await sum({ a: one, b: two })).to.deep.equal([3, 3])
    expect(await sum({ b: one, a: one })).to.deep.equal([2, 2])
    expect(traces).to.equal(1)
    expect(await sum({ a: full([3], 1), b: full([], 2) })).to.deep.equal([3, 3, 3])
    expect(await sum({ a: integers([2], [5, 6]), b: two })).to.deep.equal([7, 8])
    expect(traces).to.equal(3)
    await compiled.dispose()
  })

  it('bakes nothing of the inputs, also where all their numbers are equal at first', async () => {
    const compiled = onnx.compile(({ x, s }) => ({
      y: tf.mul(tf.pow(x as tf.Tensor, s as tf.Tensor), tf.add(tf.mean(x as tf.Tensor), tf.scalar(1)))
    }))
    for (const [x, s] of [[full([4], 1), full([], 1)], [full([4], 2), full([], 2)], [numbers([4], 0.5, 2), full([], 3)]] as const) {
      const { y } = await compiled.run({ x, s })
      const mean = Array.from(x.data).reduce((total, number) => total + number) / 4
      expectClose(y as HostTensor, {
        shape: [4],
        data: Float32Array.from(x.data, (number) => number ** (s.data[0] as number) * (mean + 1))
      }, 1e-5)
    }
    await compiled.dispose()
  })

  it('returns inputs, views of them, constants, booleans and empty tensors', async () => {
    await expectSame(engines, ({ x, i }) => ({
      x: x as tf.Tensor,
      i: i as tf.Tensor,
      view: tf.reshape(x as tf.Tensor, [3, 2]),
      constant: tf.tensor([1, 2, 3]),
      filled: tf.ones([2, 2]),
      scalar: tf.scalar(7, 'int32'),
      positive: tf.greater(x as tf.Tensor, 0),
      nothing: tf.zeros([0, 4])
    }), { x: numbers([2, 3]), i: integers([2], [4, 5]), unused: full([9], 1) })
  })

  it('takes empty inputs', async () => {
    await expectSame(engines, ({ tokens, sparse }) => ({ all: tf.concat([tokens as tf.Tensor, sparse as tf.Tensor], 1) }), {
      tokens: numbers([2, 5, 4]),
      sparse: full([2, 0, 4], 0)
    })
  })

  it('takes views into larger and into shared memory', async () => {
    const compiled = onnx.compile(({ x }) => ({ y: tf.add(x as tf.Tensor, 1) }))
    const shared = new Float32Array(new SharedArrayBuffer(8))
    shared.set([3, 4])
    for (const [data, expected] of [[Float32Array.of(9, 8, 7, 6).subarray(1, 3), [9, 8]], [shared, [4, 5]]] as const) {
      expect(Array.from((await compiled.run({ x: { shape: [2], data } }))['y']?.data ?? [])).to.deep.equal(expected)
    }
    await compiled.dispose()
  })

  it('leaves its inputs alone and gives every run its own outputs', async () => {
    const compiled = onnx.compile(({ x }) => ({ x: x as tf.Tensor, y: tf.add(x as tf.Tensor, 1) }))
    const x = full([3], 1)
    const first = await compiled.run({ x })
    const second = await compiled.run({ x: full([3], 5) })
    expect([x, first['x'], first['y'], second['y']].map((tensor) => tensor?.data[0])).to.deep.equal([1, 1, 2, 6])
    expect(first['x']?.data).not.to.equal(x.data)
    await compiled.dispose()
  })

  it('writes outputs into the arrays offered where they fit', async () => {
    const compiled = onnx.compile(({ x }) => ({
      sum: tf.sum(x as tf.Tensor),
      twice: tf.mul(x as tf.Tensor, 2),
      view: tf.reshape(x as tf.Tensor, [3, 1]),
      small: tf.mean(x as tf.Tensor),
      positive: tf.greater(x as tf.Tensor, 0)
    }))
    const offered = { twice: full([3], 0), view: full([3, 1], 0), small: full([2], 0), positive: full([3], 0), other: full([3], 7) }
    for (const number of [1, 2]) {
      const results = await compiled.run({ x: full([3], number) }, offered)
      expect(results['twice']?.data).to.equal(offered.twice.data)
      expect(results['view']?.data).to.equal(offered.view.data)
      expect(Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, Array.from(data)])))
        .to.deep.equal({
          sum: [3 * number],
          twice: [2 * number, 2 * number, 2 * number],
          view: [number, number, number],
          small: [number],
          positive: [1, 1, 1]
        })
    }
    expect([...offered.small.data, ...offered.positive.data, ...offered.other.data]).to.deep.equal([0, 0, 0, 0, 0, 7, 7, 7])
    await compiled.dispose()
  })

  it('refuses to write over an input', async () => {
    const compiled = onnx.compile(({ x }) => ({ x: tf.add(x as tf.Tensor, 1) }))
    const x = full([3], 1)
    expect((await failure(compiled.run({ x }, { x }))).message).to.match(/array offered for x is in the memory of an input/)
    await compiled.dispose()
  })

  it('passes on what fails within a run', async () => {
    const compiled = onnx.compile(({ x, at }) => ({ y: tf.gather(x as tf.Tensor, at as tf.Tensor1D) }))
    expect((await failure(compiled.run({ x: full([3], 1), at: integers([1], [5]) }))).message).to.match(/out of/)
    expect(Array.from((await compiled.run({ x: full([3], 1), at: integers([1], [2]) }))['y']?.data ?? [])).to.deep.equal([1])
    await compiled.dispose()
  })

  it('serves calls that come at once in their order', async () => {
    const compiled = onnx.compile(({ x }) => ({ y: tf.square(x as tf.Tensor) }))
    const results = await Promise.all([1, 2, 3].map(async (number) => await compiled.run({ x: full([number], number) })))
    expect(results.map(({ y }) => Array.from(y?.data ?? []))).to.deep.equal([[1], [4, 4], [9, 9, 9]])
    await compiled.dispose()
  })

  it('refuses to read while tracing and leaves no tensors behind', async () => {
    const before = tf.memory().numTensors
    const compiled = onnx.compile(({ x }) => ({ y: tf.mul(x as tf.Tensor, (tf.sum(x as tf.Tensor).dataSync()[0] as number)) }))
    expect((await failure(compiled.run({ x: full([2], 1) }))).message).to.match(/read while a step is traced/)
    expect(tf.memory().numTensors).to.equal(before)
    await compiled.dispose()
  })

  it('names a kernel that cannot be part of a graph', async () => {
    const compiled = onnx.compile(({ x }) => ({ y: tf.unique(x as tf.Tensor1D).values }))
    expect((await failure(compiled.run({ x: full([2], 1) }))).message).to.match(/kernel Unique cannot be part of a compiled step/)
    await compiled.dispose()
  })

  it('survives a step that throws, also between gradients', async () => {
    const before = tf.memory().numTensors
    let broken = true
    const compiled = onnx.compile(({ x }) => ({
      y: tf.grad((t) => {
        const square = tf.square(t)
        if (broken) throw new Error('broken on purpose')
        return square
      })(x as tf.Tensor)
    }))
    expect((await failure(compiled.run({ x: full([2], 3) }))).message).to.equal('broken on purpose')
    expect(tf.memory().numTensors).to.equal(before)
    broken = false
    expect((await compiled.run({ x: full([2], 3) }))['y']?.data[0]).to.equal(6)
    await compiled.dispose()
  })

  it('says which input is mis-shaped, and what is missing', async () => {
    const compiled = onnx.compile(({ x }) => ({ y: tf.square(x as tf.Tensor) }))
    expect((await failure(compiled.run({ x: { shape: [2, 2], data: new Float32Array(3) } }))).message).to.match(
      /input x has 3 numbers .* \[2,2\] needs 4/
    )
    const empty = onnx.compile(() => ({}))
    expect((await failure(empty.run({ x: full([1], 1) }))).message).to.match(/at least one tensor/)
    await compiled.dispose()
  })

  it('refuses to run or compile after dispose, twice or not', async () => {
    const engine = await createEngine({ name: 'onnx', threads: 1 })
    const compiled = engine.compile(({ x }) => ({ y: tf.square(x as tf.Tensor) }))
    const running = compiled.run({ x: full([2], 3) })
    await engine.dispose()
    expect((await running)['y']?.data[0]).to.equal(9)
    await engine.dispose()
    expect((await failure(compiled.run({ x: full([2], 3) }))).message).to.match(/is disposed/)
    expect(() => engine.compile(() => ({}))).to.throw(/is disposed/)
  })

  it('gives the same with little memory and with two threads', async () => {
    const engine = await createEngine({ name: 'onnx', threads: 2, memory: 'low' })
    const step: Step = ({ x }) => ({ y: tf.softmax(tf.matMul(x as tf.Tensor, x as tf.Tensor, false, true)) })
    const inputs = { x: numbers([2, 40, 30]) }
    expectClose((await runOnce(engine, step, inputs))['y'] as HostTensor, (await runOnce(onnx, step, inputs))['y'] as HostTensor, 1e-6)
    await engine.dispose()
  })
})
