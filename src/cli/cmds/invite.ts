import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { InputError, UsageError } from '../../errors.ts'
import { readFederation } from '../../federation/document.ts'
import { loadIdentity } from '../../federation/identity.ts'
import {
  issueCertificate,
  missingSignatures,
  siteName,
  verifyCredential,
  type Certificate
} from '../../federation/membership/certificate.ts'
import { appendEvent } from '../../federation/membership/events.ts'
import { readCredential, readStatements } from '../../federation/membership/files.ts'
import { encodeInvitation } from '../../federation/membership/invitation.ts'
import { readKeyRing } from '../../federation/membership/network-key.ts'
import { Standing } from '../../federation/membership/statements.ts'
import { peerIdText } from '../../federation/signed.ts'
import { loadConfig } from '../../home/config/load.ts'
import { writeFileSafely } from '../../home/files.ts'
import { sitePaths } from '../../home/paths.ts'
import { fetchControl } from '../../node/control/client.ts'
import type { SiteStatus } from '../../rounds/status.ts'
import { network } from '../../settings/site/network.ts'
import { requireAddresses } from '../addresses.ts'
import { parseDuration } from '../duration.ts'
import { command, withFlags, type Args } from '../flags.ts'
import { knownMember } from '../members-of-home.ts'
import { homeFlag, jsonFlag, print, warn } from '../output.ts'
import { prepareHome } from '../prepare-home.ts'
import { flagWithDefault } from '../setting-flags.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  ttl: { type: 'string', describe: 'how long the certificate is valid, such as 30d or 12h', default: '365d' },
  role: { choices: ['member', 'inviter'], describe: 'an inviter may admit and revoke plain members', default: 'member' },
  name: { type: 'string', describe: 'name of the site, shown to the others' },
  bootstrap: flagWithDefault(network.shape.bootstrap),
  out: { type: 'string', describe: 'write the invitation to this file instead' }
} as const

// Clocks of two hospitals differ.
const CLOCK_SLACK_MS = 600_000
const MOST_ADDRESSES = 8

export const invite = command({
  command: 'invite <peerId>',
  describe: 'admit a site: prints the invitation with which it joins',
  builder: (argv) =>
    withFlags(
      argv.positional('peerId', { type: 'string', describe: 'what "consilium init" printed there', demandOption: true }),
      flags
    ),
  handler: async (args) => {
    const { home, json, peerId, role, out } = args
    requireNames(args)
    requireAddresses(args.bootstrap)
    await prepareHome(home)
    const now = Date.now()
    const to = new Date(now + parseDuration(args.ttl, 'ttl')).toISOString()
    const issuer = await openIssuer(home)
    const { federation, ring, paths } = issuer
    requireOther(issuer, peerId, role)
    const name = args.name ?? (await knownMember(home, peerId))?.name ?? peerId.slice(-8)
    const certificate = await issue(issuer, { peerId, name, role, from: new Date(now - CLOCK_SLACK_MS).toISOString(), to })
    const bootstrap = await addresses(home, args.bootstrap)
    const invitation = encodeInvitation({ federation, certificate, ring, bootstrap })
    await appendEvent(paths.membershipEvents, { kind: 'membership', event: 'invited', peer: peerId, detail: `${role} ${name}` })
    if (out != null) await writeFileSafely(out, invitation + '\n', 0o600)
    const warning = bootstrap.length > 0
      ? undefined
      : 'the invitation holds no address of a site: start your daemon first or give --bootstrap ADDRESS, then invite again'
    if (warning != null) warn(warning)
    const missing = missingSignatures(federation, certificate)
    const advice = missing > 0 ? `\n${missing} more founders must sign it: "consilium federation sign INVITATION"` : ''
    const where = out == null ? invitation : `written to ${out}: it holds the network key, so hand it over by a safe way`
    print(json, {
      peerId,
      name,
      role,
      validTo: certificate?.to,
      missingSignatures: missing,
      warning,
      ...(out == null ? { invitation } : { out })
    }, where + advice)
  }
})

function requireNames ({ peerId, name }: { peerId: string, name: string | undefined }): void {
  if (!peerIdText.safeParse(peerId).success) {
    throw new UsageError(`${peerId} is not a peer id: "consilium init" at the other site prints it (12D3KooW…)`)
  }
  if (name != null && !siteName.safeParse(name).success) throw new UsageError('--name must have 1 to 60 printable characters')
}

interface Issuer {
  readonly paths: ReturnType<typeof sitePaths>
  readonly federation: Awaited<ReturnType<typeof readFederation>>
  readonly ring: Awaited<ReturnType<typeof readKeyRing>>
  readonly standing: Standing
  readonly peerId: string
  readonly key: Awaited<ReturnType<typeof loadIdentity>>
  readonly certificate: Awaited<ReturnType<typeof readCredential>>['certificate']
}

/** @throws InputError unless this site may admit others now. */
async function openIssuer (home: string): Promise<Issuer> {
  const paths = sitePaths(home)
  const federation = await readFederation(paths.federation)
  const key = await loadIdentity(paths.identity)
  const peerId = peerIdFromPrivateKey(key).toString()
  const standing = new Standing(federation)
  await readStatements(paths.statements, standing)
  const credential = await readCredential(paths.certificate)
  const verdict = await verifyCredential(credential, { federation, peerId, now: Date.now(), standing })
  if ('fault' in verdict || verdict.member.role === 'member') {
    throw new InputError('only a founder or an inviter with a valid certificate can invite: ask one of them')
  }
  if (credential.handovers.length > 0) {
    throw new InputError(
      'this inviter has a new key, which its certificate does not name: ask the founders to invite it again as an inviter'
    )
  }
  return {
    paths,
    federation,
    ring: await readKeyRing(paths.networkKey),
    standing,
    peerId,
    key,
    certificate: verdict.member.role === 'founder' ? undefined : credential.certificate
  }
}

function requireOther ({ peerId: own, standing }: Issuer, peerId: string, role: Args<typeof flags>['role']): void {
  if (peerId === own) {
    throw new InputError(`${peerId} is this site itself, which is in the federation: give what "consilium init" printed at the other site`)
  }
  if (standing.isRevoked(peerId, role)) {
    throw new InputError(
      `${peerId} was revoked, which is permanent: let that site run "consilium init" in a new home and invite the new peer id`
    )
  }
}

/** A founder needs none: the document names it. */
async function issue (
  { federation, key, certificate: issuer }: Issuer,
  init: { peerId: string, name: string, role: 'member' | 'inviter', from: string, to: string }
): Promise<Certificate | undefined> {
  if (federation.document.founders.includes(init.peerId)) return undefined
  if (issuer != null && init.role === 'inviter') throw new InputError('an inviter can admit plain members only: ask a founder')
  return await issueCertificate({ federation: federation.id, ...init }, key, issuer)
}

/** Where a running daemon listens, then what was given and what this site itself was told. */
async function addresses (home: string, given: readonly string[]): Promise<string[]> {
  const status = await fetchControl<SiteStatus>(home, '/status').catch(() => undefined)
  const { bootstrap } = await loadConfig(sitePaths(home).config, {})
  const own = (status?.addresses ?? []).toSorted((a, b) => Number(a.includes('/ws')) - Number(b.includes('/ws')))
  return [...new Set([...given, ...own, ...bootstrap])].slice(0, MOST_ADDRESSES)
}
