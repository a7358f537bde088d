import { createHash } from 'node:crypto'
import { readFloatTensors, type NamedTensor } from '../../adapter/safetensors.ts'
import { SchemaError } from '../../errors.ts'
import { globalTables, resizeLinear } from './resize.ts'
import { gridSide, type SamConfig } from './build-sam.ts'
import { FOURIER_MATRIX, isHuggingFace, originalName, TIED_MATRIX } from './naming.ts'
import { tensorShapes } from './tensor-shapes.ts'

/** Float tensors by their original names. */
export type Weights = Readonly<Record<string, NamedTensor>>

/** Strict: SchemaError names a tensor that is missing, superfluous or of another shape; both namings, F32 and F16 (SAM_SPEC §1.8). */
export function loadWeights (config: SamConfig, bytes: Uint8Array): { weights: Weights, hash: string } {
  const { tensors } = readFloatTensors(bytes)
  const weights = checkWeights(config, isHuggingFace(tensors.keys()) ? renamed(tensors) : tensors)
  return { weights, hash: weightsHash(weights) }
}

/** Exactly the model's tensors, in name order. @throws SchemaError as loadWeights. */
export function checkWeights (config: SamConfig, tensors: ReadonlyMap<string, NamedTensor>): Weights {
  const shapes = tensorShapes(config)
  const superfluous = [...tensors.keys()].find((name) => !shapes.has(name))
  if (superfluous != null) throw new SchemaError(`tensor ${superfluous} is not part of model ${config.name}: use a weight file made for it`)
  return Object.fromEntries([...shapes.keys()].sort().map((name) => {
    const tensor = tensors.get(name)
    const shape = shapes.get(name)!
    if (tensor == null) throw new SchemaError(`tensor ${name} of model ${config.name} is missing: use a weight file made for it`)
    if (tensor.shape.join() !== shape.join()) throw new SchemaError(`tensor ${name} has the shape [${tensor.shape.join(', ')}], model ${config.name} needs [${shape.join(', ')}]: use a weight file made for it`)
    return [name, tensor]
  }))
}

function renamed (tensors: ReadonlyMap<string, NamedTensor>): Map<string, NamedTensor> {
  const result = new Map<string, NamedTensor>()
  for (const [name, tensor] of tensors) {
    if (name !== TIED_MATRIX) result.set(originalName(name), tensor)
  }
  const tied = tensors.get(TIED_MATRIX)
  const own = result.get(FOURIER_MATRIX)
  if (tied != null && own != null && !tied.data.every((value, i) => value === own.data[i])) throw new SchemaError(`the two copies of the Fourier matrix (${TIED_MATRIX}) differ: the file is damaged`)
  if (tied != null) result.set(FOURIER_MATRIX, tied)
  return result
}

/** SHA-256 over the float32 values in name order: the same for a float16 file and its float32 copy. */
export function weightsHash (weights: Weights): string {
  const hash = createHash('sha256')
  for (const name of Object.keys(weights).sort()) {
    const { shape, data } = weights[name]!
    hash.update(`${name}:${shape.join(',')};`)
    hash.update(littleEndian(data))
  }
  return hash.digest('hex')
}

function littleEndian (data: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * data.length)
  const view = new DataView(bytes.buffer)
  data.forEach((value, i) => { view.setFloat32(4 * i, value, true) })
  return bytes
}

/** The weights for another image side: position embedding and the global blocks' tables resized, the rest shared (SAM_SPEC §1.4). */
export function resizeWeights (weights: Weights, from: SamConfig, to: SamConfig): Weights {
  const grid = gridSide(to)
  if (grid === gridSide(from)) return weights
  const resized: Record<string, NamedTensor> = { ...weights }
  const position = weights['image_encoder.pos_embed']!
  const wide = resizeLinear(position, 2, grid)
  resized['image_encoder.pos_embed'] = resizeLinear(wide, 1, grid)
  for (const name of globalTables(from)) resized[name] = resizeLinear(weights[name]!, 0, 2 * grid - 1)
  return resized
}
