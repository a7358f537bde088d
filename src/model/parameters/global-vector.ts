import { Adapter, adapterFromTensors } from '../../adapter/adapter.ts'
import type { NamedTensor } from '../../adapter/safetensors.ts'
import { createSchema, type Schema } from '../../adapter/schema.ts'
import type { ModelSettings } from '../../settings/model.ts'
import type { SamConfig } from '../sam/build-sam.ts'
import type { Weights } from '../sam/weights.ts'
import { globalParameters, type GlobalParameter, type ParameterGroup } from './groups.ts'
import { createLayout, flatten, unflatten, type Layout } from './layout.ts'
import { travellingForm, type TravellingForm } from './lora-aggregation.ts'
import { modelId } from './model-id.ts'
import { initialAdapterTensors } from './shared-set.ts'

export interface GlobalVectorInit {
  readonly config: SamConfig
  readonly weights: Weights
  readonly baseHash: string
  readonly model: ModelSettings
  readonly groups: readonly ParameterGroup[]
  /** The federation's: Γ at the start. */
  readonly seed: number
  /** Γ at the start as it travels, in place of what the seed makes. */
  readonly start?: ReadonlyMap<string, Float32Array> | undefined
  /** 1 if not given. */
  readonly classes?: number
}

const BESIDE: ReadonlySet<string> = new Set(['discriminator', 'site vector', 'predictor'])

type Tensors = Map<string, Float32Array>

/** Γ in two shapes: one flat vector, as steps train it, and the adapter that travels beside what the method keeps at the site. */
export class GlobalVector {
  readonly schema: Schema
  /** All of it, as it is trained. */
  readonly layout: Layout
  /** What the method keeps. */
  readonly kept: Layout
  /** What steps read beside it and never change. */
  readonly fixed: Readonly<Record<string, NamedTensor>>
  readonly #form: TravellingForm
  readonly #start: () => Tensors
  readonly #initial: () => ReadonlyMap<string, Float32Array>
  /** As trained, by the adapter as it travels and what is kept: factorising is worth remembering. */
  readonly #joined = new WeakMap<Adapter, { readonly kept: Float32Array, readonly flat: Float32Array }>()

  constructor ({ config, weights, baseHash, model, groups, seed, start, classes }: GlobalVectorInit) {
    const shared = globalParameters(groups, 'shared')
    const kept = globalParameters(groups, 'own')
    const all = byName([...shared, ...kept])
    this.#start = () => initialAdapterTensors(all, weights, seed)
    const form = this.#form = travellingForm(model.lora.aggregation ?? 'factors', byName(shared), () => pick(this.#start(), shared))
    this.#initial = start == null ? form.initial : () => start
    // A discriminator, a predictor or a site's vector changes nothing of what adapters mean.
    const keeps = groups.flatMap(({ name, owner, phase }) => phase === 'G' && owner === 'own' && !BESIDE.has(name) ? [name] : [])
    this.schema = createSchema({ model: modelId(config, model, seed, keeps, classes), baseHash, tensors: form.travelling })
    this.layout = createLayout(byName([...form.trained, ...kept]))
    this.kept = createLayout(byName(kept))
    this.fixed = form.fixed
  }

  /** The adapter at the start, the same at every site of a federation. */
  initialAdapter (): Adapter {
    return adapterFromTensors(this.schema, this.#initial())
  }

  /** What the method keeps, at the start. */
  initialKept (): Float32Array {
    return flatten(this.kept, record(this.#start()))
  }

  /** The flat vector; not to be changed. */
  join (adapter: Adapter, kept: Float32Array): Float32Array {
    if (this.#isPlain) return adapter.values
    const known = this.#joined.get(adapter)
    if (known?.kept === kept) return known.flat
    const tensors = new Map([...adapter.tensors()].map(([name, { data }]) => [name, data]))
    const own = new Map([...unflatten(this.kept, kept)].map(([name, { data }]) => [name, data]))
    const flat = flatten(this.layout, record(new Map([...this.#form.toTrained(tensors), ...own])))
    this.#joined.set(adapter, { kept, flat })
    return flat
  }

  /** The inverse of join. */
  part (flat: Float32Array): { readonly adapter: Adapter, readonly kept: Float32Array } {
    if (this.#isPlain) return { adapter: new Adapter(this.schema, flat), kept: new Float32Array(0) }
    const tensors = new Map([...unflatten(this.layout, flat)].map(([name, { data }]) => [name, data]))
    const kept = flatten(this.kept, record(tensors))
    for (const { name } of this.kept.entries) tensors.delete(name)
    return { adapter: adapterFromTensors(this.schema, this.#form.toTravelling(tensors)), kept }
  }

  get #isPlain (): boolean {
    return this.#form.trained === this.#form.travelling && this.kept.size === 0
  }
}

function byName<T extends { readonly name: string }> (parameters: readonly T[]): T[] {
  return [...parameters].sort((x, y) => x.name < y.name ? -1 : 1)
}

function pick (tensors: Tensors, parameters: readonly GlobalParameter[]): Tensors {
  return new Map(parameters.map(({ name }) => [name, tensors.get(name)!]))
}

function record (tensors: Tensors): Record<string, { data: Float32Array }> {
  return Object.fromEntries([...tensors].map(([name, data]) => [name, { data }]))
}
