import { isForeground } from './labels/label-book.ts'
import type { Slice } from './types.ts'

/** Whether anything is marked on a slice, or may be there where it is not known whole. */
export function hasForeground ({ mask, kind }: Pick<Slice, 'mask' | 'kind'>): boolean {
  return kind != null || mask.some(isForeground)
}
