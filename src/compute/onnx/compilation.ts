/** A step traced once per input signature into one ONNX Runtime session. */
import * as tf from '@tensorflow/tfjs-core'
import type * as ort from 'onnxruntime-common'
import { activate, dropTape } from './activate.ts'
import type { OnnxBackend } from './backend.ts'
import { checkInputs, dtypeOf, requireNoAlias, signatureOf } from './host.ts'
import type { HostRecord, HostTensor } from './host.ts'
import { cast } from './kernels/ops.ts'
import { planModel } from './model.ts'
import type { Plan } from './model.ts'
import { backendName } from './register.ts'
import { exactSession, roundingError } from './rounding.ts'
import { createSession, runInto, toOrt } from './session.ts'
import type { RuntimeOptions } from './session.ts'
import { Value } from './value.ts'
import { forWebGpu } from './webgpu.ts'

type Step = (inputs: Record<string, tf.Tensor>) => Record<string, tf.Tensor>

interface Graph {
  readonly session: ort.InferenceSession
  /** Session input name → name of the step's input; inputs that the step does not use are absent. */
  readonly feeds: ReadonlyMap<string, string>
  /** Session output name → the step's output. */
  readonly outputs: ReadonlyMap<string, Result>
}

export interface CompilationInit {
  readonly backend: OnnxBackend
  readonly options: RuntimeOptions
  readonly step: Step
  /** Inputs that never change. Where memory allows it they become part of the graph, laid out as its products want them. */
  readonly frozen: HostRecord
}

/** `run` traces where it meets a new signature; sessions stay until `dispose`. */
export class Compilation {
  readonly #init: CompilationInit
  readonly #graphs = new Map<string, Promise<Graph>>()
  #last: Promise<unknown> = Promise.resolve()
  #open = true
  #made = 0

  constructor (init: CompilationInit) {
    checkInputs(init.frozen)
    this.#init = init
  }

  /** Sessions made so far: one per set of shapes and types. */
  get sessionsMade (): number {
    return this.#made
  }

  async run (inputs: HostRecord, into: HostRecord = {}): Promise<HostRecord> {
    if (!this.#open) throw new Error('the compiled step is disposed: compile it again')
    const next = this.#last.then(async () => await this.#run(inputs, into))
    this.#last = next.catch(() => undefined)
    return await next
  }

  async dispose (): Promise<void> {
    this.#open = false
    await this.#last
    const graphs = await Promise.all(this.#graphs.values())
    this.#graphs.clear()
    for (const { session } of graphs) {
      if (this.#init.options.profile !== undefined) session.endProfiling()
      await session.release()
    }
  }

  async #run (inputs: HostRecord, into: HostRecord): Promise<HostRecord> {
    requireNoAlias(into, inputs)
    const { session, feeds, outputs } = await this.#graph(inputs)
    const fetched = Array.from(
      outputs,
      ([key, { name, value }]) => ({ key, name, tensor: { shape: value.shape, data: roomFor(value, into[name]) } })
    )
    await runInto(
      session,
      fed(feeds, inputs, this.#init.frozen),
      Object.fromEntries(fetched.map(({ key, tensor }) => [key, ortTensor(tensor)]))
    )
    return Object.fromEntries(fetched.map(({ name, tensor }) => [name, tensor]))
  }

  async #graph (inputs: HostRecord): Promise<Graph> {
    checkInputs(inputs)
    const twice = Object.keys(inputs).find((name) => name in this.#init.frozen)
    if (twice !== undefined) throw new Error(`input ${twice} was given as frozen: leave it out of the run`)
    const key = signatureOf(inputs)
    const known = this.#graphs.get(key)
    if (known !== undefined) return await known
    const graph = createGraph(this.#init, inputs)
    this.#made++
    this.#graphs.set(key, graph)
    // A step that cannot be traced is traced again, and fails again, the next time.
    graph.catch(() => this.#graphs.delete(key))
    return await graph
  }
}

async function createGraph ({ backend, options: wanted, step, frozen }: CompilationInit, inputs: HostRecord): Promise<Graph> {
  // Sessions made before hold more than what is left: this one must not keep its memory as well.
  const isCrowded = process.memoryUsage.rss() > process.availableMemory()
  const options: RuntimeOptions = isCrowded ? { ...wanted, memory: 'low' } : wanted
  const bake = isWorthBaking(frozen, options)
  const placeholders = new Map([...Object.entries(inputs), ...Object.entries(frozen)].map(([name, tensor]): [Value, string] => {
    const value = new Value(tensor.shape, dtypeOf(tensor))
    if (bake && name in frozen) value.data = tensor.data
    return [value, name]
  }))
  const results = trace(backend, step, placeholders)
  const values = results.map(({ value }) => value)
  const plan = planModel(
    options.provider === 'cuda' ? [...values, roundingError()] : values,
    false,
    options.provider === 'webgpu' ? forWebGpu : undefined
  )
  const feeds = new Map(Array.from(plan.inputs(), ([key, value]) => [key, placeholders.get(value) as string]))
  return {
    session: await openSession(plan, options, () => fed(feeds, inputs, frozen)),
    feeds,
    outputs: new Map(results.map((result, index) => [plan.outputs[index] as string, result]))
  }
}

/** On CUDA the last output of the plan tells whether the session rounds. */
async function openSession (plan: Plan, options: RuntimeOptions, feeds: () => Record<string, ort.Tensor>): Promise<ort.InferenceSession> {
  const model = plan.encodeWithSequence()
  const make = async (): Promise<ort.InferenceSession> => await createSession(model, options)
  const error = async (session: ort.InferenceSession): Promise<number> => await numberOf(session, feeds(), plan.outputs.at(-1) as string)
  return options.provider === 'cuda' ? await exactSession(make, error) : await make()
}

function fed (feeds: Graph['feeds'], inputs: HostRecord, frozen: HostRecord): Record<string, ort.Tensor> {
  return Object.fromEntries(Array.from(feeds, ([key, name]) => [key, ortTensor((inputs[name] ?? frozen[name]) as HostTensor)]))
}

/** One number that a run computes. */
async function numberOf (session: ort.InferenceSession, feeds: Record<string, ort.Tensor>, output: string): Promise<number> {
  const results = await session.run(feeds, [output])
  return (results[output]?.data as Float32Array)[0] as number
}

function ortTensor (tensor: HostTensor): ort.Tensor {
  return toOrt(tensor.data, dtypeOf(tensor), tensor.shape)
}

/** The array offered where it fits, else a new one. */
function roomFor ({ size, type }: Value, offered: HostTensor | undefined): HostTensor['data'] {
  const Data = type === 'int32' ? Int32Array : Float32Array
  return offered?.data instanceof Data && offered.data.length === size ? offered.data : new Data(size)
}

/** A device keeps baked tensors; a CPU packs them once per product instead of in every run, which costs twice their size and more. */
function isWorthBaking (frozen: HostRecord, { memory, provider = 'cpu' }: RuntimeOptions): boolean {
  if (provider !== 'cpu') return true
  const bytes = Object.values(frozen).reduce((sum, { data }) => sum + data.byteLength, 0)
  return memory === 'fast' && 6 * bytes < process.availableMemory()
}

interface Result { readonly name: string, readonly value: Value }

/** What a step makes of placeholders, recorded. */
export function trace (backend: OnnxBackend, step: Step, placeholders: ReadonlyMap<Value, string>): Result[] {
  const before = tf.engine().backendName as string | undefined
  activate(backendName)
  const results: Result[] = []
  try {
    backend.trace(() =>
      tf.tidy(() => {
        const tensors = Array.from(
          placeholders,
          ([value, name]): [string, tf.Tensor] => [name, tf.engine().makeTensorFromTensorInfo(backend.tensorOf(value))]
        )
        for (const [name, tensor] of Object.entries(step(Object.fromEntries(tensors)))) {
          const value = backend.graphValue(tensor)
          results.push({ name, value: value.type === 'bool' ? cast(value, 'int32') : value })
        }
      })
    )
  } catch (error) {
    dropTape()
    throw error
  } finally {
    if (before !== undefined && before !== backendName) activate(before)
  }
  if (results.length === 0) throw new Error('a compiled step must return at least one tensor')
  return results
}
