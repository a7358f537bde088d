import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { InputError } from '../../errors.ts'
import {
  lackingSignatures,
  quorumOf,
  readDraft,
  requireQuorum,
  signFederation,
  writeFederation,
  type Federation,
  type FederationDocument
} from '../../federation/document.ts'
import { loadIdentity } from '../../federation/identity.ts'
import { countersign, missingSignatures } from '../../federation/membership/certificate.ts'
import { decodeInvitation, encodeInvitation, isInvitation, MAX_INVITATION_BYTES } from '../../federation/membership/invitation.ts'
import { comparePolicy, type PolicyLine } from '../../federation/policy.ts'
import { readIfThere, writeFileSafely } from '../../home/files.ts'
import { sitePaths } from '../../home/paths.ts'
import { readPolicy } from '../../home/policy.ts'
import { requireKnownHome } from '../../home/version.ts'
import { askControl } from '../../node/control/client.ts'
import { lastPhases, roundPlan } from '../../rounds/plan.ts'
import { sections } from '../../settings/federation-settings.ts'
import { methodInWords } from '../../settings/methods/index.ts'
import { pretrainingInWords } from '../../settings/pretraining.ts'
import { factsInWords } from '../../settings/facts.ts'
import { sharingInWords } from '../../settings/publications.ts'
import { parseDuration } from '../duration.ts'
import { command, STANDARD_INPUT, withFlags } from '../flags.ts'
import { readInvitation } from '../read-invitation.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'
import { offline, prepareHome } from '../prepare-home.ts'

const NAME_IT = 'name the federation.json that a founder made'

export const sign = command({
  command: 'sign <what>',
  describe: "add this founder's signature to a federation.json or to an invitation",
  builder: (argv) =>
    withFlags(
      argv.positional('what', {
        type: 'string',
        describe: 'federation.json, or an invitation, its file, or - for standard input',
        demandOption: true
      }),
      { ...homeFlag, ...jsonFlag }
    ),
  handler: async ({ home, json, what }) => {
    await prepareHome(home)
    if (what === STANDARD_INPUT || isInvitation(what)) await signInvitation(home, json, await readInvitation(what))
    else if (await holdsInvitation(what)) await signInvitation(home, json, await readInvitation(what), what)
    else await signDocument(home, json, what)
  }
})

/** The document is signed in place; where the home holds the same federation, both get all signatures. */
async function signDocument (home: string, json: boolean, file: string): Promise<void> {
  const paths = sitePaths(home)
  const draft = await readDraft(file, NAME_IT)
  const key = await loadIdentity(paths.identity)
  requireFounder(draft, peerIdFromPrivateKey(key).toString())
  const own = await readIfThere(paths.federation) == null ? undefined : await readDraft(paths.federation)
  const together = own?.id === draft.id ? merged(draft.document, own.document) : draft.document
  const document = await signFederation(together, key)
  await writeFederation(file, document)
  if (own?.id === draft.id) await writeFederation(paths.federation, document)
  const missing = lackingSignatures(document)
  print(
    json,
    { id: draft.id, signatures: document.signatures.length, missing },
    missing === 0 ? `${file} carries all signatures it needs` : `${file} needs ${missing} more founders' signatures`
  )
}

/** Whether a file is what `invite --out` wrote, rather than a document. */
async function holdsInvitation (file: string): Promise<boolean> {
  const bytes = await readIfThere(file).catch(() => undefined)
  return bytes != null && isInvitation(bytes.subarray(0, MAX_INVITATION_BYTES).toString('utf8').trim())
}

/** One that came from a file is signed in place, as documents are. */
async function signInvitation (home: string, json: boolean, text: string, file?: string): Promise<void> {
  const invitation = await decodeInvitation(text)
  const key = await loadIdentity(sitePaths(home).identity)
  requireFounder(invitation.federation, peerIdFromPrivateKey(key).toString())
  if (invitation.certificate == null || invitation.certificate.issuer != null) {
    throw new InputError("this invitation needs no founder's signature")
  }
  const certificate = await countersign(invitation.certificate, key)
  const signed = encodeInvitation({ ...invitation, certificate })
  const missing = missingSignatures(invitation.federation, certificate)
  if (file != null) await writeFileSafely(file, signed + '\n', 0o600)
  const inFile = missing === 0 ? `${file} carries all signatures it needs` : `${file} needs ${missing} more founders' signatures`
  print(json, { ...file == null ? { invitation: signed } : { out: file }, missingSignatures: missing }, file == null ? signed : inFile)
}

export const show = command({
  command: 'show [file]',
  describe: 'what a federation.json says: of this site, or of a file',
  builder: (argv) =>
    withFlags(argv.positional('file', { type: 'string', describe: 'federation.json' }), {
      ...homeFlag,
      ...jsonFlag,
      policy: { type: 'boolean', describe: "beside the lines of this site's policy.json", default: false }
    }),
  handler: async ({ home, json, file, policy }) => {
    const { id, document } = await readOwnOr(file, home)
    if (policy) {
      const lines = comparePolicy(await readPolicy(sitePaths(home).policy), document)
      print(json, lines, () => lines.length === 0 ? 'policy.json says nothing of a document' : lines.map(describeLine).join('\n'))
    } else print(json, { id, ...document }, () => describe({ id, document }))
  }
})

export const verify = command({
  command: 'verify [file]',
  describe: 'check the signatures of a federation.json',
  builder: (argv) =>
    withFlags(argv.positional('file', { type: 'string', describe: 'federation.json' }), { ...homeFlag, ...jsonFlag }),
  handler: async ({ home, json, file }) => {
    const { id, document } = await readOwnOr(file, home)
    requireQuorum(file ?? sitePaths(home).federation, document)
    print(
      json,
      { id, name: document.name, signatures: document.signatures.length, quorum: quorumOf(document) },
      `federation ${id}: all ${document.signatures.length} signatures hold`
    )
  }
})

export const rotateKey = command({
  command: 'rotate-key',
  describe: 'make a new network key and send it to all members; the old one is accepted for the overlap time',
  builder: (argv) =>
    withFlags(argv, {
      ...homeFlag,
      ...jsonFlag,
      overlap: { type: 'string', describe: 'how long the old key is still accepted, such as 14d', default: '14d' }
    }),
  handler: async ({ home, json, overlap }) => {
    const overlapMs = parseDuration(overlap, 'overlap')
    const told = await askControl<{ epoch: number, overlapUntil: string }>(home, '/membership/rotate-key', { overlapMs })
    const { epoch, overlapUntil } = told ?? await offline(home, async ({ membership }) => await membership.rotateKey(overlapMs))
    const how = told == null
      ? 'the others get it when this site starts'
      : 'those that are connected have it now, the others get it when they come back'
    print(json, { epoch, overlapUntil }, `network key ${epoch} is in use, the one before it until ${overlapUntil}: ${how}`)
  }
})

async function readOwnOr (file: string | undefined, home: string): Promise<Federation> {
  if (file != null) return await readDraft(file, NAME_IT)
  await requireKnownHome(home)
  return await readDraft(sitePaths(home).federation)
}

function requireFounder ({ document }: Federation, peerId: string): void {
  if (!document.founders.includes(peerId)) throw new InputError(`this site (${peerId}) is not one of the founders: only they can sign`)
}

function merged (a: FederationDocument, b: FederationDocument): FederationDocument {
  return {
    ...a,
    signatures: [...a.signatures, ...b.signatures.filter(({ peerId }) => !a.signatures.some((each) => each.peerId === peerId))]
  }
}

function describeLine ({ name, document, policy, isWithin }: PolicyLine): string {
  return `${isWithin ? 'within' : 'BEYOND'}  ${name}: the document says ${document}, policy.json ${policy}`
}

const FIT = 'fit what stays with them to what the common model is sure of'
const SERVE = 'serve the common model'

function describe ({ id, document }: Federation): string {
  const signed = new Set(document.signatures.map(({ peerId }) => peerId))
  return [
    `${document.name}  ${id}`,
    `created     ${document.created}${document.software == null ? '' : ` by consilium ${document.software}`}`,
    ...(document.amends == null ? [] : [`amendment   ${document.amends.number}, after ${document.amends.document}`]),
    ...(document.leastSoftware == null ? [] : [`software    ${document.leastSoftware} or newer`]),
    `quorum      ${quorumOf(document)} of ${document.founders.length} founders`,
    ...document.founders.map((peerId) => `founder     ${peerId}${signed.has(peerId) ? ', signed' : ''}`),
    ...(document.hints ?? []).map((address) => `hint        ${address}`),
    ...(document.start == null ? [] : [`starts from the adapter ${document.start.adapter}`]),
    `trains by   ${methodInWords(document)}`,
    ...pretrainingInWords(document.method).map((sentence) => `labels      ${sentence}`),
    `readers     sites without labels may read, and ${lastPhases(roundPlan(document)).length > 0 ? FIT : SERVE}`,
    ...[...sharingInWords(document), ...factsInWords(document)].map((sentence) => `shares      ${sentence}`),
    ...Object.entries(document).flatMap(([key, value]) => key in sections ? [`${key.padEnd(11)} ${JSON.stringify(value)}`] : [])
  ].join('\n')
}
