import { rename, rm } from 'node:fs/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { InputError } from '../../errors.ts'
import { writeCheckedJson } from '../../home/checksum.ts'
import { DiskExchangeLog } from '../../home/exchange-log.ts'
import { isMissing, readIfThere } from '../../home/files.ts'
import { formerLedger, type SitePaths } from '../../home/paths.ts'
import { readNewestFederation } from '../amendments/amendments.ts'
import type { Federation } from '../document.ts'
import { loadIdentity, writeIdentity } from '../identity.ts'
import { holderOf, issueHandover, MOST_HANDOVERS, type Credential } from './certificate.ts'
import { LEFT } from './departure.ts'
import { appendEvent } from './events.ts'
import { readCredential, readStatements } from './files.ts'
import { Standing } from './statements.ts'

/**
 * Gives a site another key, to which the old one hands over its certificate. Files are written so that, struck at any moment, the same
 * command goes on. @throws InputError for a founder, whose key the document names, and while an exchange is in doubt.
 */
export async function rotateIdentity (
  paths: SitePaths,
  { now, passphrase }: { now: number, passphrase: string | undefined }
): Promise<{ from: string, to: string }> {
  const old = await loadIdentity(paths.identity)
  const from = peerIdFromPrivateKey(old).toString()
  const federation = await readIfThere(paths.federation) == null ? undefined : await readNewestFederation(paths)
  if (federation?.document.founders.includes(from) === true) {
    throw new InputError(
      'the federation document names the founders by their keys: a founder cannot change its key; have another founder put a new one in ' +
        'its place ("consilium federation amend")'
    )
  }
  await requireNoDoubt(paths.exchanges)
  const next = `${paths.identity}.next`
  const key = await nextKey(next, passphrase)
  const to = peerIdFromPrivateKey(key).toString()
  const credential = await readCredential(paths.certificate)
  if (federation != null && credential.certificate != null) await handOver(paths, federation, credential, old, { from, to, now })
  await rename(paths.audit, formerLedger(paths.audit, from)).catch((error: unknown) => { if (!isMissing(error)) throw error })
  await rename(next, paths.identity)
  await rm(paths.peers, { recursive: true, force: true })
  return { from, to }
}

async function handOver (
  paths: SitePaths,
  federation: Federation,
  { certificate, handovers }: Credential,
  old: PrivateKey,
  { from, to, now }: { from: string, to: string, now: number }
): Promise<void> {
  const isDone = handovers.at(-1)?.to === to
  if (!isDone && holderOf(certificate!, handovers) !== from) {
    throw new InputError('the certificate of this site names another key: ask for a new invitation and join again')
  }
  if (!isDone && handovers.length >= MOST_HANDOVERS) {
    throw new InputError(
      `this certificate has been handed over ${MOST_HANDOVERS} times: ask for a new invitation, "consilium init" in a new home and join`
    )
  }
  const credential: Credential = isDone
    ? { certificate, handovers }
    : {
        certificate,
        handovers: [...handovers, await issueHandover({ federation: federation.id, to, at: new Date(now).toISOString() }, old)]
      }
  const standing = new Standing(federation)
  await readStatements(paths.statements, standing)
  if (standing.hasLeft(from)) throw new InputError(LEFT)
  await standing.learn([{ version: 1, kind: 'succession', credential }])
  await writeCheckedJson(paths.statements, standing.statements)
  await writeCheckedJson(paths.certificate, credential)
  await appendEvent(paths.membershipEvents, { kind: 'membership', event: 'handed over', peer: from, detail: `to ${to}` })
}

/** The key of an earlier, interrupted rotation, or a new one. */
async function nextKey (path: string, passphrase: string | undefined): Promise<PrivateKey> {
  if (await readIfThere(path) != null) return await loadIdentity(path)
  const key = await generateKeyPair('Ed25519')
  await writeIdentity(path, key, passphrase)
  return key
}

/** A partner settles an exchange in doubt with the key that made it. */
async function requireNoDoubt (folder: string): Promise<void> {
  const log = await DiskExchangeLog.open(folder)
  const doubts = log.pending().length
  await log.close()
  if (doubts > 0) {
    throw new InputError(
      `${doubts} ${
        doubts === 1 ? 'exchange is' : 'exchanges are'
      } in doubt: start this site once more, until its partners have answered, and then change the key`
    )
  }
}
