import type { PrivateKey } from '@libp2p/interface'
import { SOFTWARE } from '../../common/software.ts'
import { InputError } from '../../errors.ts'
import {
  checkBody,
  documentDigest,
  foundingsOf,
  numberOf,
  signersOfDocument,
  signFederation,
  unsigned,
  type Federation,
  type FederationBody,
  type FederationDocument,
  type Founding
} from '../document.ts'
import { withHints } from '../hints.ts'
import { withOverrides, type Overrides } from '../settings.ts'
import { isSameJson } from '../signed.ts'
import { changeInWords, changesBetween, unamendable } from './changes.ts'

/** What a founder wants otherwise. */
export interface Wanted {
  /** Of training, averaging and method, as a file of settings has it. */
  readonly settings?: Overrides
  readonly founders?: readonly string[]
  readonly quorum?: number
  readonly leastSoftware?: string
  /** All of them; none where the document is to name none. */
  readonly hints?: readonly string[]
}

interface Amending {
  readonly key: PrivateKey
  /** ISO 8601. */
  readonly now: string
  /** Sites that founders have revoked: they stay so under other founders. */
  readonly revoked: readonly string[]
}

/**
 * The document that follows this one, with the first signature. @throws InputError where nothing changes, or something that would make
 * another federation of it
 */
export async function amend (from: Federation, wanted: Wanted, { key, now, revoked }: Amending): Promise<FederationDocument> {
  const { settings = {}, hints, ...rest } = wanted
  const before = unsigned(from.document)
  const { hints: named, ...stated } = withOverrides(before, settings, 'what is to be amended')
  const next = { ...stated, ...rest, ...withHints(hints ?? named), founders: [...rest.founders ?? stated.founders] }
  const draft = { ...next, created: now, software: SOFTWARE, amends: linkTo(from, next, revoked) }
  const body = checkBody(draft, 'what is to be amended')
  requireSound(before, body)
  return await signFederation(body, key)
}

function linkTo ({ id, document }: Federation, next: Founding, revoked: readonly string[]): NonNullable<FederationBody['amends']> {
  const number = numberOf(document) + 1
  const former = formerAfter(document, next, number)
  return {
    federation: id,
    document: documentDigest(document),
    number,
    ...(former.length === 0 ? {} : { former }),
    ...(revoked.length === 0 ? {} : { revoked: [...revoked] })
  }
}

type Former = NonNullable<NonNullable<FederationBody['amends']>['former']>

/** Founders whose time is over once this document counts. */
function formerAfter ({ founders, quorum, amends }: FederationBody, next: Founding, number: number): Former {
  const before = amends?.former ?? []
  const isSame = quorum === next.quorum && isSameJson(founders, next.founders)
  return isSame ? before : [...before, { founders, quorum, until: number }]
}

/** @throws InputError for what no amendment may be, in words for the founder who wants it */
function requireSound (before: FederationBody, body: FederationBody): void {
  const changes = changesBetween(before, body)
  const wrong = unamendable(changes)
  if (wrong != null) {
    throw new InputError(
      `this cannot be amended (${changeInWords(wrong)}): sites with different values of it could not average any more; found a new ` +
        'federation for it'
    )
  }
  if (changes.length === 0) throw new InputError('nothing would change: say what is to be amended, such as --rounds')
  if (body.quorum > body.founders.length) throw new InputError('the quorum must be a whole number from 1 to the number of founders')
  if (new Set(body.founders).size < body.founders.length) throw new InputError('a founder is named twice')
}

/** Whether one document may follow the other, as far as it says; its signatures are looked at elsewhere. */
export function mayFollow (before: Federation, body: FederationBody): boolean {
  const { amends } = body
  if (amends == null || amends.federation !== before.id || amends.document !== documentDigest(before.document)) return false
  const changes = changesBetween(before.document, body)
  return amends.number === numberOf(before.document) + 1 &&
    isSameJson(amends.former ?? [], formerAfter(before.document, body, amends.number)) &&
    unamendable(changes) == null && changes.length > 0 && body.quorum <= body.founders.length &&
    isSameJson(signersOfDocument(body), foundingsOf(before.document)[0])
}
