import { messageOf } from '../common/message-of.ts'
import { lackingSignatures, type FederationDocument } from '../federation/document.ts'
import type { Amendments } from '../federation/amendments/amendments.ts'
import { changeInWords, changesBetween } from '../federation/amendments/changes.ts'
import { amendmentName, hindrance, nextDocument } from '../federation/amendments/take-up.ts'
import type { SitePaths } from '../home/paths.ts'
import { LAPSE_MS, type Notices } from '../rounds/notices.ts'
import type { AmendmentView } from '../rounds/status.ts'
import type { AmendmentRule } from '../settings/site/amendments.ts'
import type { Policy } from '../settings/site/policy.ts'

const EVERY_MS = 1_000

export interface AmendmentWatchInit {
  readonly paths: SitePaths
  readonly rule: AmendmentRule
  readonly policy: Policy
  readonly amendments: Pick<Amendments, 'inForce' | 'after' | 'drafts' | 'unread'>
  readonly notices: Pick<Notices, 'warn' | 'over'>
}

/** Says what the founders have amended, and knows whether this site is to go on with it at the next end of a round. */
export class AmendmentWatch {
  readonly #init: AmendmentWatchInit
  #timer: NodeJS.Timeout | undefined
  #due: FederationDocument | undefined

  constructor (init: AmendmentWatchInit) {
    this.#init = init
  }

  start (): void {
    this.#timer = setInterval(() => {
      this.look().catch((error: unknown) => {
        const why = `what this site has agreed to could not be read: ${messageOf(error)}`
        this.#init.notices.warn('agreements', why, { forMs: LAPSE_MS.minutes })
      })
    }, EVERY_MS)
  }

  stop (): void {
    clearInterval(this.#timer)
  }

  /** As it was when last looked at. */
  get isDue (): boolean {
    return this.#due != null
  }

  /** The same, looked at now. */
  async look (): Promise<boolean> {
    const { paths, amendments, rule, notices } = this.#init
    this.#due = await nextDocument(paths, amendments, rule)
    const unsigned = this.views.filter(({ state }) => state === 'unsigned')
    const open = this.views.find(({ state }) => state === 'open' || state === 'impossible')
    if (unsigned.length > 0) notices.warn('proposed amendment', unsigned.map(sentenceOf).join('; '), { isNews: true })
    else notices.over('proposed amendment', 'no amendment lacks signatures any more')
    if (open != null) notices.warn('amendment', sentenceOf(open), { isNews: true })
    else notices.over('amendment', 'this site has agreed to what the founders amended: it goes on with it when its round is over')
    if (amendments.unread != null) notices.warn('unread amendment', amendments.unread, { forMs: LAPSE_MS.day })
    return this.isDue
  }

  /** The last amendment that enough founders signed, where it is not in force here, and those that lack signatures. */
  get views (): AmendmentView[] {
    const { amendments: { inForce, after, drafts } } = this.#init
    const newest = after.at(-1)
    const view = (document: FederationDocument, rest: Pick<AmendmentView, 'state' | 'why'>): AmendmentView => ({
      name: amendmentName(document),
      changes: changesBetween(inForce.document, document).map(changeInWords),
      ...rest
    })
    return [
      ...(newest == null ? [] : [view(newest, this.#stateOf(newest))]),
      ...drafts.map((each) => view(each, { state: 'unsigned', why: `${lackingSignatures(each)} more founders must sign it` }))
    ]
  }

  #stateOf (document: FederationDocument): Pick<AmendmentView, 'state' | 'why'> {
    const why = hindrance(document, this.#init.policy)
    if (why != null) return { state: 'impossible', why }
    return { state: this.#due === document ? 'agreed' : 'open' }
  }
}

function sentenceOf ({ name, changes, state, why }: AmendmentView): string {
  const what = `${name} of the federation (${changes.join('; ')})`
  if (state === 'unsigned') return `${what} is proposed: ${why}, with "consilium federation agree" at their sites`
  if (state === 'impossible') return `${what} is in force, and this site goes on without it: ${why}`
  return `${what} is in force: this site goes on without it until "consilium federation agree" is typed here`
}
