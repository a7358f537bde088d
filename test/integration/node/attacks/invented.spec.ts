import { setTimeout as sleep } from 'node:timers/promises'
import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { GossipSub } from '@libp2p/gossipsub'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import { Sites } from '../sites.ts'
import { Liar } from './liar.ts'
import { until } from './until.ts'

const INVENTED = 30

/** What of it is nobody else's business. */
interface Signing extends Pick<GossipSub, 'getSubscribers' | 'getTopics'> {
  publishConfig: object
  readonly streamsOutbound: ReadonlyMap<string, unknown>
}

describe('announcements of sites that there are not', function () {
  this.timeout(300_000)
  let sites: Sites
  const members: Liar[] = []

  afterEach(async () => {
    await Promise.all(members.splice(0).map(async (each) => { await each.close() }))
    await sites.remove()
  })

  it('are not counted, are told of in one sentence, and make no honest site ban another', async () => {
    sites = await Sites.create(['a', 'b', 'x'])
    for (const name of ['a', 'b', 'x']) {
      members.push(await Liar.open(sites, name, { bootstrap: members[0]?.network.addresses ?? [] }))
    }
    const [a, b, x] = members as [Liar, Liar, Liar]
    for (const each of [a, b]) each.announce(() => ({}))
    await until('all are heard', () => [[a, b], [b, a], [x, a], [x, b]].every(([site, other]) =>
      site!.network.peers.announcementOf(other!.peerId) != null && site!.network.peers.connectedCount === 2))
    const signing = (x.network.host.services as unknown as { pubsub: Signing }).pubsub
    await until('x has a way to both', () =>
      signing.getSubscribers(signing.getTopics()[0]!).filter((each) => signing.streamsOutbound.has(each.toString())).length === 2)
    const own = signing.publishConfig
    for (let index = 0; index < INVENTED; index++) {
      const key = await generateKeyPair('Ed25519')
      signing.publishConfig = {
        ...own,
        privateKey: key,
        author: peerIdFromPrivateKey(key),
        key: publicKeyToProtobuf(key.publicKey)
      }
      await x.say({ round: index % 2 === 0 ? 1 : 500_000, sketch: new Float32Array(64).fill(1e6) })
    }
    signing.publishConfig = own
    const told = ({ notices }: Liar): string[] => notices.list.filter((each) => each.includes('without a certificate of this federation'))
    await until('both have told of them', () => [a, b].every((each) => told(each).length > 0))
    await sleep(3_000)
    for (const [site, other] of [[a, b], [b, a]] as const) {
      const ids = site.network.peers.view().map(({ peerId }) => peerId)
      expect(ids).to.have.members([other.peerId, x.peerId])
      expect(site.network.peers.announcementOf(other.peerId), 'the other honest one').to.include({ round: 0 })
      expect(told(site)).to.have.length(1)
      expect(site.notices.list.filter((each) => each.includes('was cut off'))).to.deep.equal([])
      expect(site.network.peers.connectedCount).to.equal(2)
    }
  })
})
