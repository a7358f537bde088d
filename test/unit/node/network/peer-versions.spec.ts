import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import pino from 'pino'
import { PeerVersions, type Said } from '../../../../src/node/network/peer-versions.ts'
import { THIS_SOFTWARE } from '../../../../src/protocol/versions.ts'
import { Notices } from '../../../../src/rounds/notices.ts'
import { quietNotices } from '../fakes.ts'

const FEDERATION = 'ab'.repeat(32)
const OWN = { ...THIS_SOFTWARE, version: '0.2.0' }

describe('peer versions', () => {
  let peerId: PeerId
  let peer: string
  let notices: ReturnType<typeof quietNotices>
  let told: [string, Said][]
  let versions: PeerVersions

  beforeEach(async () => {
    peerId = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    peer = peerId.toString()
    notices = quietNotices()
    told = []
    versions = new PeerVersions({ federationId: FEDERATION, own: OWN, notices, onSaid: (id, said) => { told.push([id, said]) } })
  })

  const identified = (agentVersion: string | undefined, ...names: string[]): void => {
    const protocols = ['/ipfs/ping/1.0.0', ...names.map((each) => `/consilium/${FEDERATION}/${each}`)]
    versions.identified({ peerId, protocols, ...(agentVersion == null ? {} : { agentVersion }) })
  }

  it('takes sites of 0.1.0, which name no protocols in announcements, for what they are', async () => {
    identified('consilium/0.1.0', 'membership/1.0.0', 'kad/1.0.0')
    versions.announced(peer, { protocols: [] })
    identified('consilium/0.1.0', 'membership/1.0.0', 'kad/1.0.0', 'adapter-exchange/1.0.0', 'outcome/1.0.0')
    expect(told).to.deep.equal(Array.from({ length: 2 }, () => [peer, { software: '0.1.0', isApart: false }]))
    expect(notices.list).to.be.empty
    expect(await versions.isApart(peer)).to.equal(false)
  })

  it('says both versions, the protocol and what to do, once, where none is common', async () => {
    for (let i = 0; i < 2; i++) identified('consilium/0.3.0', 'membership/2.0.0')
    expect(notices.list).to.deep.equal([
      `site ${peer} runs consilium 0.3.0 and this site consilium 0.2.0, which have no common version of membership (2.0.0 there, 1.0.0 ` +
        'here), so the two exchange nothing: install consilium 0.3.0 or newer here'
    ])
    expect(await versions.isApart(peer)).to.equal(true)
  })

  it('finds the older of the two, by number and not by letter, and names no version that is not one', () => {
    for (const [agent, advice] of [
      ['consilium/0.10.0', 'install consilium 0.10.0 or newer here'],
      ['consilium/0.1.9', 'ask the people there to install consilium 0.2.0 or newer'],
      ['consilium/0.2.0', 'install the same version at both'],
      ['consilium/<script>', 'install the same version at both'],
      [undefined, 'install the same version at both']
    ] as const) {
      identified(agent, 'outcome/2.0.0')
      expect(notices.list.at(-1), agent).to.contain(advice).and.not.contain('<')
    }
  })

  it('asks for one common version among several, and waits with protocols that are not there yet', () => {
    identified('consilium/0.3.0', 'membership/2.0.0', 'membership/1.0.0')
    expect(told.at(-1)![1].isApart).to.equal(false)
    identified('consilium/0.3.0', 'membership/1.0.0', 'adapter-exchange/2.0.0', 'outcome/2.0.0')
    expect(told.at(-1)![1].isApart).to.equal(true)
    expect(notices.list.at(-1)).to.contain('adapter-exchange (2.0.0 there, 1.0.0 here) and of outcome (2.0.0 there, 1.0.0 here)')
  })

  it('hears it from announcements of sites that are not connected, too, and when they have been upgraded', () => {
    versions.announced(peer, { software: '0.3.0', protocols: ['membership/1.0.0', 'adapter-exchange/2.0.0', 'outcome/1.0.0'] })
    expect(told).to.deep.equal([[peer, { software: '0.3.0', isApart: true }]])
    identified('consilium/0.2.5', 'membership/1.0.0', 'adapter-exchange/1.0.0', 'outcome/1.0.0')
    expect(versions.of(peer)).to.include({ software: '0.2.5', isApart: false })
  })

  describe('of a site that says something else every second', () => {
    let now: number
    let lines: string[]

    beforeEach(() => {
      now = 0
      lines = []
      const log = pino({}, { write: (line: string) => { lines.push((JSON.parse(line) as { msg: string }).msg) } })
      notices = new Notices(log, () => now)
      for (let i = 0; i < 50; i++) notices.warn(`${i}`, `real ${i}`)
      lines.length = 0
      now += 60_000
      versions = new PeerVersions({ federationId: FEDERATION, own: OWN, notices, onSaid: () => {}, now: () => now })
    })

    const forTwoMinutes = (membership: (second: number) => string): void => {
      for (let i = 0; i < 120; i++, now += 1_000) {
        versions.announced(peer, { software: `0.3.${i}`, protocols: [`membership/${membership(i)}`] })
      }
    }
    const apart = (): string[] => notices.list.filter((each) => !each.startsWith('real '))

    it('the last is in the list, beside every real warning, and the log has a line a minute', () => {
      forTwoMinutes((second) => `2.${second}.0`)
      expect(notices.list).to.include.members(Array.from({ length: 50 }, (_, i) => `real ${i}`))
      expect(apart()).to.have.length(1)
      expect(apart()[0]).to.contain('0.3.119').and.contain('membership (2.119.0 there')
      expect(lines).to.have.length(2)
    })

    it('the same holds when it comes and goes, and its upgrade is said once it stays', () => {
      forTwoMinutes((second) => second % 2 === 0 ? `2.${second}.0` : '1.0.0')
      expect(notices.list).to.include.members(Array.from({ length: 50 }, (_, i) => `real ${i}`))
      expect(apart().length).to.be.at.most(2)
      expect(lines.length).to.be.at.most(2)
      for (let i = 0; i < 120; i++, now += 1_000) versions.announced(peer, { software: '0.3.0', protocols: ['membership/1.0.0'] })
      expect(lines.at(-1)).to.equal(`site ${peer} runs consilium 0.3.0 now`)
      expect(lines.length).to.be.at.most(3)
      expect(versions.of(peer)).to.include({ software: '0.3.0', isApart: false })
    })
  })

  it('does not wait for ever for what a peer never says', async () => {
    const begun = performance.now()
    expect(await versions.isApart(peer)).to.equal(false)
    expect(performance.now() - begun).to.be.below(3_000)
  })
})
