import { createHash, randomBytes } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { z } from 'zod'
import { parseJson } from '../../common/parse-json.ts'
import { InputError, ProtocolError } from '../../errors.ts'
import { foundingsOf, type Federation } from '../document.ts'
import { federationIdText, isSigned, sign, signature } from '../signed.ts'

const KEY_BYTES = 32
/** A site that misses this many rotations in a row needs a new invitation. */
const MOST_PREVIOUS = 4

/** A founder's word about a new network key, which it does not tell. */
export const keyStatement = z.strictObject({
  version: z.literal(1),
  kind: z.literal('network-key'),
  federation: federationIdText,
  epoch: z.number().int().min(1).max(0xffff_ffff),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Until then the keys before it are accepted too. */
  overlapUntil: z.iso.datetime(),
  signature
})
const keyRingFile = z.strictObject({
  current: z.string().regex(/^[0-9a-f]{64}$/),
  statement: keyStatement.optional(),
  previous: z.array(z.strictObject({ key: z.string().regex(/^[0-9a-f]{64}$/), until: z.iso.datetime() })).max(MOST_PREVIOUS)
})

export type KeyStatement = z.infer<typeof keyStatement>
export type KeyRing = z.infer<typeof keyRingFile>

/** Names a key without telling it. */
export function keyHash (federationId: string, key: Uint8Array | string): string {
  const bytes = typeof key === 'string' ? Buffer.from(key, 'hex') : key
  return createHash('sha256').update('consilium network key').update(Buffer.from(federationId, 'hex')).update(bytes).digest('hex')
}

/** A founder's statement on a new random key. */
export async function makeKey (
  federation: Federation,
  ring: KeyRing,
  founder: PrivateKey,
  overlapUntil: string
): Promise<{ key: string, statement: KeyStatement }> {
  const key = randomBytes(KEY_BYTES).toString('hex')
  const unsigned = {
    version: 1,
    kind: 'network-key',
    federation: federation.id,
    epoch: epochOf(ring) + 1,
    hash: keyHash(federation.id, key),
    overlapUntil
  } as const
  return { key, statement: { ...unsigned, signature: await sign(unsigned, founder) } }
}

/** @throws ProtocolError unless a founder signed it and the key is the one it names. */
export async function requireKey (federation: Federation, statement: unknown, key: Uint8Array): Promise<KeyStatement> {
  const parsed = keyStatement.safeParse(statement)
  if (!parsed.success) throw new ProtocolError('a network key with a malformed statement')
  const { signature: by, ...unsigned } = parsed.data
  if (parsed.data.federation !== federation.id) throw new ProtocolError('a network key of another federation')
  if (!foundingsOf(federation.document).some(({ founders }) => founders.includes(by.peerId)) || !await isSigned(unsigned, by)) {
    throw new ProtocolError('a network key that no founder signed')
  }
  if (key.length !== KEY_BYTES || keyHash(federation.id, key) !== parsed.data.hash) {
    throw new ProtocolError('a network key other than the one its founder signed')
  }
  return parsed.data
}

export function epochOf ({ statement }: KeyRing): number {
  return statement?.epoch ?? 0
}

/** The later of two keys, the same at every site: by epoch, then by hash. */
export function isNewer (a: { epoch: number, hash: string }, b: { epoch: number, hash: string }): boolean {
  return a.epoch !== b.epoch ? a.epoch > b.epoch : a.epoch > 0 && a.hash > b.hash
}

/** Of founders' rotations that a site has missed: beyond, a statement would leave the others no epochs to go on with. */
export const MOST_EPOCHS_MISSED = 64

/** The ring with this key as its first and the others accepted until the overlap ends. */
export function withKey (ring: KeyRing, key: string, statement: KeyStatement): KeyRing {
  const until = statement.overlapUntil
  const previous = [
    { key: ring.current, until },
    ...ring.previous.map((each) => ({ key: each.key, until: each.until < until ? each.until : until }))
  ]
  return { current: key, statement, previous: previous.filter((each) => each.key !== key).slice(0, MOST_PREVIOUS) }
}

/** The ring without the keys whose time is over. */
export function withoutExpired (ring: KeyRing, now: number): KeyRing {
  return { ...ring, previous: ring.previous.filter(({ until }) => Date.parse(until) > now) }
}

/** Newest first. */
export function keysOf ({ current, previous }: KeyRing): string[] {
  return [current, ...previous.map(({ key }) => key)]
}

/** What network.key holds: the ring as JSON, or the 64 hex digits of a single key. @throws InputError. */
export function parseKeyRing (text: string, path: string): KeyRing {
  if (/^[0-9a-f]{64}$/.test(text)) return { current: text, previous: [] }
  const parsed = keyRingFile.safeParse(parseJson(text))
  if (!parsed.success) throw new InputError(`${path} is not a network key: ask for a new invitation and join again`)
  return parsed.data
}
