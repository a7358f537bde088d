/** Sessions of the graphs that were run last, bounded by what they hold in memory. */
import type { Model, Plan } from './model.ts'
import type { Data, Value } from './value.ts'

interface Releasable { release: () => unknown }

interface Entry<Session> {
  readonly session: Session
  readonly weight: number
  /** Slots that have changed between two runs and are inputs now. */
  readonly fed: ReadonlySet<number>
  /** What the other slots were baked with. */
  readonly baked: readonly Data[]
}

export interface Found<Session> { readonly session: Session, readonly inputs: ReadonlyMap<string, Value> }

/** Small uploads are baked into a graph until they change for the first time: learning rates become inputs, epsilons stay. */
export class SessionCache<Session extends Releasable> {
  readonly #entries = new Map<string, Entry<Session>>()
  #held = 0
  #made = 0

  /** `limit` in bytes of Model.weight; the newest session stays whatever it weighs, which lru-cache would not keep. */
  constructor (readonly limit: number) {}

  /** Sessions made so far. */
  get made (): number {
    return this.#made
  }

  get size (): number {
    return this.#entries.size
  }

  /** The session that runs `plan`, if it is here: one that was made for it with the same baked slots. */
  find (plan: Plan): Found<Session> | undefined {
    const entry = this.#entries.get(plan.key)
    if (entry === undefined || changed(entry, plan).length > 0) return undefined
    this.#entries.delete(plan.key)
    this.#entries.set(plan.key, entry)
    return found(entry, plan)
  }

  /** What a session for `plan` must be made of; slots that differ from an older one's become inputs. */
  next (plan: Plan): { readonly model: Model, readonly fed: ReadonlySet<number> } {
    const known = this.#entries.get(plan.key)
    const fed = new Set([...known?.fed ?? [], ...known === undefined ? [] : changed(known, plan)])
    return { model: plan.encode(fed), fed }
  }

  /** Keeps a session made from `next` and releases the longest unused ones above the limit. */
  keep (plan: Plan, { model, fed }: ReturnType<SessionCache<Session>['next']>, session: Session): Found<Session> {
    this.#drop(plan.key)
    const entry = { session, weight: model.weight, fed, baked: plan.slots.map(({ data }) => (data as Data).slice()) }
    this.#entries.set(plan.key, entry)
    this.#held += model.weight
    this.#made++
    for (const key of this.#entries.keys()) if (this.#held > this.limit && key !== plan.key) this.#drop(key)
    return found(entry, plan)
  }

  #drop (key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#held -= entry.weight
    entry.session.release()
  }
}

/** Baked slots whose data differ now. */
function changed ({ fed, baked }: Entry<unknown>, { slots }: Plan): number[] {
  return slots.flatMap((slot, index) => fed.has(index) || sameData(slot.data as Data, baked[index] as Data) ? [] : [index])
}

function sameData (a: Data, b: Data): boolean {
  return a.length === b.length && a.every((element, index) => Object.is(element, b[index]))
}

function found<Session> ({ session, fed }: Entry<Session>, plan: Plan): Found<Session> {
  return { session, inputs: plan.inputs(fed) }
}
