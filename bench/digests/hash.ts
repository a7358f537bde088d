import { createHash } from 'node:crypto'
import type { PrivateSet } from '../../src/adapter/private-set.ts'

/** SHA-256 of float32 numbers as they lie in memory, hex. */
export function floatsDigest (values: Float32Array): string {
  return createHash('sha256').update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest('hex')
}

/** SHA-256 over names, shapes and numbers of private tensors, in order of name. */
export function privateDigest (set: PrivateSet): string {
  const hash = createHash('sha256')
  for (const [name, { shape, data }] of [...set.reveal()].sort(([a], [b]) => a < b ? -1 : 1)) {
    hash.update(`${name} ${shape.join('×')}\n`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return hash.digest('hex')
}
