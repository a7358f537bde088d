import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { z } from 'zod'

const digest = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.number().int().min(0)
const role = z.enum(['initiator', 'responder'])

/** One exchange of vectors as this site saw it; digests are SHA-256 of the vectors' bytes on the wire. */
const exchange = z.object({
  kind: z.literal('exchange'),
  id: z.string(),
  partner: z.string(),
  role,
  /** `doubt`: Commit had left and no answer came; a `settled` entry follows once the partner has been asked. */
  outcome: z.enum(['committed', 'failed', 'doubt']),
  round: count,
  partnerRound: count.optional(),
  tensors: count,
  /** With length prefixes; unknown where the entry is recovered. */
  bytesSent: count.optional(),
  bytesReceived: count.optional(),
  sentDigest: digest.optional(),
  receivedDigest: digest.optional(),
  codec: z.string().optional(),
  /** Of this site's training, all optimiser steps up to this one are at the partner since then; 0 where nothing arrived whole. */
  steps: count.optional(),
  /** The same of the partner's training; none where its software does not say. */
  partnerSteps: count.optional(),
  reason: z.string().optional(),
  /** Written at the start after a crash, from the log of exchanges, which knows no digests. */
  recovered: z.literal(true).optional()
})

/** How an exchange in doubt ended. */
const settled = z.object({
  kind: z.literal('settled'),
  id: z.string(),
  partner: z.string(),
  outcome: z.enum(['committed', 'aborted']),
  sentDigest: digest.optional(),
  receivedDigest: digest.optional()
})

/** One masked group as this site saw it; the digest is SHA-256 of the masked words that it sent. */
const group = z.object({
  kind: z.literal('group'),
  id: z.string(),
  leader: z.string(),
  /** `doubt`: the leader alone knows, and is asked; another entry follows. */
  outcome: z.enum(['committed', 'failed', 'doubt', 'aborted']),
  round: count,
  tensors: count,
  members: z.array(z.string()).optional(),
  bytesSent: count.optional(),
  bytesReceived: count.optional(),
  sentDigest: digest.optional(),
  /** Of this site's training, all optimiser steps up to this one are in a mean since then. */
  steps: count.optional(),
  reason: z.string().optional()
})

const content = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('start'),
    /** Entries that lay on disk after a crash without a signed head over them: nobody vouches for these. */
    unattested: count.optional(),
    tornBytes: count.optional(),
    /** Why the ledger before this one was put aside. */
    damaged: z.string().optional()
  }),
  z.object({ kind: z.literal('stop'), reason: z.enum(['done', 'stopped', 'failed']) }),
  z.object({
    kind: z.literal('connection'),
    peer: z.string(),
    direction: z.enum(['inbound', 'outbound']),
    address: z.string(),
    event: z.enum(['open', 'close']),
    more: count.optional()
  }),
  z.object({ kind: z.literal('refusal'), peer: z.string(), what: z.string(), reason: z.string(), more: count.optional() }),
  z.object({ kind: z.literal('ban'), peer: z.string(), reason: z.string(), seconds: z.number() }),
  z.object({ kind: z.literal('round'), round: count, exchanges: count, bytesSent: count, bytesReceived: count }),
  z.object({
    kind: z.literal('release'),
    round: count,
    unit: z.string(),
    noise: z.number(),
    clip: z.number(),
    /** Landings with unit site, optimiser steps with unit patient. */
    steps: count,
    /** Of all releases so far, at the federation's delta. */
    epsilon: z.number()
  }),
  z.object({
    kind: z.literal('publication'),
    what: z.string(),
    round: count,
    /** Numbers of it, and their SHA-256. */
    count,
    digest,
    /** Whom it was shown to. */
    peer: z.string()
  }),
  z.object({ kind: z.literal('membership'), event: z.string(), peer: z.string(), detail: z.string().optional() }),
  /** Scores of a global adapter on this site's validation images, told to all sites. */
  z.object({ kind: z.literal('scores'), adapter: digest, round: count, classes: count }),
  /** By the hash of the home's own key whose images were taken out of training, or in again, and when that was typed. */
  z.object({ kind: z.literal('withdrawal'), subject: z.string(), event: z.enum(['withdrawn', 'readmitted']), at: z.iso.datetime() }),
  z.object({ kind: z.literal('lost'), entries: count }),
  exchange,
  settled,
  group
])

/** What happened; never pixels, file names, patient ids or private numbers. */
export type EntryContent = z.infer<typeof content>
export type ExchangeContent = z.infer<typeof exchange>

const placed = z.looseObject({ seq: z.number().int().min(1), t: z.iso.datetime(), prev: digest, kind: z.string() })

/** A line of the ledger: what happened, when, its number, and the SHA-256 of the line before. */
export type LedgerEntry = EntryContent & { readonly seq: number, readonly t: string, readonly prev: string }

/** The `prev` of the first line. */
export const GENESIS = '0'.repeat(64)

export function sha256 (bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** RFC 8785. */
export function canonical (value: unknown): string {
  const text = canonicalize(value)
  if (text == null) throw new TypeError('only JSON values can be written canonically')
  return text
}

/** The entry of a line that is exactly as it was written by `canonical`; undefined for any other bytes. */
export function parseLine (line: Uint8Array): LedgerEntry | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(line)
    const value = placed.parse(JSON.parse(text))
    return canonical(value) === text ? value as unknown as LedgerEntry : undefined
  } catch {
    return undefined
  }
}

/** The entry as one of the kinds this version knows; undefined for kinds of a later one. */
export function knownContent (entry: LedgerEntry): (EntryContent & { readonly seq: number, readonly t: string }) | undefined {
  const parsed = content.safeParse(entry)
  return parsed.success ? { ...parsed.data, seq: entry.seq, t: entry.t } : undefined
}
