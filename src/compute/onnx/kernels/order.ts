/** Order where the graph alone leaves it open: what is computed a second time must not be computed early, nor be taken for the first. */
import { operation, sizeOf } from '../value.ts'
import type { Value } from '../value.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { same, slice } from './ops.ts'

/** x once `other` is known: x plus nothing times its first element. */
function after (x: Value, other: Value): Value {
  if (sizeOf(other.shape) === 0 || other.known() !== undefined) return x
  const origin = other.shape.map(() => 0)
  const ones = other.shape.map(() => 1)
  const first = slice(other, { begin: origin, end: ones, strides: ones })
  const nothing = operation('Mul', [first.view([]), same(0, first)], { shape: [], type: x.type })
  return operation('Add', [x, nothing], { shape: x.shape, type: x.type })
}

export const orderKernels: Kernel[] = [
  kernel<'x' | 'other'>('After', ({ x, other }) => after(x, other))
]
