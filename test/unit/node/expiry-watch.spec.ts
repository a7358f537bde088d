import { expect } from 'chai'
import type { MemberView } from '../../../src/federation/membership/members-view.ts'
import { ExpiryWatch } from '../../../src/node/expiry-watch.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import { Notices } from '../../../src/rounds/notices.ts'

const DAY = 86_400_000
const NOW = Date.UTC(2026, 10, 29)

function inDays (days: number): string {
  return new Date(NOW + days * DAY).toISOString()
}

describe('certificates that end', () => {
  let validTo: string | undefined
  let invited: Pick<MemberView, 'peerId' | 'standing' | 'validTo'>[]
  let notices: Notices
  let watch: ExpiryWatch

  beforeEach(() => {
    [validTo, invited] = [undefined, []]
    notices = new Notices(createLogger('silent'))
    watch = new ExpiryWatch({ validTo: () => validTo, invited: () => invited, notices, now: () => NOW })
  })

  it('are said a month before at their own site, until there is a new one', () => {
    const soon: [number, string][] = [[29.5, 'in 29 days'], [1.5, 'in one day'], [0.5, 'in less than a day']]
    const cases: [number, string?][] = [[31], ...soon, [-1, 'has ended']]
    for (const [days, words] of cases) {
      validTo = inDays(days)
      watch.check()
      if (words == null) expect(notices.standing).to.be.empty
      else expect(notices.standing.join()).to.include(`this site's certificate ${days > 0 ? 'ends ' : ''}${words}`)
    }
    validTo = inDays(365)
    watch.check()
    expect(notices.standing).to.be.empty
  })

  it('are said where they can be renewed, of members and of nobody who is gone', () => {
    invited = [
      { peerId: 'b', standing: 'member', validTo: inDays(3) },
      { peerId: 'c', standing: 'revoked', validTo: inDays(3) },
      { peerId: 'd', standing: 'member', validTo: inDays(300) },
      { peerId: 'e', standing: 'member' }
    ]
    watch.check()
    expect(notices.standing).to.deep.equal([
      'the certificate of site b ends in 3 days: invite it again ("consilium invite b") and have it join before'
    ])
  })
})
