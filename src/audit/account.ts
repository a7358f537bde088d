import { stat } from 'node:fs/promises'
import { InputError } from '../errors.ts'
import { readFederation } from '../federation/document.ts'
import { readPeerId } from '../federation/identity.ts'
import { formerLedger, sitePaths } from '../home/paths.ts'
import { requireKnownHome } from '../home/version.ts'
import { verifyBundle } from './bundle.ts'
import { LedgerAccount } from './reconcile.ts'
import { verifyLedger, type ExpectedOwner } from './verify.ts'

/** Whose ledger lies in this home. */
export async function ownerOf (home: string): Promise<ExpectedOwner> {
  await requireKnownHome(home)
  const paths = sitePaths(home)
  const { id } = await readFederation(paths.federation)
  return { peerId: await readPeerId(paths.identity), federation: id }
}

/** The ledger of a home, or that of its `former` peer id, as rotateIdentity leaves it. */
export async function ledgerOf (home: string, former?: string): Promise<{ readonly folder: string, readonly owner: ExpectedOwner }> {
  const owner = await ownerOf(home)
  const { audit } = sitePaths(home)
  return former == null ? { folder: audit, owner } : { folder: formerLedger(audit, former), owner: { ...owner, peerId: former } }
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
