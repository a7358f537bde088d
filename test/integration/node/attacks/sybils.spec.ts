import { setTimeout as sleep } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { expect } from 'chai'
import { readFederation } from '../../../../src/federation/document.ts'
import { loadIdentity, writeIdentity } from '../../../../src/federation/identity.ts'
import { issueHandover } from '../../../../src/federation/membership/certificate.ts'
import { readCredential } from '../../../../src/federation/membership/files.ts'
import { writeJson } from '../../../../src/home/files.ts'
import { Sites } from '../sites.ts'
import { Liar } from './liar.ts'
import { until } from './until.ts'

const COUNT = 5

describe('many keys for one certificate', function () {
  this.timeout(300_000)
  let sites: Sites
  const liars: Liar[] = []

  afterEach(async () => {
    await Promise.all(liars.splice(0).map(async (each) => { await each.close() }))
    await sites.remove()
  })

  /** The home of x under another key, to which x handed its certificate over without telling anybody. */
  async function handedOver (name: string): Promise<void> {
    const { id } = await readFederation(sites.paths('x').federation)
    const key: PrivateKey = await generateKeyPair('Ed25519')
    const to = peerIdFromPrivateKey(key).toString()
    await writeIdentity(sites.paths(name).identity, key, undefined)
    const { certificate } = await readCredential(sites.paths('x').certificate)
    const at = new Date().toISOString()
    const handovers = [await issueHandover({ federation: id, to, at }, await loadIdentity(sites.paths('x').identity))]
    await writeJson(sites.paths(name).certificate, { certificate, handovers })
  }

  async function open (name: string, bootstrap: readonly string[]): Promise<Liar> {
    const liar = await Liar.open(sites, name, { bootstrap })
    liars.push(liar)
    return liar
  }

  it('are one site: of five one is let in, revoking it leaves none, and the others are told in a sentence', async () => {
    const names = Array.from({ length: COUNT }, (_, index) => `x${index}`)
    sites = await Sites.create(['a', 'x', ...names])
    for (const name of names) await handedOver(name)
    const victim = await open('a', [])
    const attackers = []
    for (const name of names) attackers.push(await open(name, victim.network.addresses))
    const refused = (): string[] => victim.notices.list.filter((each) => each.includes('its certificate has been handed over to'))
    await sleep(4_000)
    await until('the others are refused', () => victim.network.peers.connectedCount === 1 && refused().length === COUNT - 1)
    expect(attackers.filter(({ peerId }) => victim.network.peers.isConnected(peerId))).to.have.length(1)
    expect(victim.network.peers.connectedCount).to.equal(1)
    expect(refused()).to.have.length(COUNT - 1)
    const live = attackers.find(({ peerId }) => victim.network.peers.isConnected(peerId))!
    await victim.network.members.publishRevocation(live.peerId)
    await until('it is cut off', () => victim.network.peers.connectedCount === 0)
    // None of the others comes instead.
    await sleep(3_000)
    expect(victim.network.peers.connectedCount, 'revoked by the one that was seen').to.equal(0)
  })
})
