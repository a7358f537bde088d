import { createHash } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import canonicalize from 'canonicalize'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { readJson, writeJson } from '../storage/files.ts'

const count = z.number().int().min(1)
const positive = z.number().positive()
const share = z.number().min(0)

const model = z.strictObject({
  name: z.string().min(1),
  /** SHA-256 of the frozen base weights; every site checks its own file against it. */
  baseHash: z.string().regex(/^[0-9a-f]{64}$/),
  lora: z.strictObject({ rank: count, alpha: positive }),
  decoder: z.enum(['frozen', 'lora+heads', 'full']),
  moe: z.strictObject({ blocks: z.array(z.number().int().min(0)), experts: count, topK: count, bottleneck: count })
})

const training = z.strictObject({
  rounds: count,
  epochsG: count,
  epochsL: count,
  batchSize: count,
  lrLora: positive,
  lrHeads: positive,
  lrMoe: positive,
  weightDecay: share,
  clipNorm: positive,
  warmupSteps: z.number().int().min(0),
  lambdaG: share,
  lambdaL: share,
  tau: positive,
  beta: share,
  warmupRounds: share,
  /** Same at every site: the adapter that all start from, and the augmentation streams derive from it. */
  seed: z.number().int().min(0)
})

const averaging = z.strictObject({
  codec: z.literal('f32'),
  weighting: z.enum(['images', 'uniform']),
  /** No site counts for more than this many images. */
  maxMass: positive,
  initiationsPerRound: count,
  /** Largest ‖d‖ that one exchange may apply. */
  clipRadius: positive,
  /** Largest ‖x‖ that the release gate lets out. */
  normBound: positive,
  /** Rounds by which two sites may differ and still exchange. */
  staleness: count,
  coolDown: z.strictObject({ distance: positive, seconds: positive })
})

const body = z.strictObject({
  version: z.literal(1),
  name: z.string().min(1).max(100),
  created: z.iso.datetime(),
  founders: z.array(z.string()).min(1).max(64),
  /** How many founders' signatures an admission takes. */
  quorum: count,
  model,
  training,
  averaging
})

const signature = z.strictObject({ peerId: z.string(), signature: z.base64() })
const signedDocument = body.extend({ signatures: z.array(signature).min(1).max(64) })

export type FederationBody = z.infer<typeof body>
export type FederationDocument = z.infer<typeof signedDocument>

/** A verified document together with its id. */
export interface Federation {
  readonly id: string
  readonly document: FederationDocument
}

/** SHA-256 (hex) of the RFC 8785 canonical bytes without signatures: sites that talk have provably the same settings. */
export function federationId (document: FederationBody | FederationDocument): string {
  return createHash('sha256').update(canonicalBytes(document)).digest('hex')
}

export async function signFederation (document: FederationBody, key: PrivateKey): Promise<FederationDocument> {
  const bytes = await key.sign(canonicalBytes(document))
  return {
    ...document,
    signatures: [{ peerId: peerIdFromPrivateKey(key).toString(), signature: Buffer.from(bytes).toString('base64') }]
  }
}

/** @throws InputError when the file is missing, malformed, or was changed after its founders signed it. */
export async function readFederation (path: string): Promise<Federation> {
  const parsed = signedDocument.safeParse(await readJson(path, 'get federation.json from the founder and join again'))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new InputError(`${path} is not a federation document: ${issue?.path.join('.') || 'document'}: ${issue?.message ?? 'invalid'}`)
  }
  await verifySignatures(path, parsed.data)
  return { id: federationId(parsed.data), document: parsed.data }
}

export async function writeFederation (path: string, document: FederationDocument): Promise<void> {
  await writeJson(path, document)
}

async function verifySignatures (path: string, document: FederationDocument): Promise<void> {
  const bytes = canonicalBytes(document)
  const signers = new Set<string>()
  for (const { peerId, signature: value } of document.signatures) {
    if (!document.founders.includes(peerId)) throw new InputError(`${path} is signed by ${peerId}, who is not one of its founders: get the original from the founder`)
    if (!await isSignedBy(peerId, bytes, Buffer.from(value, 'base64'))) {
      throw new InputError(`${path} was changed after its founder signed it: get the original from the founder, or create a new federation`)
    }
    signers.add(peerId)
  }
  if (signers.size < Math.min(document.quorum, document.founders.length)) throw new InputError(`${path} carries ${signers.size} of the ${document.quorum} founders' signatures it needs: ask the others to sign`)
}

async function isSignedBy (peerId: string, bytes: Uint8Array, value: Uint8Array): Promise<boolean> {
  try {
    const publicKey = peerIdFromString(peerId).publicKey
    return publicKey != null && await publicKey.verify(bytes, value)
  } catch {
    return false
  }
}

function canonicalBytes (document: FederationBody | FederationDocument): Uint8Array {
  const { signatures: _, ...unsigned } = document as FederationDocument
  return Buffer.from(canonicalize(unsigned) ?? '', 'utf8')
}
