import * as tf from '@tensorflow/tfjs-core'
import { EagerRuns } from './eager-runs.ts'
import { HostStore, isHostType } from './host-store.ts'
import type { RuntimeOptions } from './session.ts'
import { elementType } from './types.ts'
import { constant, expand } from './value.ts'
import type { Data, ElementType, Value } from './value.ts'

interface Entry { value: Value, references: number }

/** A tfjs backend that records kernels and runs what is needed when somebody reads. */
export class OnnxBackend extends tf.KernelBackend {
  /** Kernels that ran on tfjs-backend-cpu, with counts. */
  readonly fallbacks = new Map<string, number>()
  /** Complex numbers and strings. */
  readonly host = new HostStore()
  readonly #entries: tf.DataStorage<Entry>
  readonly #live = new Set<Entry>()
  readonly #runs: EagerRuns
  #tracing = false
  /** What is recorded while `time` waits for it. */
  #timed: Value[] | undefined

  constructor (readonly options: RuntimeOptions) {
    super()
    this.#entries = new tf.DataStorage(this, tf.engine())
    this.#runs = new EagerRuns(options)
  }

  /** Sessions made so far for what was read or flushed. */
  get sessionsMade (): number {
    return this.#runs.made
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
    if (count === 0) {
      process.emitWarning(`the kernel ${kernel} has no ONNX form for these inputs and runs on tfjs-backend-cpu, which is slow`)
    }
    this.fallbacks.set(kernel, count + 1)
  }

  graphValue (info: tf.TensorInfo): Value {
    return this.#entries.get(info.dataId).value.view(info.shape)
  }

  tensorOf (value: Value): tf.TensorInfo {
    const dataId = {}
    this.#timed?.push(value)
    this.#add(dataId, value, 1)
    return { dataId, shape: [...value.shape], dtype: value.type as tf.DataType }
  }

  override write (values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    const dataId = {}
    this.move(dataId, values, shape, dtype, 1)
    return dataId
  }

  override move (dataId: tf.DataId, values: tf.BackendValues, shape: number[], dtype: tf.DataType, references: number): void {
    if (isHostType(dtype)) this.host.write(dataId, values, shape, dtype, references)
    else this.#add(dataId, uploaded(values, shape, elementType(dtype)), references)
  }

  #add (dataId: object, value: Value, references: number): void {
    const entry = { value, references }
    this.#entries.set(dataId, entry)
    this.#live.add(entry)
  }

  override async read (dataId: object): Promise<tf.BackendValues> {
    if (this.host.has(dataId)) return this.host.read(dataId)
    const { value } = this.#entries.get(dataId)
    if (value.known() === undefined) await this.#compute([value])
    return value.known() as tf.BackendValues
  }

  override readSync (dataId: object): tf.BackendValues {
    if (this.host.has(dataId)) return this.host.read(dataId)
    const { value } = this.#entries.get(dataId)
    if (value.known() === undefined) this.#runs.runNow([value])
    return value.known() as tf.BackendValues
  }

  /** Computes all tensors that are alive and not known yet in one run: after a training step, before its results are used. */
  async flush (): Promise<void> {
    if (this.#tracing) throw new Error('flush was called while a step is traced: a compiled step needs none')
    await this.#runs.run(() => Array.from(this.#live, ({ value }) => value))
  }

  /** Computes `values` and, so that nothing is computed twice, all else that is alive; only `values` where that fails. */
  async #compute (values: readonly Value[]): Promise<void> {
    if (this.#tracing) {
      await this.#runs.run(() => values)
      return
    }
    await this.flush().catch(async () => { await this.#runs.run(() => values) })
  }

  override disposeData (dataId: object, force = false): boolean {
    if (this.host.has(dataId)) return this.host.release(dataId, force)
    if (!this.#entries.has(dataId)) return true
    const entry = this.#entries.get(dataId)
    entry.references--
    if (!force && entry.references > 0) return false
    this.#live.delete(entry)
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
    await this.#runs.run(() => recorded)
    return { kernelMs: performance.now() - start }
  }

  override dispose (): void {}
}

function uploaded (values: tf.BackendValues, shape: readonly number[], type: ElementType): Value {
  const data = values as Data
  const first = data[0]
  if (data.length > 1 && data.every((element) => Object.is(element, first))) {
    return expand(uploaded(data.slice(0, 1) as tf.BackendValues, [], type), shape)
  }
  const value = constant(data, shape, type)
  value.uploaded = true
  return value
}
