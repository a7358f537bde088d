import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { InputError } from '../errors.ts'
import { readFederation } from '../federation/document.ts'
import { readPeerId } from '../federation/identity.ts'
import { peerIdText } from '../federation/signed.ts'
import { isThere, readIfThere } from '../home/files.ts'
import { formerLedger, sitePaths } from '../home/paths.ts'
import { requireKnownHome } from '../home/version.ts'
import { verifyBundle } from './bundle.ts'
import { readLedgerHead } from './head.ts'
import { LedgerAccount } from './reconcile.ts'
import { HEAD } from './segments.ts'
import { verifyLedger, type ExpectedOwner } from './verify.ts'

/** Whose ledger lies in this home. */
export async function ownerOf (home: string): Promise<ExpectedOwner> {
  await requireKnownHome(home)
  const paths = sitePaths(home)
  const { id } = await readFederation(paths.federation)
  return { peerId: await readPeerId(paths.identity), federation: id }
}

const LEAST_CHARACTERS = 8

/**
 * The ledger of a home, or that of its `former` peer id, as rotateIdentity leaves it; the last characters of that are enough.
 * @throws InputError where there is none
 */
export async function ledgerOf (home: string, former?: string): Promise<{ readonly folder: string, readonly owner: ExpectedOwner }> {
  const owner = await ownerOf(home)
  const { audit } = sitePaths(home)
  if (former == null) return { folder: audit, owner }
  const folder = formerLedger(audit, former)
  const peerId = former.length < LEAST_CHARACTERS ? undefined : await ownerOfLedger(folder)
  if (peerId?.endsWith(former) === true) return { folder, owner: { ...owner, peerId } }
  if (peerIdText.safeParse(former).success && await isThere(folder)) return { folder, owner: { ...owner, peerId: former } }
  const prefix = `${basename(audit)}-`
  const known = (await readdir(home)).filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length))
  throw new InputError(`${home} has no ledger of ${former}: ${known.length === 0
    ? 'its key was never rotated'
    : `give the former peer id as "id rotate" printed it, or its last 8 characters; there are ledgers of …${known.join(', …')}`}`)
}

/** Whose a ledger says that it is; verifying holds its signatures to that. */
async function ownerOfLedger (folder: string): Promise<string | undefined> {
  const bytes = await readIfThere(join(folder, HEAD)).catch(() => undefined)
  const head = bytes == null ? undefined : await readLedgerHead(bytes)
  return head == null || 'wrong' in head ? undefined : head.peerId
}

/** What the ledger in a home folder, or in a bundle, says about exchanges. @throws InputError unless it verifies. */
export async function readAccount (path: string): Promise<{ account: LedgerAccount, federation: string }> {
  const isHome = (await stat(path)).isDirectory()
  return isHome ? await fromHome(path) : await fromBundle(path)
}

async function fromHome (home: string): Promise<{ account: LedgerAccount, federation: string }> {
  const owner = await ownerOf(home)
  const account = new LedgerAccount(owner.peerId)
  const { ok, problems } = await verifyLedger(sitePaths(home).audit, owner, account.add)
  if (!ok) throw new InputError(`the ledger in ${home} does not verify: ${problems[0]}`)
  return { account, federation: owner.federation }
}

async function fromBundle (path: string): Promise<{ account: LedgerAccount, federation: string }> {
  let account: LedgerAccount | undefined
  const { header, verdict } = await verifyBundle(path, (entry, { peerId }) => {
    account ??= new LedgerAccount(peerId)
    account.add(entry)
  })
  if (!verdict.ok) throw new InputError(`the bundle ${path} does not verify: ${verdict.problems[0]}`)
  return { account: account ?? new LedgerAccount(header.peerId), federation: header.federation }
}
