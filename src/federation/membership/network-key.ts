import { randomBytes } from 'node:crypto'
import { InputError } from '../../errors.ts'
import { readIfThere, writeFileSafely } from '../../home/files.ts'
import { requirePrivateMode } from '../identity.ts'
import { parseKeyRing, type KeyRing } from './key-ring.ts'

const LENGTH = 32

/** Makes the 32 random bytes that keep strangers out of the Noise handshake (docs/spec/network.md#network-key). */
export async function createNetworkKey (path: string): Promise<void> {
  await writeKeyRing(path, { current: randomBytes(LENGTH).toString('hex'), previous: [] })
}

export async function writeKeyRing (path: string, ring: KeyRing): Promise<void> {
  await writeFileSafely(path, JSON.stringify(ring) + '\n', 0o600)
}

/** @throws InputError when the file is missing, open to others or holds no key. */
export async function readKeyRing (path: string): Promise<KeyRing> {
  const bytes = await readIfThere(path)
  if (bytes == null) throw new InputError(`the network key ${path} does not exist: ask for an invitation and join`)
  await requirePrivateMode(path)
  return parseKeyRing(bytes.toString('utf8').trim(), path)
}
