import { compareVersions, SOFTWARE } from '../../common/software.ts'
import type { SitePaths } from '../../home/paths.ts'
import { readPolicy } from '../../home/policy.ts'
import type { AmendmentRule } from '../../settings/site/amendments.ts'
import type { Policy } from '../../settings/site/policy.ts'
import { documentDigest, numberOf, readFederation, writeFederation, type FederationDocument } from '../document.ts'
import { readPeerId } from '../identity.ts'
import { appendEvent } from '../membership/events.ts'
import { beyondPolicy } from '../policy.ts'
import { agreed, readAgreements } from './agreements.ts'
import { Amendments } from './amendments.ts'
import { changeInWords, changesBetween } from './changes.ts'

/** Why this site cannot go on with a document, whoever agrees to it; undefined where it can. */
export function hindrance (document: FederationDocument, policy: Policy): string | undefined {
  const { leastSoftware } = document
  if (leastSoftware == null || compareVersions(leastSoftware, SOFTWARE) <= 0) return beyondPolicy(policy, document)
  return `it asks for consilium ${leastSoftware} or newer, and this is ${SOFTWARE}: install that version`
}

/** The document that this site is to go on with, if any. */
export async function nextDocument (
  paths: SitePaths,
  { inForce, after }: Pick<Amendments, 'inForce' | 'after'>,
  rule: AmendmentRule
): Promise<FederationDocument | undefined> {
  if (after.length === 0) return undefined
  const policy = await readPolicy(paths.policy)
  const possible = after.filter((each) => hindrance(each, policy) == null)
  return agreed(inForce.document, possible, { rule, agreements: await readAgreements(paths.agreements) })
}

/** As "amendment 2 (1a2b3c4d)". */
export function amendmentName (document: FederationDocument): string {
  return `amendment ${numberOf(document)} (${documentDigest(document).slice(0, 8)})`
}

/** While nothing trains there: the home goes on with the last amended document that this site agrees to, and `say` is told. */
export async function takeUpAmendment (paths: SitePaths, rule: AmendmentRule, say: (sentence: string) => void): Promise<void> {
  const inForce = await readFederation(paths.federation)
  const amendments = await Amendments.open(paths, inForce)
  if (amendments.wasDamaged) say(`${paths.documents} is damaged: amended documents are learnt again from the first sites that are met`)
  await readAgreements(paths.agreements, say)
  const next = await nextDocument(paths, amendments, rule)
  if (next == null) return
  // The document before stays among those that are known: others may have to follow it from there.
  await amendments.save()
  await writeFederation(paths.federation, next)
  const what = changesBetween(inForce.document, next).map(changeInWords).join('; ')
  const signers = next.signatures.map(({ peerId }) => peerId).join(', ')
  const detail = `${amendmentName(next)}: ${what}; signed by ${signers}`
  await appendEvent(paths.membershipEvents, { kind: 'membership', event: 'amended', peer: await readPeerId(paths.identity), detail })
  say(`this site goes on with ${detail}`)
}
