import { expect } from 'chai'
import { Notifier, type Notification } from '../../../../src/node/notifying/notifier.ts'
import { createLogger } from '../../../../src/rounds/logger.ts'
import { Notices } from '../../../../src/rounds/notices.ts'

const HOUR_MS = 3_600_000
const PEER = '12D3KooWMDnCnkdDCKNgkgeZcyNNDHiXnMw5ReQbZ2vM28d2fATZ'

describe('Notifier', () => {
  let now: number
  let fault: string | undefined
  let sent: Notification[]
  let notices: Notices
  let notifier: Notifier

  beforeEach(() => {
    [now, fault, sent] = [0, undefined, []]
    notices = new Notices(createLogger('silent'), () => now)
    const send = async (notification: Notification): Promise<void> => {
      if (fault != null) throw new Error(fault)
      sent.push(await Promise.resolve(notification))
    }
    notifier = new Notifier({ site: { name: 'Mercy', peerId: 'me', notices }, send, aloneMs: 12 * HOUR_MS, now: () => now })
  })

  const said = (): string[] => sent.map(({ kind, state }) => `${kind} ${state}`)

  it('tells once that something begins and once that it ends, in fixed words', async () => {
    notices.warn(`clipped ${PEER}`, 'the adapter of a site, /data/patient-7.nii.gz')
    notices.warn(`pushed ${PEER}`, 'the same site')
    for (let time = 0; time < 3; time++) await notifier.check()
    notices.over(`clipped ${PEER}`, 'gone')
    await notifier.check()
    expect(said()).to.deep.equal(['liar begins'])
    notices.over(`pushed ${PEER}`, 'gone')
    for (let time = 0; time < 3; time++) await notifier.check()
    expect(said()).to.deep.equal(['liar begins', 'liar ends'])
    const sentence = "a site's adapter is far off again and again: it is named and asked last"
    expect(sent[0]).to.deep.equal({
      site: 'Mercy', peerId: 'me', kind: 'liar', state: 'begins', sentence, about: PEER, at: '1970-01-01T00:00:00.000Z'
    })
  })

  it('tells what a person must hear of, and of being alone after hours only', async () => {
    const keys = ['slow x', 'bootstrap x', 'labels 1', 'alone', 'arrival', 'disk', 'worse', 'expiry', 'ledger x']
    for (const key of keys) notices.warn(key, key)
    await notifier.check()
    expect(said()).to.have.members(['steps begins', 'disk begins', 'worse begins', 'certificate_end begins', 'ledger begins'])
    now = 12 * HOUR_MS
    await notifier.check()
    expect(said().slice(5)).to.deep.equal(['alone begins'])
    notices.over('alone', 'gone')
    notices.warn('alone', 'again')
    await notifier.check()
    expect(said().slice(6)).to.deep.equal(['alone ends'])
  })

  it('says once that it cannot tell, tries again with growing pauses, and tells what still holds', async () => {
    fault = 'hook.example answered 500'
    notices.warn('disk', 'full')
    notices.warn('arrival', 'nobody')
    await notifier.check()
    expect(notices.standing.at(-1)).to.match(/^a notice could not be sent \(hook\.example answered 500\)/)
    notices.over('arrival', 'gone')
    fault = undefined
    now += 59_000
    await notifier.check()
    expect(sent).to.be.empty
    now += 1_000
    await notifier.check()
    expect(said()).to.deep.equal(['disk begins'])
    expect(notices.standing).to.deep.equal(['full'])
    expect(notices.list.filter((each) => each.includes('could not be sent'))).to.have.length(1)
  })
})
