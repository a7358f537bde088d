import { isForeground } from './labels/label-book.ts'
import type { Slice } from './types.ts'

/** Whether anything is marked on a slice, or may be there where it is not known whole. */
export function hasForeground ({ mask, kind }: Pick<Slice, 'mask' | 'kind'>): boolean {
  return isPartial({ kind }) || mask.some(isForeground)
}

/** What is known of it is not a whole mask. */
export function isPartial ({ kind }: { readonly kind?: Slice['kind'] | undefined }): boolean {
  return kind != null
}
