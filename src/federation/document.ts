import { createHash } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { z } from 'zod'
import { InputError } from '../errors.ts'
import { CODECS } from '../gossip-aggregation/codec.ts'
import { PARTNER_RULES } from '../gossip-aggregation/partner-choice.ts'
import { readJson, writeJson } from '../home/files.ts'
import { canonicalBytes, isSigned, peerIdText, printable, sign, signature } from './signed.ts'

/** What nobody means to exceed, so that a slip of the hand does not become a federation. */
export const MOST = {
  nameCharacters: 100,
  /** Pixels. */
  imageSize: 4_096,
  rounds: 100_000,
  /** Random streams take 32 bits of it. */
  seed: 2 ** 32 - 1,
  /** A week. */
  coolDownSeconds: 604_800
} as const

const count = z.number().int().min(1)
const positive = z.number().positive()
const share = z.number().min(0)

const model = z.strictObject({
  name: z.string().min(1),
  /** Side of the square that images are fitted into, pixels: a multiple of 16 (SAM_SPEC §1.4). */
  imageSize: count.multipleOf(16).max(MOST.imageSize),
  /** How the base takes pixels (SAM_SPEC §2.1); imagenet if absent. */
  pixels: z.enum(['imagenet', 'unit']).optional(),
  /** SHA-256 of the frozen base weights; every site checks its own file against it. */
  baseHash: z.string().regex(/^[0-9a-f]{64}$/),
  lora: z.strictObject({
    blocks: z.array(z.number().int().min(0)).max(64),
    rank: count,
    alpha: positive,
    aggregation: z.enum(['factors', 'ffa', 'product-svd']).optional()
  }),
  decoder: z.enum(['frozen', 'lora', 'lora+upscaling', 'lora+mask-head', 'lora+heads', 'full']),
  moe: z.strictObject({
    blocks: z.array(z.number().int().min(0)),
    experts: count,
    topK: count,
    bottleneck: count,
    gate: z.enum(['token', 'image']),
    expert: z.enum(['mlp', 'lora']),
    noise: share.optional()
  })
})

const training = z.strictObject({
  rounds: count.max(MOST.rounds),
  epochsG: count,
  epochsL: count,
  batchSize: count,
  lrLora: positive,
  lrHeads: positive,
  lrMoe: positive,
  weightDecay: share,
  clipNorm: positive,
  warmupSteps: z.number().int().min(0),
  schedule: z.enum(['constant', 'poly']).optional(),
  lambdaG: share,
  lambdaL: share,
  tau: positive,
  beta: share,
  warmupRounds: share,
  teacherG: z.enum(['personal', 'global', 'none']),
  teacherL: z.enum(['global', 'none']),
  distil: z.enum(['logits', 'features']).optional(),
  order: z.enum(['G-exchange-L', 'GL-local']).optional(),
  prompt: z.enum(['none', 'box']),
  augment: z.boolean(),
  /** Same at every site: the adapter that all start from, and the augmentation streams derive from it. */
  seed: z.number().int().min(0).max(MOST.seed)
})

const averaging = z.strictObject({
  /** How vectors travel; auto begins coarse and goes up when quantisation is what keeps sites apart. */
  codec: z.enum([...CODECS, 'auto']),
  /** How a site chooses whom to ask. */
  partner: z.enum(PARTNER_RULES),
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
  coolDown: z.strictObject({ distance: positive, seconds: positive.max(MOST.coolDownSeconds) })
})

export const federationName = printable.min(1).max(MOST.nameCharacters)

const body = z.strictObject({
  version: z.literal(1),
  name: federationName,
  created: z.iso.datetime(),
  founders: z.array(peerIdText).min(1).max(64),
  /** How many founders' signatures an admission takes. */
  quorum: count,
  model,
  training,
  averaging
})

const signedDocument = body.extend({ signatures: z.array(signature).min(1).max(64) })

export type FederationBody = z.infer<typeof body>
export type FederationDocument = z.infer<typeof signedDocument>

/** A verified document together with its id. */
export interface Federation {
  readonly id: string
  readonly document: FederationDocument
}

/** @throws InputError naming the setting of an unsigned document that is wrong; `where` names its source. */
export function checkBody (value: unknown, where: string): FederationBody {
  return checked(body, value, where)
}

function checked<T> (schema: z.ZodType<T>, value: unknown, where: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new InputError(`${where} does not fit a federation: ${issue?.path.join('.') || 'document'}: ${issue?.message ?? 'invalid'}`)
}

const sections = body.pick({ model: true, training: true, averaging: true })

/** What of a federation decides how its sites train and average. */
export type FederationSettings = z.infer<typeof sections>

/** @throws InputError naming the setting that is wrong; `where` names its source. */
export function checkSettings (value: unknown, where: string): FederationSettings {
  return checked(sections, value, where)
}

/** SHA-256 (hex) of the RFC 8785 canonical bytes without signatures: sites that talk have provably the same settings. */
export function federationId (document: FederationBody | FederationDocument): string {
  return createHash('sha256').update(canonicalBytes(unsigned(document))).digest('hex')
}

/** Adds this founder's signature to those that are there. */
export async function signFederation (document: FederationBody | FederationDocument, key: PrivateKey): Promise<FederationDocument> {
  const own = await sign(unsigned(document), key)
  const others = 'signatures' in document ? document.signatures.filter(({ peerId }) => peerId !== own.peerId) : []
  return { ...document, signatures: [...others, own] }
}

/** How many founders' signatures this federation takes for anything. */
export function quorumOf ({ quorum, founders }: FederationBody): number {
  return Math.min(quorum, founders.length)
}

/** @throws InputError when the file is missing, malformed, lacks signatures, or was changed after its founders signed it. */
export async function readFederation (path: string): Promise<Federation> {
  const federation = await readDraft(path)
  requireQuorum(path, federation.document)
  return federation
}

const JOIN = 'run "consilium init", ask a founder for an invitation, and run "consilium join" with it'

/** The same for a document that may still lack signatures; `advice` is for one that is not there. */
export async function readDraft (path: string, advice = JOIN): Promise<Federation> {
  return await parseDraft(await readJson(path, advice), path)
}

/** A verified document out of a JSON value; `where` names its source in errors. @throws InputError. */
export async function parseFederation (value: unknown, where: string): Promise<Federation> {
  const federation = await parseDraft(value, where)
  requireQuorum(where, federation.document)
  return federation
}

export async function writeFederation (path: string, document: FederationDocument): Promise<void> {
  await writeJson(path, document)
}

async function parseDraft (value: unknown, where: string): Promise<Federation> {
  const parsed = signedDocument.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new InputError(`${where} is not a federation document: ${issue?.path.join('.') || 'document'}: ${issue?.message ?? 'invalid'}`)
  }
  await verifySignatures(where, parsed.data)
  return { id: federationId(parsed.data), document: parsed.data }
}

async function verifySignatures (where: string, document: FederationDocument): Promise<void> {
  const body_ = unsigned(document)
  for (const each of document.signatures) {
    if (!document.founders.includes(each.peerId)) {
      throw new InputError(`${where} is signed by ${each.peerId}, who is not one of its founders: get the original from the founder`)
    }
    if (!await isSigned(body_, each)) {
      throw new InputError(
        `${where} was changed after its founder signed it: get the original from the founder, or create a new federation`
      )
    }
  }
}

function requireQuorum (where: string, document: FederationDocument): void {
  const signers = new Set(document.signatures.map(({ peerId }) => peerId)).size
  const needed = quorumOf(document)
  if (signers < needed) {
    throw new InputError(
      `${where} carries ${signers} of the ${needed} founders' signatures it needs: ask the others to sign ("consilium federation sign")`
    )
  }
}

function unsigned (document: FederationBody | FederationDocument): FederationBody {
  const { signatures: _, ...rest } = document as FederationDocument
  return rest
}
