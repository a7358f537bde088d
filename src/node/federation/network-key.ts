import { randomBytes } from 'node:crypto'
import { InputError } from '../../errors.ts'
import { requirePrivateMode } from '../identity.ts'
import { readIfThere, writeFileSafely } from '../storage/files.ts'

const LENGTH = 32

/** Makes the 32 random bytes that keep strangers out of the Noise handshake (DESIGN §9). */
export async function createNetworkKey (path: string): Promise<void> {
  await writeNetworkKey(path, randomBytes(LENGTH))
}

export async function writeNetworkKey (path: string, key: Uint8Array): Promise<void> {
  await writeFileSafely(path, Buffer.from(key).toString('hex') + '\n', 0o600)
}

/** @returns 32 bytes. @throws InputError when the file is missing, open to others or not 64 hex digits. */
export async function readNetworkKey (path: string): Promise<Uint8Array> {
  const bytes = await readIfThere(path)
  if (bytes == null) throw new InputError(`the network key ${path} does not exist: ask the founder of the federation for it and join again`)
  await requirePrivateMode(path)
  const text = bytes.toString('utf8').trim()
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InputError(`${path} is not a network key (64 hex digits): ask the founder of the federation for it again`)
  return Buffer.from(text, 'hex')
}
