import { stat } from 'node:fs/promises'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { InputError } from '../errors.ts'
import { readIfThere, writeFileSafely } from './storage/files.ts'

/** The site's Ed25519 key, made on first use; the file is 0600 and a looser one is refused. */
export async function loadOrCreateIdentity (path: string): Promise<PrivateKey> {
  const existing = await readIdentity(path)
  if (existing != null) return existing
  const key = await generateKeyPair('Ed25519')
  await writeFileSafely(path, privateKeyToProtobuf(key), 0o600)
  return key
}

/** @throws InputError when the site has no key yet. */
export async function loadIdentity (path: string): Promise<PrivateKey> {
  const key = await readIdentity(path)
  if (key == null) throw new InputError(`${path} does not exist: run "consilium init" first`)
  return key
}

async function readIdentity (path: string): Promise<PrivateKey | undefined> {
  const bytes = await readIfThere(path)
  if (bytes == null) return undefined
  await requirePrivateMode(path)
  try {
    return privateKeyFromProtobuf(bytes)
  } catch {
    throw new InputError(`${path} is not a libp2p private key: restore it from a backup or remove it and run "consilium init"`)
  }
}

/** @throws InputError when others than the owner may read the file. */
export async function requirePrivateMode (path: string): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) throw new InputError(`${path} can be read by other users: run "chmod 600" on it`)
}
