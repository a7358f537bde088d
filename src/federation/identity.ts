import { stat } from 'node:fs/promises'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { InputError } from '../errors.ts'
import { readIfThere, writeFileSafely } from '../home/files.ts'
import { askPassphrase, givenPassphrase, parseSealed, seal, unseal } from './passphrase.ts'

const PROBE = Buffer.from('consilium')

/** The site's Ed25519 key, made on first use; the file is 0600, a looser one is refused, and CONSILIUM_PASSPHRASE protects a new one. */
export async function loadOrCreateIdentity (path: string): Promise<PrivateKey> {
  const existing = await readIdentity(path)
  if (existing != null) return existing
  const key = await generateKeyPair('Ed25519')
  await writeIdentity(path, key, givenPassphrase())
  return key
}

/** May ask for a passphrase. @throws InputError when the site has no key yet, or the passphrase is wrong. */
export async function loadIdentity (path: string): Promise<PrivateKey> {
  const key = await readIdentity(path)
  if (key == null) throw missing(path)
  return key
}

/** The peer id of the key, for which no passphrase is needed. @throws InputError when the site has no key yet. */
export async function readPeerId (path: string): Promise<string> {
  const bytes = await readIfThere(path)
  if (bytes == null) throw missing(path)
  await requirePrivateMode(path)
  return parseSealed(bytes)?.peerId ?? peerIdFromPrivateKey(await parse(bytes, path)).toString()
}

/** Encrypted where there is a passphrase. */
export async function writeIdentity (path: string, key: PrivateKey, passphrase?: string): Promise<void> {
  const bytes = privateKeyToProtobuf(key)
  if (passphrase == null) await writeFileSafely(path, bytes, 0o600)
  else await writeFileSafely(path, JSON.stringify(await seal(bytes, peerIdFromPrivateKey(key).toString(), passphrase)) + '\n', 0o600)
}

export async function isProtected (path: string): Promise<boolean> {
  return parseSealed(await readIfThere(path) ?? new Uint8Array()) != null
}

async function readIdentity (path: string): Promise<PrivateKey | undefined> {
  const bytes = await readIfThere(path)
  if (bytes == null) return undefined
  await requirePrivateMode(path)
  const sealed = parseSealed(bytes)
  if (sealed == null) return await parse(bytes, path)
  const key = await parse(await unseal(sealed, await askPassphrase(`passphrase of ${path}`), path), path)
  if (peerIdFromPrivateKey(key).toString() !== sealed.peerId) throw damaged(path)
  return key
}

async function parse (bytes: Uint8Array, path: string): Promise<PrivateKey> {
  try {
    const key = privateKeyFromProtobuf(bytes)
    // Both halves stand in the file: a flipped bit in one makes signatures that the other does not verify.
    if (await key.publicKey.verify(PROBE, await key.sign(PROBE))) return key
  } catch { /* as below */ }
  throw damaged(path)
}

function missing (path: string): InputError {
  return new InputError(`${path} does not exist: restore it from a backup where there was one, else run "consilium init" first`)
}

function damaged (path: string): InputError {
  return new InputError(`${path} is not a libp2p private key: restore it from a backup or remove it and run "consilium init"`)
}

/** @throws InputError when others than the owner may read the file. */
export async function requirePrivateMode (path: string): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & 0o077) !== 0) throw new InputError(`${path} can be read by other users: run "chmod 600" on it`)
}
