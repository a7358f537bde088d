/** Two hospitals of one federation in one program, on loopback: they train on the bundled sample, average, and end by themselves. */
import { rm } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import {
  createFederation,
  createIdentity,
  createLogger,
  Daemon,
  inviteSite,
  joinFederation,
  loadConfig,
  sitePaths,
  siteStatus
} from 'consilium'

const SAMPLES = new URL('../samples/colin27/', import.meta.url).pathname
const north = 'out/examples/north'
const south = 'out/examples/south'

for (const home of [north, south]) await rm(home, { recursive: true, force: true })

// The founder makes the federation; the other site makes its key, is invited by its peer id, and joins.
const federation = await createFederation({ home: north, name: 'Two towns', rounds: 2, coolDownSeconds: 20 })
const { invitation } = await inviteSite({ home: north, peerId: await createIdentity(south), name: 'South' })
await joinFederation({ home: south, invitation })
console.log(`federation ${federation.id.slice(0, 12)}…`)

async function openSite (home: string, name: string, data: string, bootstrap: string[] = []): Promise<Daemon> {
  const config = await loadConfig(sitePaths(home).config, { name, bootstrap, listen: ['/ip4/127.0.0.1/tcp/0'], logLevel: 'warn' })
  return new Daemon({ home, config: { ...config, data: SAMPLES + data }, alone: false, logger: createLogger(config.logLevel) })
}

// Port 0 is any free one: the running daemon says which.
async function addressesOf (home: string): Promise<string[]> {
  for (;;) {
    const status = await siteStatus(home).catch(() => undefined)
    if (status != null) return status.addresses
    await wait(100)
  }
}

const first = (await openSite(north, 'North', 'hospital-a')).run()
const bootstrap = await Promise.race([addressesOf(north), first.then(() => [])])
const second = (await openSite(south, 'South', 'hospital-d', bootstrap)).run()
for (const summary of await Promise.all([first, second])) {
  if (summary?.dice == null) continue
  const { name, rounds, exchanges, dice } = summary
  console.log(`${name}: ${rounds} rounds, ${exchanges} exchanges, Dice ${dice.frozen.toFixed(2)} → ${dice.personal.toFixed(2)}`)
}
