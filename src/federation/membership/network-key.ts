import { randomBytes } from 'node:crypto'
import { CorruptFileError, InputError } from '../../errors.ts'
import { readChecked, writeCheckedJson } from '../../home/checksum.ts'
import { requirePrivateMode } from '../identity.ts'
import { parseKeyRing, type KeyRing } from './key-ring.ts'

const LENGTH = 32
const ASK = 'ask for an invitation and join'

/** Makes the 32 random bytes that keep strangers out of the Noise handshake (docs/spec/network.md#network-key). */
export async function createNetworkKey (path: string): Promise<void> {
  await writeKeyRing(path, { current: randomBytes(LENGTH).toString('hex'), previous: [] })
}

export async function writeKeyRing (path: string, ring: KeyRing): Promise<void> {
  await writeCheckedJson(path, ring)
}

/** @throws InputError when the file is missing, open to others or holds no key. */
export async function readKeyRing (path: string): Promise<KeyRing> {
  const text = await readChecked(path).catch((error: unknown) => {
    throw error instanceof CorruptFileError ? new InputError(`${path} is damaged (${error.message}): ${ASK}`) : error
  })
  if (text == null) throw new InputError(`the network key ${path} does not exist: ${ASK}`)
  await requirePrivateMode(path)
  return parseKeyRing(text.trim(), path)
}
