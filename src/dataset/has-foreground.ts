import { isForeground } from './labels/label-book.ts'
import type { Slice } from './types.ts'

/** Whether anything is marked on a slice. */
export function hasForeground ({ mask }: Pick<Slice, 'mask'>): boolean {
  return mask.some(isForeground)
}
