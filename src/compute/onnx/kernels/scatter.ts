/** Reading and writing slices at positions that are data: indices [count, rank of the position]. */
import { backend_util as backendUtil, gather_util as gatherUtil, scatter_util as scatterUtil } from '@tensorflow/tfjs-core'
import type { ScatterNdAttrs, SparseToDenseAttrs, Tensor } from '@tensorflow/tfjs-core'
import { expand, operation, sizeOf } from '../value.ts'
import type { Value } from '../value.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { cast, same } from './ops.ts'

function tensorLike ({ shape, type }: Value): Tensor {
  return { shape: [...shape], rank: shape.length, size: sizeOf(shape), dtype: type } as unknown as Tensor
}

/** ONNX counts negative positions from the end, tfjs refuses them; those that only a run knows are not checked. */
function checkPositions (indices: Value, rank: number, shape: readonly number[]): void {
  const known = Array.from(indices.known() as Int32Array | undefined ?? [])
  const wrong = known.findIndex((position, index) => position < 0 || position >= (shape[index % rank] as number))
  const start = wrong - wrong % rank
  if (wrong >= 0) throw new Error(`the position ${known.slice(start, start + rank).join()} does not index into [${shape.join()}]`)
}

function gatherNd (params: Value, indices: Value): Value {
  const [shape, count] = gatherUtil.prepareAndValidate(tensorLike(params), tensorLike(indices))
  if (sizeOf(shape) === 0) return expand(same(0, params), shape)
  const rank = indices.shape.at(-1) as number
  checkPositions(indices, rank, params.shape)
  const places = cast(indices, 'int64').view([count, rank])
  return operation('GatherND', [params, places], { shape: [count, ...params.shape.slice(rank)], type: params.type }).view(shape)
}

interface Scatter { readonly indices: Value, readonly updates: Value, readonly into: Value, readonly sums: boolean }

/** Of several updates to one place the last counts, or all with `sums`. */
function scatter ({ indices, updates, into, sums }: Scatter): Value {
  if (into.type === 'bool') return cast(scatter({ indices, updates: cast(updates, 'int32'), into: cast(into, 'int32'), sums }), 'bool')
  const { shape, type } = into
  const { sliceRank, numUpdates } = scatterUtil.calculateShapes(tensorLike(updates), tensorLike(indices), [...shape])
  if (into.size === 0 || indices.size === 0) return into
  checkPositions(indices, sliceRank, shape)
  const places = cast(indices, 'int64').view([numUpdates, sliceRank])
  const slices = expand(updates, [...indices.shape.slice(0, indices.shape.length > 1 ? -1 : undefined), ...shape.slice(sliceRank)]).view([
    numUpdates,
    ...shape.slice(sliceRank)
  ])
  return operation('ScatterND', [into, places, slices], { shape, type }, sums ? { reduction: { s: 'add' } } : {})
}

function sparseToDense (indices: Value, values: Value, fill: Value, shape: readonly number[]): Value {
  backendUtil.calculateShapes(tensorLike(values), tensorLike(indices), [...shape])
  return scatter({ indices, updates: values, into: expand(cast(fill, values.type), shape), sums: false })
}

export const scatterKernels: Kernel[] = [
  kernel<'params' | 'indices'>('GatherNd', ({ params, indices }) => gatherNd(params, indices)),
  kernel<'indices' | 'updates', ScatterNdAttrs>(
    'ScatterNd',
    ({ indices, updates }, { shape }) => scatter({ indices, updates, into: expand(same(0, updates), shape), sums: true })
  ),
  kernel<'tensor' | 'indices' | 'updates'>(
    'TensorScatterUpdate',
    ({ tensor, indices, updates }) => scatter({ indices, updates, into: tensor, sums: false })
  ),
  kernel<'sparseIndices' | 'sparseValues' | 'defaultValue', SparseToDenseAttrs>(
    'SparseToDense',
    ({ sparseIndices, sparseValues, defaultValue }, { outputShape }) =>
      sparseToDense(sparseIndices, sparseValues, defaultValue, outputShape)
  )
]
