import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import canonicalize from 'canonicalize'
import { z } from 'zod'
import { ProtocolError } from '../errors.ts'

/** An Ed25519 peer id in base58: the public key itself. */
export const peerIdText = z.string().regex(/^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/, 'is not a peer id (12D3KooW…)')
/** Shown in other hospitals' terminals, logs and lists: nothing that breaks or colours a line. */
export const printable = z.string().regex(/^[^\p{C}\p{Zl}\p{Zp}]+$/u, 'holds characters that cannot be printed')
export const federationIdText = z.string().regex(/^[0-9a-f]{64}$/)

export const signature = z.strictObject({ peerId: peerIdText, signature: z.base64().max(100) })
export type Signature = z.infer<typeof signature>

/** RFC 8785 canonical UTF-8 bytes. */
export function canonicalBytes (value: object): Uint8Array {
  return Buffer.from(canonicalize(value) ?? '', 'utf8')
}

/** Whether two values are the same JSON. */
export function isSameJson (a: unknown, b: unknown): boolean {
  return canonicalize(a) === canonicalize(b)
}

/** Over the canonical bytes of `value`. */
export async function sign (value: object, key: PrivateKey): Promise<Signature> {
  const bytes = await key.sign(canonicalBytes(value))
  return { peerId: peerIdFromPrivateKey(key).toString(), signature: Buffer.from(bytes).toString('base64') }
}

export async function isSigned (value: object, by: Signature): Promise<boolean> {
  try {
    const { publicKey } = peerIdFromString(by.peerId)
    return publicKey != null && await publicKey.verify(canonicalBytes(value), Buffer.from(by.signature, 'base64'))
  } catch {
    return false
  }
}

/** What others sent, as JSON; nothing is an empty object. @throws ProtocolError */
export function parseBytes (bytes: Uint8Array): unknown {
  if (bytes.length === 0) return {}
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new ProtocolError('a membership message is not JSON')
  }
}
