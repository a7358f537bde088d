/**
 * A member of the federation that has turned: floods one site on every protocol for a time, or until SIGTERM, and prints what it
 * managed, as one JSON object.
 */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { readFederation } from '../../src/federation/document.ts'
import { loadIdentity } from '../../src/federation/identity.ts'
import { SiteMembership } from '../../src/federation/membership/site-membership.ts'
import { sitePaths } from '../../src/home/paths.ts'
import { SiteNetwork } from '../../src/node/network/site-network.ts'
import type { Announcement } from '../../src/protocol/announce/index.ts'
import { createLogger } from '../../src/rounds/logger.ts'
import { Notices } from '../../src/rounds/notices.ts'
import { ATTACKS, type Target } from './attacks.ts'
import { BEGINS } from './process.ts'
import { schemaOf } from './stage.ts'

const CONNECT_MS = 20_000

const { values } = parseArgs({
  options: {
    home: { type: 'string' },
    target: { type: 'string' },
    victim: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    attack: { type: 'string', default: 'all' },
    round: { type: 'string', default: '1' }
  }
})
const { home, target: address, victim: victimHome, attack: chosen } = values
if (home == null || address == null || victimHome == null) {
  throw new Error('usage: hostile-worker --home DIR --target ADDRESS --victim DIR [--seconds N] [--attack NAME|all]')
}
const schema = await schemaOf(victimHome)

const paths = sitePaths(home)
const key = await loadIdentity(paths.identity)
const federation = await readFederation(paths.federation)
const logger = createLogger('silent')
const peerId = peerIdFromPrivateKey(key).toString()
const membership = await SiteMembership.open({ paths, federation, key, peerId, onEvent: () => {} })
const network = await SiteNetwork.open({
  paths,
  key,
  federationId: federation.id,
  membership,
  config: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: [address] },
  logger,
  notices: new Notices(logger),
  audit: { record: () => {} }
})

const victim = peerIdFromString(multiaddr(address).getComponents().findLast(({ name }) => name === 'p2p')!.value!)
const stop = new AbortController()
const counts: Record<string, number> = { dials: 0, connections: 0, announcements: 0 }
let firstCutMs: number | undefined
let lastConnectedAt = 0

const connection: Target['connection'] = () => network.host.getConnections(victim).find(({ status }) => status === 'open')

async function untilConnected (): Promise<void> {
  const until = Date.now() + CONNECT_MS
  while (connection() == null || !network.members.admissions.isEstablished(victim)) {
    if (Date.now() > until) throw new Error('the victim does not let this member in')
    await sleep(20)
  }
}

async function hammer (name: string, act: () => Promise<void>): Promise<void> {
  while (!stop.signal.aborted) {
    try {
      await act()
      counts[name] = (counts[name] ?? 0) + 1
      // Other workers' sockets have to be served too.
      await new Promise((resolve) => { setImmediate(resolve) })
    } catch {
      await sleep(1)
    }
  }
}

async function dial (): Promise<void> {
  if (connection() != null) {
    await sleep(5)
    throw new Error('connected already')
  }
  counts['dials']!++
  await network.host.dial(multiaddr(address), { signal: AbortSignal.timeout(2_000) })
}

/** Comes and goes, so that the victim does handshakes all the time. */
async function hangUp (): Promise<void> {
  await network.host.hangUp(victim, { signal: AbortSignal.timeout(1_000) })
}

await untilConnected()
const begun = Date.now()
network.host.addEventListener('peer:disconnect', ({ detail }) => { if (detail.equals(victim)) firstCutMs ??= Date.now() - begun })
network.host.addEventListener('peer:connect', ({ detail }) => { if (detail.equals(victim)) lastConnectedAt = Date.now() - begun })
const target: Target = { federationId: federation.id, schemaHash: schema, round: Number(values.round), connection, signal: stop.signal }
const announcement: Announcement = {
  round: target.round,
  phase: 'G',
  schemaHash: schema,
  sketch: new Float32Array(64),
  protocols: []
}
const isChosen = (name: string): boolean => chosen === 'all' || chosen === name
const told = once(process, 'SIGTERM')
process.stderr.write(`${BEGINS}\n`)
const running = [
  ...ATTACKS.filter(({ name }) => isChosen(name)).flatMap((attack) =>
    Array.from({ length: attack.workers }, async () => {
      await hammer(attack.name, async () => {
        await attack.run(target)
      })
    })
  ),
  ...(isChosen('announcements')
    ? [hammer('announcements', async () => {
        await network.publish(announcement)
      })]
    : []),
  ...(chosen === 'connections' ? [hammer('hang-ups', hangUp)] : []),
  hammer('connections', dial)
]
await Promise.race([sleep(Number(values.seconds) * 1_000), told])
stop.abort()
await Promise.allSettled(running)
process.stdout.write(JSON.stringify({ peerId, firstCutMs: firstCutMs ?? null, lastConnectedAtMs: lastConnectedAt, counts }) + '\n')
process.exit(0)
