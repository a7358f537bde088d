import { UsageError } from '../../errors.ts'
import { readNewestFederation } from '../../federation/amendments/amendments.ts'
import { siteName } from '../../federation/membership/certificate.ts'
import { MOST_ADDRESSES } from '../../federation/membership/invitation.ts'
import { inviteSite } from '../../federation/membership/invite-site.ts'
import { peerIdText } from '../../federation/signed.ts'
import { loadConfig } from '../../home/config/load.ts'
import { writeFileSafely } from '../../home/files.ts'
import { sitePaths } from '../../home/paths.ts'
import { fetchControl } from '../../node/control/client.ts'
import type { SiteStatus } from '../../rounds/status.ts'
import { network } from '../../settings/site/network.ts'
import { requireAddresses } from '../addresses.ts'
import { parseDuration } from '../duration.ts'
import { command, withFlags } from '../flags.ts'
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
    const validMs = parseDuration(args.ttl, 'ttl')
    const name = args.name ?? (await knownMember(home, peerId))?.name ?? peerId.slice(-8)
    const bootstrap = await addresses(home, args.bootstrap)
    const { invitation, validTo, missingSignatures: missing } = await inviteSite({ home, peerId, name, role, validMs, bootstrap })
    const { document: { hints = [] } } = await readNewestFederation(sitePaths(home))
    if (out != null) await writeFileSafely(out, invitation + '\n', 0o600)
    const warning = bootstrap.length > 0 || hints.length > 0
      ? undefined
      : 'the invitation holds no address of a site: start your daemon first or give --bootstrap ADDRESS, then invite again'
    if (warning != null) warn(warning)
    const advice = missing > 0 ? `\n${missing} more founders must sign it: "consilium federation sign INVITATION"` : ''
    const where = out == null ? invitation : `written to ${out}: it holds the network key, so hand it over by a safe way`
    print(json, {
      peerId,
      name,
      role,
      validTo,
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

/** Where a running daemon listens, then what was given and what this site itself was told. */
async function addresses (home: string, given: readonly string[]): Promise<string[]> {
  const status = await fetchControl<SiteStatus>(home, '/status').catch(() => undefined)
  const { bootstrap } = await loadConfig(sitePaths(home).config, {})
  const own = (status?.addresses ?? []).toSorted((a, b) => Number(a.includes('/ws')) - Number(b.includes('/ws')))
  return [...new Set([...given, ...own, ...bootstrap])].slice(0, MOST_ADDRESSES)
}
