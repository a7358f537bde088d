import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { VERSION_TEXT } from '../../common/software.ts'
import { InputError, UsageError } from '../../errors.ts'
import { agreeTo } from '../../federation/amendments/agreements.ts'
import { amend as amended, type Wanted } from '../../federation/amendments/amend.ts'
import { Amendments } from '../../federation/amendments/amendments.ts'
import { changeInWords, changesBetween } from '../../federation/amendments/changes.ts'
import { amendmentName, hindrance } from '../../federation/amendments/take-up.ts'
import {
  documentDigest,
  lackingSignatures,
  readFederation,
  signersOfDocument,
  signFederation,
  type FederationDocument
} from '../../federation/document.ts'
import { loadIdentity } from '../../federation/identity.ts'
import { appendEvent } from '../../federation/membership/events.ts'
import { readStatements } from '../../federation/membership/files.ts'
import { Standing } from '../../federation/membership/statements.ts'
import { requirePolicy } from '../../federation/policy.ts'
import { readOverrides } from '../../federation/settings.ts'
import { peerIdText } from '../../federation/signed.ts'
import { sitePaths, type SitePaths } from '../../home/paths.ts'
import { readPolicy } from '../../home/policy.ts'
import { training } from '../../settings/training.ts'
import { requireAddresses } from '../addresses.ts'
import { command, withFlags, type Args } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'
import { prepareHome } from '../prepare-home.ts'
import { flagOf, requireWithin } from '../setting-flags.ts'

const BOUNDED = { rounds: training.shape.rounds }

const amendFlags = {
  ...homeFlag,
  ...jsonFlag,
  rounds: flagOf(BOUNDED.rounds),
  settings: { type: 'string', describe: 'JSON file with what shall be otherwise in training, averaging and method' },
  'add-founder': { type: 'string', array: true, describe: 'peer id of a further founder', default: [] as string[] },
  'remove-founder': { type: 'string', array: true, describe: 'peer id of who shall be founder no more', default: [] as string[] },
  quorum: { type: 'number', describe: 'how many founders must sign from then on' },
  'add-hint': { type: 'string', array: true, describe: 'address of a site that the document is to name', default: [] as string[] },
  'remove-hint': { type: 'string', array: true, describe: 'address that it is to name no more', default: [] as string[] },
  'least-software': { type: 'string', describe: 'oldest version that goes on with it, such as 0.3.0' }
} as const

type AmendArgs = Args<typeof amendFlags>

export const amend = command({
  command: 'amend',
  describe: 'propose a document that follows the one in force: more rounds, other rates, founders or hints',
  builder: (argv) => withFlags(argv, amendFlags),
  handler: async (args) => {
    requireWithin(BOUNDED, args)
    await prepareHome(args.home)
    const paths = sitePaths(args.home)
    const key = await loadIdentity(paths.identity)
    const amendments = await openAmendments(paths)
    const { newest } = amendments
    const peerId = peerIdFromPrivateKey(key).toString()
    if (!newest.document.founders.includes(peerId)) {
      throw new InputError(`this site (${peerId}) is not one of the founders: only they can amend the federation`)
    }
    const wanted = await wantedBy(args, newest.document)
    const isGovernance = wanted.founders != null || wanted.quorum != null
    const standing = new Standing(newest)
    await readStatements(paths.statements, standing)
    const now = new Date().toISOString()
    const document = await amended(newest, wanted, { key, now, revoked: isGovernance ? standing.revokedByFounders : [] })
    requirePolicy(await readPolicy(paths.policy), document)
    await conclude({ paths, amendments, peerId, json: args.json }, document, true)
  }
})

async function wantedBy (args: AmendArgs, { founders, hints }: FederationDocument): Promise<Wanted> {
  const { rounds, settings: file, addFounder: more, removeFounder: fewer, quorum, leastSoftware } = args
  for (const each of [...more, ...fewer]) {
    if (!peerIdText.safeParse(each).success) throw new UsageError(`${each} is not a peer id: "consilium members" shows them (12D3KooW…)`)
  }
  const stranger = fewer.find((each) => !founders.includes(each))
  if (stranger != null) throw new UsageError(`--remove-founder ${stranger} is not one of the founders`)
  if (leastSoftware != null && !VERSION_TEXT.test(leastSoftware)) throw new UsageError('--least-software must be a version such as 0.3.0')
  const settings = file == null ? {} : await readOverrides(file)
  const { training: rates } = settings as { training?: object }
  const isOther = more.length + fewer.length > 0
  return {
    settings: { ...settings, ...(rounds == null ? {} : { training: { ...rates, rounds } }) },
    ...(isOther ? { founders: [...new Set([...founders, ...more])].filter((each) => !fewer.includes(each)) } : {}),
    ...(quorum == null ? {} : { quorum }),
    ...(leastSoftware == null ? {} : { leastSoftware }),
    ...hintsWanted(args, hints)
  }
}

function hintsWanted ({ addHint: more, removeHint: fewer }: AmendArgs, hints: readonly string[] = []): Pick<Wanted, 'hints'> {
  requireAddresses(more, '--add-hint')
  const stranger = fewer.find((each) => !hints.includes(each))
  if (stranger != null) throw new UsageError(`--remove-hint ${stranger} is not one of the hints: "consilium federation show" has them`)
  return more.length + fewer.length === 0 ? {} : { hints: [...hints, ...more].filter((each) => !fewer.includes(each)) }
}

export const agree = command({
  command: 'agree [amendment]',
  describe: 'go on with an amendment of the founders; at a founder, sign it too where it lacks signatures',
  builder: (argv) =>
    withFlags(argv.positional('amendment', { type: 'string', describe: 'beginning of its digest, where there are several' }), {
      ...homeFlag,
      ...jsonFlag
    }),
  handler: async ({ home, json, amendment = '' }) => {
    await prepareHome(home)
    const paths = sitePaths(home)
    const amendments = await openAmendments(paths)
    const document = chosen(amendments, amendment)
    const why = hindrance(document, await readPolicy(paths.policy))
    if (why != null) throw new InputError(`this site cannot go on with ${amendmentName(document)}: ${why}`)
    const key = await loadIdentity(paths.identity)
    const peerId = peerIdFromPrivateKey(key).toString()
    const isSigner = lackingSignatures(document) > 0 && signersOfDocument(document).founders.includes(peerId)
    const signed = isSigner ? await signFederation(document, key) : document
    await conclude({ paths, amendments, peerId, json }, signed, isSigner)
  }
})

async function openAmendments (paths: SitePaths): Promise<Amendments> {
  return await Amendments.open(paths, await readFederation(paths.federation))
}

/** @throws InputError where there is none, or more than one of that name */
function chosen ({ inForce, after, drafts }: Amendments, name: string): FederationDocument {
  const all = [...after.slice(-1), ...drafts]
  const found = all.filter((each) => documentDigest(each).startsWith(name))
  if (found.length === 1) return found[0]!
  if (all.length === 0) throw new InputError('this site knows of no amendment that it does not go on with already')
  const lines = all.map((each) => `${amendmentName(each)}: ${changesBetween(inForce.document, each).map(changeInWords).join('; ')}`)
  const which = found.length === 0 ? `no amendment begins with ${name}` : 'there are several amendments'
  throw new InputError(`${which}: give the beginning of the digest of one of these\n${lines.join('\n')}`)
}

interface Signing {
  readonly paths: SitePaths
  readonly amendments: Amendments
  readonly peerId: string
  readonly json: boolean
}

/** This site agrees to what it signs. */
async function conclude ({ paths, amendments, peerId, json }: Signing, signed: FederationDocument, isSigned: boolean): Promise<void> {
  const document = isSigned ? await amendments.leave(signed) : signed
  await agreeTo(paths.agreements, document)
  const missing = lackingSignatures(document)
  const changes = changesBetween(amendments.inForce.document, document).map(changeInWords)
  const name = amendmentName(document)
  await appendEvent(paths.membershipEvents, {
    kind: 'membership',
    event: isSigned ? 'amendment signed' : 'amendment agreed',
    peer: peerId,
    detail: `${name}: ${changes.join('; ')}`
  })
  const next = missing === 0
    ? 'enough founders have signed it: this site goes on with it when its round is over, or at its next start'
    : `${missing} more founders must sign it: they type "consilium federation agree ${documentDigest(document).slice(0, 8)}" at their sites`
  print(json, { amendment: documentDigest(document), changes, missing }, [name, ...changes.map((each) => `  ${each}`), next].join('\n'))
}
