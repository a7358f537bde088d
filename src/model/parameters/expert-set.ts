import { elementCount } from '../../adapter/schema.ts'
import { normal, seededRandom, type Random } from '../../common/random.ts'
import type { HostRecord } from '../../compute/index.ts'
import { InputError } from '../../errors.ts'
import type { ModelSettings } from '../../settings/model.ts'
import type { SamConfig } from '../sam/build-sam.ts'
import { encoderPlan } from '../sam/encoder-plan.ts'
import type { Parameter, Start } from './groups.ts'
import { uniform } from './shared-set.ts'

const GATE_SPREAD = 0.02

/**
 * The tensors of Λ (docs/spec/pfedsam.md#private-experts). @throws InputError for a block that the model lacks or more experts per
 * token than there are.
 */
export function expertTensors (
  config: SamConfig,
  { blocks, experts, topK, bottleneck, expert }: ModelSettings['moe']
): Parameter[] {
  const { name, depth } = config
  const plan = encoderPlan(config)
  const beyond = blocks.find((block) => block >= depth)
  if (beyond != null) {
    throw new InputError(`the settings put experts into block ${beyond}, but ${name} has ${depth} blocks (from 0): change moe.blocks`)
  }
  if (topK > experts) throw new InputError(`the settings use ${topK} of ${experts} experts per token: lower moe.topK`)
  return [...new Set(blocks)].sort((a, b) => a - b).flatMap((block) => {
    const prefix = `${plan.block(block)}.lmoe`
    const { dim } = plan.tokens(block)
    const part = (tensor: string, shape: readonly number[], start: Start): Parameter =>
      ({ name: `${prefix}.${tensor}`, shape, rate: 'lrMoe', decays: !tensor.endsWith('.bias'), start })
    const biases = expert === 'mlp'
    return [
      part('gate.weight', [experts, dim], 'seeded'),
      part('down.weight', [experts, bottleneck, dim], 'seeded'),
      ...(biases ? [part('down.bias', [experts, bottleneck], 'zero')] : []),
      part('up.weight', [experts, dim, bottleneck], 'zero'),
      ...(biases ? [part('up.bias', [experts, dim], 'zero')] : [])
    ]
  })
}

/** Λ at the start: random gates and inner weights, zero outputs, so that the model still equals the global one. */
export function initialExperts (tensors: readonly Parameter[], seed: number): Record<string, { data: Float32Array }> {
  return Object.fromEntries(tensors.map(({ name, shape }, index) => {
    const random = seededRandom(seed, 1_000_000 + index)
    const count = elementCount(shape)
    if (name.endsWith('.gate.weight')) return [name, { data: normals(count, GATE_SPREAD, random) }]
    return [name, { data: name.endsWith('.down.weight') ? uniform(count, shape[2]!, random) : new Float32Array(count) }]
  }))
}

/** `@noise` [blocks, rows, experts] on the gates' logits, fresh for every step; nothing where the settings want none. */
export function gateNoise ({ blocks, experts, noise = 0 }: ModelSettings['moe'], rows: number, random: Random): HostRecord {
  const shape = [new Set(blocks).size, rows, experts]
  return noise === 0 ? {} : { '@noise': { shape, data: normals(elementCount(shape), noise, random) } }
}

function normals (count: number, deviation: number, random: Random): Float32Array {
  return Float32Array.from({ length: count }, () => deviation * normal(random))
}
