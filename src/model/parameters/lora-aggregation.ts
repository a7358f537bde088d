import type { NamedTensor } from '../../adapter/safetensors.ts'
import type { TensorSpec } from '../../adapter/schema.ts'
import type { LoraAggregation } from '../../settings/model.ts'
import { factorise, multiply } from './low-rank.ts'

type Tensors = Map<string, Float32Array>

/** How Γ looks while it is trained and while it travels (docs/spec/pfedsam.md#lora-aggregation). */
export interface TravellingForm {
  /** What travels and is averaged. */
  readonly travelling: readonly TensorSpec[]
  /** What a step trains. */
  readonly trained: readonly TensorSpec[]
  /** What a step reads beside it and never changes. */
  readonly fixed: Readonly<Record<string, NamedTensor>>
  /** Γ at the start, as it travels. */
  readonly initial: () => Tensors
  readonly toTrained: (travelling: Tensors) => Tensors
  readonly toTravelling: (trained: Tensors) => Tensors
}

const A = /\.lora_A(_[qv])?$/

const partner = (name: string): string => name.replace('.lora_A', '.lora_B')
const productName = (name: string): string => name.replace('.lora_A', '.lora_BA')

interface FactorPair {
  readonly a: string
  readonly b: string
  readonly product: string
  readonly sides: readonly [out: number, rank: number, into: number]
}

function pairsOf (tensors: readonly TensorSpec[]): FactorPair[] {
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]))
  return tensors.filter(({ name }) => A.test(name)).map(({ name, shape: [rank, into] }) => ({
    a: name, b: partner(name), product: productName(name), sides: [shapes.get(partner(name))![0]!, rank!, into!]
  }))
}

/** What travels of Γ, given with both factors of every low-rank update. */
export function travellingTensors (aggregation: LoraAggregation, tensors: readonly TensorSpec[]): readonly TensorSpec[] {
  if (aggregation === 'factors') return tensors
  if (aggregation === 'ffa') return tensors.filter(({ name }) => !A.test(name))
  const pairs = pairsOf(tensors)
  const factors = new Set(pairs.flatMap(({ a, b }) => [a, b]))
  const joint = pairs.map(({ product, sides: [out, , into] }): TensorSpec => ({ name: product, shape: [out, into], role: 'lora' }))
  return [...tensors.filter(({ name }) => !factors.has(name)), ...joint]
}

/** `sorted` is Γ in order of name, with both factors of every low-rank update; `initial` makes it as it starts. */
export function travellingForm (aggregation: LoraAggregation, sorted: readonly TensorSpec[], initial: () => Tensors): TravellingForm {
  switch (aggregation) {
    case 'factors': return plain(sorted, {}, initial)
    case 'ffa': return withFixedA(sorted, initial)
    case 'product-svd': return products(sorted, initial)
  }
}

function plain (tensors: readonly TensorSpec[], fixed: TravellingForm['fixed'], initial: () => Tensors): TravellingForm {
  return { travelling: tensors, trained: tensors, fixed, initial, toTrained: (same) => same, toTravelling: (same) => same }
}

/** A stays as the seed makes it, the same at every site; the average of B·A is then exact. */
function withFixedA (tensors: readonly TensorSpec[], initial: () => Tensors): TravellingForm {
  const start = initial()
  const fixed = Object.fromEntries(
    tensors.filter(({ name }) => A.test(name)).map(({ name, shape }) => [name, { shape, data: start.get(name)! }])
  )
  return plain(travellingTensors('ffa', tensors), fixed, () => new Map([...initial()].filter(([name]) => !A.test(name))))
}

/** B·A travels and is averaged, exactly; whoever trains takes the best factors of the rank out of it. */
function products (tensors: readonly TensorSpec[], initial: () => Tensors): TravellingForm {
  const start = initial()
  const pairs = pairsOf(tensors)
  const factors = new Set(pairs.flatMap(({ a, b }) => [a, b]))
  const others = (from: Tensors): Tensors => new Map([...from].filter(([name]) => !factors.has(name)))
  const joined = (from: Tensors): Tensors => {
    const result = others(from)
    for (const { a, b, product, sides } of pairs) result.set(product, multiply({ a: from.get(a)!, b: from.get(b)! }, sides))
    return result
  }
  return {
    travelling: travellingTensors('product-svd', tensors),
    trained: tensors,
    fixed: {},
    initial: () => joined(initial()),
    toTrained: (from) => {
      const result = new Map(from)
      for (const { a, b, product, sides } of pairs) {
        const factored = factorise(from.get(product)!, sides, start.get(a)!)
        result.delete(product)
        result.set(a, factored.a).set(b, factored.b)
      }
      return result
    },
    toTravelling: joined
  }
}
