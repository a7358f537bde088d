import { createHash } from 'node:crypto'
import { littleEndianBytes, type NamedTensor } from './safetensors.ts'

/** SHA-256 (64 hex digits) of the names, shapes and numbers of tensors, in order of name, whatever model they are of. */
export function tensorsDigest (tensors: ReadonlyMap<string, NamedTensor>): string {
  const sorted = [...tensors].sort(([a], [b]) => a < b ? -1 : 1)
  const hash = createHash('sha256').update(JSON.stringify(sorted.map(([name, { shape }]) => [name, shape])))
  for (const [, { data }] of sorted) hash.update(littleEndianBytes(data))
  return hash.digest('hex')
}
