import * as tf from '@tensorflow/tfjs-core'
import * as ort from 'onnxruntime-node'
import { buildModel } from './model.ts'
import type { Model } from './model.ts'
import { runSync, sessionOptions, toOrt } from './session.ts'
import type { RuntimeOptions } from './session.ts'
import { constant, expand } from './value.ts'
import type { Data, ElementType, Value } from './value.ts'
import { elementType } from './types.ts'
import { HostStore, isHostType } from './host-store.ts'

interface Entry { value: Value, references: number }

/** A tfjs backend that records kernels and runs what is needed when somebody reads. */
export class OnnxBackend extends tf.KernelBackend {
  /** Kernels that ran on tfjs-backend-cpu, with counts. */
  readonly fallbacks = new Map<string, number>()
  /** Complex numbers and strings. */
  readonly host = new HostStore()
  readonly #entries: tf.DataStorage<Entry>
  #tracing = false
  /** What is recorded while `time` waits for it. */
  #timed: Value[] | undefined

  constructor (readonly options: RuntimeOptions) {
    super()
    this.#entries = new tf.DataStorage(this, tf.engine())
  }

  get tracing (): boolean {
    return this.#tracing
  }

  /** Runs `record` so that placeholders may be used but not read. */
  trace<T> (record: () => T): T {
    this.#tracing = true
    try {
      return record()
    } finally {
      this.#tracing = false
    }
  }

  /** Counts a kernel that cannot run in the graph; throws while tracing if its inputs are not constants. */
  noteFallback (kernel: string, inputs: readonly tf.TensorInfo[]): void {
    const known = inputs.every((input) => this.graphValue(input).known() !== undefined)
    if (this.#tracing && !known) throw new Error(`the kernel ${kernel} cannot be part of a compiled step: express it with other operations`)
    if (this.#tracing) return
    const count = this.fallbacks.get(kernel) ?? 0
    if (count === 0) process.emitWarning(`the kernel ${kernel} has no ONNX form for these inputs and runs on tfjs-backend-cpu, which is slow`)
    this.fallbacks.set(kernel, count + 1)
  }

  graphValue (info: tf.TensorInfo): Value {
    return this.#entries.get(info.dataId).value.view(info.shape)
  }

  tensorOf (value: Value): tf.TensorInfo {
    const dataId = {}
    this.#timed?.push(value)
    this.#entries.set(dataId, { value, references: 1 })
    return { dataId, shape: [...value.shape], dtype: value.type as tf.DataType }
  }

  override write (values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    const dataId = {}
    this.move(dataId, values, shape, dtype, 1)
    return dataId
  }

  override move (dataId: tf.DataId, values: tf.BackendValues, shape: number[], dtype: tf.DataType, references: number): void {
    if (isHostType(dtype)) this.host.write(dataId, values, shape, dtype, references)
    else this.#entries.set(dataId, { value: uploaded(values, shape, elementType(dtype)), references })
  }

  override async read (dataId: object): Promise<tf.BackendValues> {
    if (this.host.has(dataId)) return this.host.read(dataId)
    const { value } = this.#entries.get(dataId)
    if (value.known() === undefined) await this.flush([value])
    return value.known() as tf.BackendValues
  }

  override readSync (dataId: object): tf.BackendValues {
    if (this.host.has(dataId)) return this.host.read(dataId)
    const { value } = this.#entries.get(dataId)
    if (value.known() === undefined) {
      const roots = pending([value])
      const model = this.#model(roots)
      keep(roots, model, runSync(model.bytes, this.options, feeds(model), model.outputs))
    }
    return value.known() as tf.BackendValues
  }

  /** Computes the given values in one run and keeps their data. */
  async flush (values: readonly Value[]): Promise<void> {
    const roots = pending(values)
    if (roots.length === 0) return
    const model = this.#model(roots)
    const session = await ort.InferenceSession.create(model.bytes, sessionOptions(this.options))
    try {
      keep(roots, model, await session.run(feeds(model)))
    } finally {
      await session.release()
    }
  }

  #model (roots: readonly Value[]): Model {
    const model = buildModel(roots, true)
    for (const value of model.inputs.values()) {
      if (value.data === undefined) throw new Error('a tensor was read while a step is traced: return it from the step as an output instead')
    }
    return model
  }

  override disposeData (dataId: object, force = false): boolean {
    if (this.host.has(dataId)) return this.host.release(dataId, force)
    if (!this.#entries.has(dataId)) return true
    const entry = this.#entries.get(dataId)
    entry.references--
    if (!force && entry.references > 0) return false
    this.#entries.delete(dataId)
    return true
  }

  override refCount (dataId: object): number {
    if (this.host.has(dataId)) return this.host.references(dataId)
    return this.#entries.has(dataId) ? this.#entries.get(dataId).references : 0
  }

  override incRef (dataId: object): void {
    if (this.host.has(dataId)) this.host.retain(dataId)
    else this.#entries.get(dataId).references++
  }

  override numDataIds (): number {
    return this.#entries.numDataIds() + this.host.size
  }

  override memory (): { unreliable: boolean } {
    return { unreliable: false }
  }

  override floatPrecision (): 32 {
    return 32
  }

  override timerAvailable (): boolean {
    return true
  }

  /** Runs all that `record` records, intermediate results too. */
  override async time (record: () => void): Promise<tf.BackendTimingInfo> {
    const start = performance.now()
    const recorded: Value[] = this.#timed = []
    try {
      record()
    } finally {
      this.#timed = undefined
    }
    await this.flush(recorded)
    return { kernelMs: performance.now() - start }
  }

  override dispose (): void {}
}

function uploaded (values: tf.BackendValues, shape: readonly number[], type: ElementType): Value {
  const data = values as Data
  const first = data[0]
  if (data.length > 1 && data.every((element) => Object.is(element, first))) return expand(uploaded(data.slice(0, 1) as tf.BackendValues, [], type), shape)
  const value = constant(data, shape, type)
  value.uploaded = true
  return value
}

function pending (values: readonly Value[]): Value[] {
  return [...new Set(values.map((value) => value.base ?? value))].filter((value) => value.known() === undefined)
}

function feeds (model: Model): Record<string, ort.Tensor> {
  return Object.fromEntries(Array.from(model.inputs, ([name, value]) => [name, toOrt(value.data as Data, value.type, value.shape)]))
}

function keep (roots: readonly Value[], model: Model, results: Readonly<Record<string, ort.Tensor>>): void {
  for (const [index, name] of model.outputs.entries()) {
    const root = roots[index] as Value
    root.data = results[name]?.data as Data
    root.uploaded = true
    root.op = undefined
  }
}
