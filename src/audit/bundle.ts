import { createReadStream } from 'node:fs'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { z } from 'zod'
import { writeWhole } from '../common/write-whole.ts'
import { InputError } from '../errors.ts'
import { credential, type Credential } from '../federation/membership/certificate.ts'
import { Chain, type ChainPoint } from './chain.ts'
import { canonical, type LedgerEntry } from './entry.ts'
import { readSegment, segmentsIn } from './segments.ts'
import { verifyLedger, type ExpectedOwner, type LedgerCheck } from './verify.ts'

const FORMAT = 'consilium audit bundle'
/** Longest line that is read; a certificate is the largest thing in one. */
const MAX_LINE_BYTES = 65_536
const NEWLINE = 0x0a

const body = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(1),
  peerId: z.string(),
  federation: z.string().regex(/^[0-9a-f]{64}$/),
  made: z.iso.datetime(),
  count: z.number().int().min(0),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** Names the site as a member; founders stand in the federation document itself. */
  credential
})
const header = body.extend({ signature: z.string().regex(/^[0-9a-f]{128}$/) })

type Body = z.infer<typeof body>
export type BundleHeader = z.infer<typeof header>

export interface ExportInit {
  readonly folder: string
  readonly expected: ExpectedOwner
  readonly key: PrivateKey
  readonly credential: Credential
  readonly now: () => number
}

/**
 * Writes the whole ledger under a header signed with the site's key: one JSON line, then the ledger's lines as they are.
 * @throws InputError when the ledger does not verify.
 */
export async function exportBundle (path: string, { folder, expected, key, credential: shown, now }: ExportInit): Promise<LedgerCheck> {
  const verdict = await verifyLedger(folder, expected)
  if (!verdict.ok) throw new InputError(`the ledger does not verify, so it is not exported: ${verdict.problems[0]}`)
  const { count, hash } = verdict
  const fields: Body = {
    format: FORMAT,
    version: 1,
    peerId: expected.peerId,
    federation: expected.federation,
    made: new Date(now()).toISOString(),
    count,
    hash,
    credential: shown
  }
  const signed = { ...fields, signature: Buffer.from(await key.sign(signedBytes(fields))).toString('hex') }
  await writeWhole(path, (async function * () {
    yield canonical(signed) + '\n'
    let left = count
    for (const index of await segmentsIn(folder)) {
      const { lines } = await readSegment(folder, index)
      const taken = lines.slice(0, left)
      left -= taken.length
      yield taken.map((line) => line.toString('utf8') + '\n').join('')
    }
  })(), { mode: 0o600, replacesLink: true })
  return verdict
}

/**
 * Checks a bundle by itself: its signature is of the site it names, and its lines are the chain that was signed. Whether that site is a
 * member is asked elsewhere.
 */
export async function verifyBundle (
  path: string,
  onEntry: (entry: LedgerEntry, header: BundleHeader) => void = () => {}
): Promise<{ header: BundleHeader, verdict: LedgerCheck }> {
  const lines = linesOf(path)
  const first = await lines.next()
  const read = first.done === true ? undefined : await readHeader(first.value)
  if (read == null) throw new InputError(`${path} is not an audit bundle, or its header was changed: ask for it again`)
  const problem = await follow(lines, read, (entry) => {
    onEntry(entry, read)
  })
  return {
    header: read,
    verdict: {
      ok: problem == null,
      count: read.count,
      hash: read.hash,
      files: 1,
      peerId: read.peerId,
      problems: problem == null ? [] : [problem],
      notes: []
    }
  }
}

async function follow (
  lines: AsyncIterable<Buffer>,
  { count, hash }: ChainPoint,
  onEntry: (entry: LedgerEntry) => void
): Promise<string | undefined> {
  const chain = new Chain()
  for await (const line of lines) {
    const entry = chain.accept(line)
    if ('wrong' in entry) return entry.wrong
    onEntry(entry)
  }
  const { point } = chain
  if (point.count !== count) return `it holds ${point.count} entries where ${count} were signed`
  return point.hash === hash ? undefined : `entry ${count} was changed or replaced: the signature covers another`
}

async function readHeader (line: Buffer): Promise<BundleHeader | undefined> {
  try {
    const value = header.parse(JSON.parse(line.toString('utf8')))
    const { signature, ...fields } = value
    const { publicKey } = peerIdFromString(fields.peerId)
    const holds = canonical(value) === line.toString('utf8') && publicKey != null &&
      await publicKey.verify(signedBytes(fields), Buffer.from(signature, 'hex'))
    return holds ? value : undefined
  } catch {
    return undefined
  }
}

function signedBytes (fields: Body): Uint8Array {
  return Buffer.from(FORMAT + '\n' + canonical(fields))
}

/** Line by line without holding the file; what is not ended by a newline comes last. */
async function * linesOf (path: string): AsyncGenerator<Buffer> {
  let held: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    let begin = 0
    for (let end = held.indexOf(NEWLINE); end !== -1; end = held.indexOf(NEWLINE, begin)) {
      yield held.subarray(begin, end)
      begin = end + 1
    }
    held = held.subarray(begin)
    if (held.length > MAX_LINE_BYTES) {
      throw new InputError(`${path} is not an audit bundle: it has a line of more than ${MAX_LINE_BYTES} bytes`)
    }
  }
  // A bundle ends with a newline: anything else was appended or cut.
  if (held.length > 0) yield held
}
