import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { messageOf } from '../../../common/message-of.ts'
import { knownAddresses } from '../../../federation/hints.ts'
import type { Invitation } from '../../../federation/membership/invitation.ts'
import type { NetworkSettings } from '../../../settings/site/network.ts'
import { createHost, type Host } from '../host.ts'
import { keyedNoise } from '../keyed-noise.ts'
import { PeerLimits } from '../limits/peer-limits.ts'
import { isRelayed } from './announceable.ts'
import { dialWords } from './dial-words.ts'
import { OutboundProxy } from './outbound-proxy.ts'
import { RELAYS } from './relay-keeper.ts'
import { webAddress } from './web-address.ts'

/** One step on the way to a site. */
export interface Step { readonly name: string, readonly ok: boolean, readonly detail: string }

const STEP_MS = 10_000
const HANDSHAKE_MS = 20_000

/** Goes the way to each address of an invitation, step by step, and says where it ends, in words for whoever minds the firewall. */
export async function tryFederation (
  { federation, ring, ...invitation }: Invitation,
  { proxy: given }: Partial<NetworkSettings>
): Promise<Step[]> {
  const proxy = new OutboundProxy(given)
  const addresses = knownAddresses(invitation.bootstrap, federation.document)
  const host = await createHost({
    key: await generateKeyPair('Ed25519'),
    federationId: federation.id,
    listen: [],
    given: addresses,
    proxy: given,
    limits: new PeerLimits({ onBan: () => {} }),
    encrypter: keyedNoise({ federationId: federation.id, networkKey: Buffer.from(ring.current, 'hex'), onRefused: () => {} }),
    services: {}
  })
  try {
    const steps: Step[] = []
    for (const address of addresses) steps.push(...await tryAddress(multiaddr(address), host, proxy))
    return [...steps, summary(steps)]
  } finally {
    await host.stop()
  }
}

function summary (steps: readonly Step[]): Step {
  const reached = steps.filter(({ name, ok }) => name === 'handshake' && ok).length
  if (reached > 0) return { name: 'federation', ok: true, detail: `${reached} of its sites can be reached from here: join, and start` }
  return {
    name: 'federation',
    ok: false,
    detail: 'none of its sites can be reached from here: mend what is said above, or ask for an invitation with another address, such as ' +
      'one on port 443'
  }
}

async function tryAddress (address: Multiaddr, host: Host, proxy: OutboundProxy): Promise<Step[]> {
  const steps: Step[] = [{ name: 'address', ok: true, detail: address.toString() }]
  const { host: name, port, isSecure } = webAddress(address)
  const through = proxy.of({ host: name, port })
  try {
    if (through != null) steps.push({ name: 'proxy', ok: true, detail: `goes through ${through.host}` })
    else if (!isRelayed(address) && isIP(name) === 0) steps.push(await resolved(name))
    const socket = await opened(proxy, { host: name, port })
    steps.push({ name: 'dial', ok: true, detail: `${name} port ${port} answers` })
    if (isSecure) steps.push(await spoken(socket, name))
    socket.destroy()
  } catch (error) {
    return [...steps, failedStep(error, { host: name, port }, through)]
  }
  return [...steps, ...await shaken(address, host)]
}

async function resolved (name: string): Promise<Step> {
  const found = await lookup(name, { all: true }).catch(() => { throw new Error(`ENOTFOUND ${name}`) })
  return { name: 'resolve', ok: true, detail: `${name} is ${found.map(({ address }) => address).join(', ')}` }
}

async function opened (proxy: OutboundProxy, target: { host: string, port: number }): Promise<Socket> {
  const signal = AbortSignal.timeout(STEP_MS)
  const socket = await proxy.open(target, signal)
  if (socket.connecting) await once(socket, 'connect', { signal })
  socket.on('error', () => { /* the next step says so */ })
  return socket
}

async function spoken (socket: Socket, name: string): Promise<Step> {
  const secure = connectTls({ socket, servername: isIP(name) === 0 ? name : '', rejectUnauthorized: false })
  try {
    await once(secure, 'secureConnect', { signal: AbortSignal.timeout(STEP_MS) })
    return { name: 'TLS', ok: true, detail: `${secure.getProtocol() ?? 'TLS'} is spoken there` }
  } catch (error) {
    throw new Error(`no TLS is spoken there: ${messageOf(error)}`)
  }
}

function failedStep (error: unknown, { host, port }: { host: string, port: number }, proxy: URL | undefined): Step {
  const words = messageOf(error)
  if (words.includes('ENOTFOUND')) {
    return { name: 'resolve', ok: false, detail: `the name ${host} cannot be looked up: have it resolved inside, or ask for a proxy` }
  }
  if (words.includes('TLS')) return { name: 'TLS', ok: false, detail: `${words}: let port ${port} through unchanged, without inspection` }
  if (proxy != null) return { name: 'proxy', ok: false, detail: `${words}: let ${proxy.host} connect to ${host}:${port}` }
  const isRefused = words.includes('ECONNREFUSED')
  const why = isRefused ? 'nobody listens there, or a firewall refuses' : 'a firewall on the way swallows it, or the host is off'
  return {
    name: 'dial',
    ok: false,
    detail: `${host} port ${port} does not answer (${why}): the firewall here must let this machine out to ${host}, TCP port ${port}; ` +
      'the firewall there must let it in'
  }
}

/** Noise with the invitation's key, and whether that site passes connections on. */
async function shaken (address: Multiaddr, host: Host): Promise<Step[]> {
  try {
    const identified = once(host, 'peer:identify', { signal: AbortSignal.timeout(STEP_MS) }).catch(() => undefined)
    const connection = await host.dial(address, { signal: AbortSignal.timeout(HANDSHAKE_MS) })
    await identified
    const { protocols } = await host.peerStore.get(connection.remotePeer).catch(() => ({ protocols: [] as string[] }))
    // Before the other side takes it for a site without a certificate.
    await connection.close()
    return [
      { name: 'handshake', ok: true, detail: 'network key and federation are the same there' },
      { name: 'relay', ok: true, detail: protocols.includes(RELAYS) ? 'it passes connections on' : 'it passes no connections on' }
    ]
  } catch (error) {
    return [{ name: 'handshake', ok: false, detail: `the site at ${address.toString()} ${dialWords(error)}` }]
  }
}
