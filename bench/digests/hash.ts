import { createHash } from 'node:crypto'
import type { Adapter } from '../../src/adapter/adapter.ts'
import type { PrivateSet } from '../../src/adapter/private-set.ts'

/** SHA-256 of float32 numbers as they lie in memory, hex. */
export function floatsDigest (values: Float32Array): string {
  return createHash('sha256').update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)).digest('hex')
}

/** What of a private set is a global parameter that the method keeps: its digest goes with the adapter's, as when both were one vector. */
const OWN = 'own.'

/** SHA-256 of all global parameters, shared or kept, as float32 numbers in order of name, hex. */
export function globalDigest (adapter: Adapter, set: PrivateSet): string {
  const kept = [...set.reveal()].flatMap(([name, { data }]): [string, Float32Array][] =>
    name.startsWith(OWN) ? [[name.slice(OWN.length), data]] : [])
  const all = [...[...adapter.tensors()].map(([name, { data }]): [string, Float32Array] => [name, data]), ...kept]
  const hash = createHash('sha256')
  for (const [, data] of all.sort(([a], [b]) => a < b ? -1 : 1)) hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  return hash.digest('hex')
}

/** SHA-256 over names, shapes and numbers of experts and their optimiser state, in order of name. */
export function privateDigest (set: PrivateSet): string {
  const hash = createHash('sha256')
  for (const [name, { shape, data }] of [...set.reveal()].sort(([a], [b]) => a < b ? -1 : 1)) {
    if (name.startsWith(OWN)) continue
    hash.update(`${name} ${shape.join('×')}\n`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  return hash.digest('hex')
}
