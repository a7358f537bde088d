import type { PrivateKey } from '@libp2p/interface'
import { z } from 'zod'
import { ProtocolError } from '../../errors.ts'
import type { Federation } from '../document.ts'
import { credential, holderOf, signerFault } from '../membership/certificate.ts'
import { federationIdText, isSigned, peerIdText, printable, sign } from '../signed.ts'

/** Scores of fewer patients could be told apart. */
export const LEAST_PATIENTS = 5
const MOST_CLASSES = 16
const MOST_ROUND = 2 ** 32 - 1
const DIGITS = 4

const share = z.number().min(0).max(1)
/** Mean over patients of one class, with its 95 % interval. */
const score = z.strictObject({ mean: share, low: share, high: share, patients: z.number().int().min(LEAST_PATIENTS).max(MOST_ROUND) })

const body = z.strictObject({
  version: z.literal(1),
  kind: z.literal('scores'),
  federation: federationIdText,
  /** Whose validation images. */
  site: peerIdText,
  made: z.iso.datetime().max(40),
  /** SHA-256 of the global adapter's tensors (tensors-digest.ts). */
  adapter: z.string().regex(/^[0-9a-f]{64}$/),
  round: z.number().int().min(0).max(MOST_ROUND),
  /** The adapter is the one that this site had itself after that round. */
  own: z.boolean(),
  /** Dice by class. */
  dice: z.record(printable.min(1).max(60), score).refine((classes) => Object.keys(classes).length <= MOST_CLASSES, 'too many classes'),
  credential
})
const row = body.extend({ signature: z.base64().max(100) })

export type Score = Readonly<z.infer<typeof score>>
export type ScoreRow = Readonly<z.infer<typeof row>>

/** To as many digits as a person reads, and no more of the patients. */
export function rounded (value: number): number {
  return Number(value.toFixed(DIGITS))
}

export async function signRow (init: Omit<z.infer<typeof body>, 'version' | 'kind'>, key: PrivateKey): Promise<ScoreRow> {
  const unsigned = { version: 1, kind: 'scores', ...init } as const
  return { ...unsigned, signature: (await sign(unsigned, key)).signature }
}

/**
 * A row as its site signed it; undefined where that site was not admitted, as far as this one knows. @throws ProtocolError for a row that
 * was forged or altered, or is of another federation
 */
export async function readRow (value: unknown, federation: Federation): Promise<ScoreRow | undefined> {
  const { data } = row.safeParse(value)
  if (data == null) throw new ProtocolError('a row of scores is malformed')
  const { signature, ...unsigned } = data
  if (data.federation !== federation.id) throw new ProtocolError('a row of scores of another federation')
  if (!await isSigned(unsigned, { peerId: data.site, signature })) throw new ProtocolError(`a row of scores that ${data.site} did not sign`)
  return await isOfMember(data, federation) ? data : undefined
}

/** At whatever time: what a member once scored stays true. */
async function isOfMember ({ site, credential: shown }: ScoreRow, federation: Federation): Promise<boolean> {
  if (federation.document.founders.includes(site)) return true
  const { certificate, handovers } = shown
  return certificate != null && holderOf(certificate, handovers) === site && await signerFault(shown, federation) == null
}
