import { createHash } from 'node:crypto'
import { littleEndianBytes, readFloatTensors, type NamedTensor } from '../../adapter/safetensors.ts'
import { SchemaError } from '../../errors.ts'
import type { SamConfig } from './build-sam.ts'
import { encoderPlan } from './encoder-plan.ts'
import { FOURIER_MATRIX, isHuggingFace, originalName, TIED_MATRIX } from './naming.ts'
import { tensorShapes } from './tensor-shapes.ts'

/** Float tensors by their original names. */
export type Weights = Readonly<Record<string, NamedTensor>>

/**
 * Strict: SchemaError names a tensor that is missing, superfluous or of another shape; both namings, F32 and F16
 * (docs/spec/sam.md#strict-loading).
 */
export function loadWeights (config: SamConfig, bytes: Uint8Array): { weights: Weights, hash: string } {
  const { tensors } = readFloatTensors(bytes)
  const { sources, tied } = sourceNames(tensors.keys())
  if (tied != null) checkTied(tensors.get(tied[0])!, tensors.get(tied[1])!)
  const weights = checkWeights(config, new Map([...sources].map(([name, source]) => [name, tensors.get(source)!])))
  return { weights, hash: weightsHash(weights) }
}

/** Exactly the model's tensors, in name order. @throws SchemaError as loadWeights. */
export function checkWeights<T extends { readonly shape: readonly number[] }> (
  config: SamConfig,
  tensors: ReadonlyMap<string, T>
): Readonly<Record<string, T>> {
  const shapes = tensorShapes(config)
  const superfluous = [...tensors.keys()].find((name) => !shapes.has(name))
  if (superfluous != null) throw new SchemaError(`tensor ${superfluous} is not part of model ${config.name}: use a weight file made for it`)
  return Object.fromEntries(
    [...shapes.keys()].sort().map((name) => {
      const tensor = tensors.get(name)
      const shape = shapes.get(name)!
      if (tensor == null) throw new SchemaError(`tensor ${name} of model ${config.name} is missing: use a weight file made for it`)
      if (tensor.shape.join() !== shape.join()) {
        throw new SchemaError(
          `tensor ${name} has the shape [${tensor.shape.join(', ')}], model ${config.name} needs [${
            shape.join(', ')
          }]: use a weight file made for it`
        )
      }
      return [name, tensor]
    })
  )
}

/** How many batches a batch norm has seen: nothing that a model reads. */
const COUNTER = /\.bn\.num_batches_tracked$/

/** Original name → name in the file, whichever naming it uses; `tied` are the two names of the Fourier matrix where it holds both. */
export function sourceNames (names: Iterable<string>): { sources: Map<string, string>, tied?: readonly [string, string] } {
  const all = [...names].filter((name) => !COUNTER.test(name))
  if (!isHuggingFace(all)) return { sources: new Map(all.map((name) => [name, name])) }
  const sources = byOriginalName(all.filter((name) => name !== TIED_MATRIX))
  if (!all.includes(TIED_MATRIX)) return { sources }
  const own = sources.get(FOURIER_MATRIX)
  sources.set(FOURIER_MATRIX, TIED_MATRIX)
  return own == null ? { sources } : { sources, tied: [own, TIED_MATRIX] }
}

function byOriginalName (names: readonly string[]): Map<string, string> {
  const sources = new Map<string, string>()
  for (const name of names) {
    const original = originalName(name)
    const other = sources.get(original)
    if (other != null) {
      throw new SchemaError(`the tensors ${other} and ${name} both mean ${original}: remove the one that is not to be used`)
    }
    sources.set(original, name)
  }
  return sources
}

/** @throws SchemaError unless both copies of the Fourier matrix hold the same numbers (docs/spec/sam.md#names). */
export function checkTied (one: NamedTensor, other: NamedTensor): void {
  checkTiedShapes(one.shape, other.shape)
  if (!one.data.every((value, i) => value === other.data[i])) {
    throw new SchemaError(`the two copies of the Fourier matrix (${TIED_MATRIX}) differ: the file is damaged`)
  }
}

/** Before either is read: a shape that a file claims may be of any size. @throws SchemaError unless they are equal */
export function checkTiedShapes (one: readonly number[], other: readonly number[]): void {
  if (one.join() !== other.join()) {
    throw new SchemaError(
      `the two copies of the Fourier matrix (${TIED_MATRIX}) have the shapes [${one.join(', ')}] and [${
        other.join(', ')
      }]: the file is damaged`
    )
  }
}

/** SHA-256 over the float32 values in name order: the same for a float16 file and its float32 copy. */
export function weightsHash (weights: Weights): string {
  const hash = new WeightsHash()
  for (const name of Object.keys(weights).sort()) hash.add(name, weights[name]!)
  return hash.digest()
}

/** The same, tensor by tensor; add them in name order. */
export class WeightsHash {
  readonly #hash = createHash('sha256')

  add (name: string, { shape, data }: NamedTensor): void {
    this.#hash.update(`${name}:${shape.join(',')};`)
    this.#hash.update(littleEndianBytes(data))
  }

  digest (): string {
    return this.#hash.digest('hex')
  }
}

/** What the graph reads of a file's weights, at the image side of `to` (docs/spec/sam.md#image-sides). */
export function prepareWeights (weights: Weights, from: SamConfig, to: SamConfig): Weights {
  return encoderPlan(from).prepare(weights, to)
}
