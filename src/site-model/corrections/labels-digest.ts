import { createHash } from 'node:crypto'
import { hasForeground, type Slice } from '../../dataset/index.ts'

/** SHA-256 of which slices a site is taught by, and of their labels; it stays at home. */
export function labelsDigest (slices: readonly Slice[]): string {
  const lines = slices.filter(hasForeground).map(({ id, subject, height, width, mask, kind, marks }) => {
    const labels = createHash('sha256').update(mask).digest('hex')
    return JSON.stringify([id, subject, height, width, labels, ...kind == null ? [] : [kind, marks]])
  })
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex')
}
