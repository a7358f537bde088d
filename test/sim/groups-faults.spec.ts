import { setTimeout } from 'node:timers/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { expect } from 'chai'
import { Fate, type Fault } from './mortal-site.ts'
import { potential } from './run-group.ts'
import { SealedMortalSite } from './sealed-mortal-site.ts'
import { seeded, vectorSchema } from './site.ts'

const SIZE = 4
const MASSES = [3, 1, 20, 7]
const FAULTS: readonly Fault[] = ['harmless', 'first', 'last', 'late']
/** More than a group of three with its settling has. */
const EVENTS = 50
const SEEDS = 200

async function createSites (keys: readonly PrivateKey[], count: number): Promise<SealedMortalSite[]> {
  const settings = { codec: 'f32', maxMass: 1000, clipRadius: 1e6, normBound: 1e6, staleness: 3 } as const
  const sites: SealedMortalSite[] = []
  for (const [index, key] of keys.slice(0, count).entries()) {
    const values = Float32Array.from({ length: SIZE }, (_, at) => Math.sin(13 * index + 7 * at))
    sites.push(new SealedMortalSite(key, { schema: vectorSchema(SIZE), values, round: 0, mass: MASSES[index]!, settings }, () => sites))
  }
  for (const site of sites) await site.start()
  return sites
}

/** Everybody is up again, what was late comes, and nothing stays in doubt. */
async function heal (sites: readonly SealedMortalSite[]): Promise<void> {
  for (const site of sites) {
    site.fate = new Fate()
    await site.start()
  }
  for (const site of sites) site.receiveLate()
  while (sites.some(({ averager }) => averager.sealing!.isOpen)) await setTimeout(1)
  for (const site of sites) await site.settleAll()
  for (const { averager } of sites) expect(averager.sealing!.doubts.size).to.equal(0)
}

/** Φ is what it was, and what training added that no crash took back; in memory, and from the disks alone. */
async function holds (sites: readonly SealedMortalSite[], before: readonly number[]): Promise<void> {
  const check = (): void => {
    const mass = sites.reduce((sum, { averager }) => sum + averager.mass, 0)
    potential(sites).forEach((sum, index) => {
      const trained = sites.reduce((total, { averager, ...site }) =>
        total + averager.mass * (site.trained[index]! + site.unsaved[index]!), 0)
      expect(sum - trained).to.be.closeTo(before[index]!, 2e-6 * mass)
    })
  }
  await heal(sites)
  check()
  for (const site of sites) site.die()
  await heal(sites)
  check()
}

async function strike (keys: readonly PrivateKey[], at: number, fault: Fault): Promise<{ events: number, committed: boolean }> {
  const sites = await createSites(keys, 3)
  const before = potential(sites)
  for (const [index, site] of sites.entries()) {
    site.train(0.1 * (index + 1))
    await site.save()
  }
  const fate = new Fate(at, fault)
  for (const site of sites) site.fate = fate
  const committed = await sites[0]!.lead(sites.slice(1))
  for (const site of sites) if (site.isAlive) site.train(0.01)
  await holds(sites, before)
  return { events: fate.events, committed }
}

/** One step of a history of four sites. */
async function step (sites: readonly SealedMortalSite[], random: () => number): Promise<boolean> {
  const pick = (): SealedMortalSite => sites[Math.floor(random() * sites.length)]!
  const fate = new Fate(Math.floor(random() * 80), FAULTS[Math.floor(random() * FAULTS.length)])
  for (const each of sites) each.fate = random() < 0.5 ? fate : new Fate()
  const site = pick()
  const what = random()
  if (what < 0.1) site.die()
  if (what < 0.25) await site.start()
  if (!site.isAlive) return false
  if (what < 0.4) site.receiveLate()
  else if (what < 0.5) await site.settleAll()
  else if (what < 0.7) {
    for (const each of sites) {
      if (!each.isAlive) continue
      each.train(0.2 * random() - 0.1)
      await each.save().catch(() => {})
    }
  } else return site.isAlive && await site.lead(sites.filter((each) => each !== site && random() < 0.9))
  return false
}

describe('conservation of Φ = Σw·(x + u) over masked groups, with crashes', function () {
  this.timeout(300_000)
  let keys: PrivateKey[]

  before(async () => {
    keys = await Promise.all(MASSES.map(async () => await generateKeyPair('Ed25519')))
  })

  for (const fault of FAULTS) {
    it(`whatever is struck: "${fault}" at any message and any durable write of a run`, async () => {
      const clean = await strike(keys, -1, fault)
      expect(clean.committed).to.equal(true)
      expect(clean.events).to.be.within(35, EVENTS - 1)
      for (let at = 0; at < clean.events; at++) await strike(keys, at, fault)
    })
  }

  it(`over histories of ${SEEDS} seeds`, async () => {
    let committed = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = seeded(seed)
      const sites = await createSites(keys, MASSES.length)
      const before = potential(sites)
      for (let at = 0; at < 12; at++) if (await step(sites, random)) committed++
      await holds(sites, before)
    }
    expect(committed).to.be.above(SEEDS / 4)
  })
})
