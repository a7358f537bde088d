import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { z } from 'zod'
import { parseJson } from '../common/parse-json.ts'
import { canonical } from './entry.ts'

const body = z.strictObject({
  version: z.literal(1),
  peerId: z.string(),
  federation: z.string().regex(/^[0-9a-f]{64}$/),
  /** Entries that it covers, and the SHA-256 of the last of them. */
  count: z.number().int().min(0),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** The daemon ended in order: nothing may follow. */
  closed: z.boolean()
})

const head = body.extend({ signature: z.string().regex(/^[0-9a-f]{128}$/) })

export type HeadBody = z.infer<typeof body>
/** Says how long the ledger is and what its last line was, signed by the site: truncation is noticed by it. */
export type Head = z.infer<typeof head>

export async function signHead (fields: HeadBody, key: PrivateKey): Promise<Head> {
  return { ...fields, signature: Buffer.from(await key.sign(signedBytes(fields))).toString('hex') }
}

/** Bytes of the file; each head has exactly one such form. */
export function headBytes (value: Head): Buffer {
  return Buffer.from(canonical(value) + '\n')
}

/** The head in these bytes, or why there is none: the signature must be its own peer id's. */
export async function readLedgerHead (bytes: Uint8Array): Promise<Head | { readonly wrong: string }> {
  const { data: value } = head.safeParse(parseJson(Buffer.from(bytes).toString('utf8')))
  if (value == null) return { wrong: 'it is not a ledger head' }
  if (!headBytes(value).equals(bytes)) return { wrong: 'its bytes were changed' }
  return await verifyHead(value) ? value : { wrong: 'its signature does not match' }
}

async function verifyHead ({ signature, ...fields }: Head): Promise<boolean> {
  try {
    const { publicKey } = peerIdFromString(fields.peerId)
    return publicKey != null && await publicKey.verify(signedBytes(fields), Buffer.from(signature, 'hex'))
  } catch {
    return false
  }
}

function signedBytes (fields: HeadBody): Uint8Array {
  return Buffer.from('consilium audit head\n' + canonical(fields))
}
