/** Runs recorded graphs outside compiled steps; an eager training step is then one trace and one cached run. */
import type * as ort from 'onnxruntime-common'
import { planModel } from './model.ts'
import type { Plan } from './model.ts'
import { SessionCache } from './session-cache.ts'
import type { Found } from './session-cache.ts'
import { createImmediate, createSession, toOrt } from './session.ts'
import type { ImmediateSession, RuntimeOptions } from './session.ts'
import type { Data, Value } from './value.ts'

/** What all cached sessions of one kind may hold together. */
const defaultLimit = 256 * 2 ** 20

export class EagerRuns {
  readonly #options: RuntimeOptions
  readonly #sessions: SessionCache<ort.InferenceSession>
  readonly #immediate: SessionCache<ImmediateSession>
  #last: Promise<unknown> = Promise.resolve()

  constructor (options: RuntimeOptions, limit = defaultLimit) {
    // An arena would keep the memory of every cached session's largest run.
    this.#options = { ...options, memory: 'low' }
    this.#sessions = new SessionCache(limit)
    this.#immediate = new SessionCache(limit)
  }

  /** Sessions made so far. */
  get made (): number {
    return this.#sessions.made + this.#immediate.made
  }

  /** Computes the values in one run and keeps their data; calls wait for one another. */
  async run (values: () => readonly Value[]): Promise<void> {
    const next = this.#last.then(async () => { await this.#run(pending(values())) })
    this.#last = next.catch(() => undefined)
    await next
  }

  runNow (values: readonly Value[]): void {
    const roots = pending(values)
    if (roots.length === 0) return
    const plan = checked(planModel(roots, true))
    const { session, inputs } = this.#immediate.find(plan) ?? this.#makeImmediate(plan)
    keep(roots, plan, session.run(feeds(inputs)))
  }

  async #run (roots: readonly Value[]): Promise<void> {
    if (roots.length === 0) return
    const plan = checked(planModel(roots, true))
    const { session, inputs } = this.#sessions.find(plan) ?? await this.#make(plan)
    keep(roots, plan, await session.run(feeds(inputs)))
  }

  async #make (plan: Plan): Promise<Found<ort.InferenceSession>> {
    const next = this.#sessions.next(plan)
    return this.#sessions.keep(plan, next, await createSession(next.model, this.#options))
  }

  #makeImmediate (plan: Plan): Found<ImmediateSession> {
    const next = this.#immediate.next(plan)
    return this.#immediate.keep(plan, next, createImmediate(next.model, plan.outputs, this.#options))
  }
}

/** What must be computed so that all of `values` are known. */
function pending (values: readonly Value[]): Value[] {
  return [...new Set(values.map((value) => value.base ?? value))].filter((value) => value.known() === undefined)
}

function checked (plan: Plan): Plan {
  for (const value of plan.inputs().values()) {
    if (value.data === undefined) throw new Error('a tensor was read while a step is traced: return it from the step as an output instead')
  }
  return plan
}

function feeds (inputs: ReadonlyMap<string, Value>): Record<string, ort.Tensor> {
  return Object.fromEntries(Array.from(inputs, ([name, value]) => [name, toOrt(value.data as Data, value.type, value.shape)]))
}

function keep (roots: readonly Value[], plan: Plan, results: Readonly<Record<string, ort.Tensor>>): void {
  for (const [index, name] of plan.outputs.entries()) {
    roots[index]?.settle(results[name]?.data as Data)
  }
}
