import { expect } from 'chai'
import { BackOff } from '../../src/gossip-aggregation/back-off.ts'
import { relativeDistance } from '../../src/gossip-aggregation/consensus.ts'
import { randomPartner } from '../../src/gossip-aggregation/partner-choice.ts'
import { createSite, runExchange, seeded, vectorSchema, weightedSum, type SimulatedSite } from './site.ts'

const SITES = 500
const SIZE = 16

function federation (random: () => number, mass: (index: number) => number): SimulatedSite[] {
  const schema = vectorSchema(SIZE)
  return Array.from(
    { length: SITES },
    (_, index) => createSite(String(index), Float32Array.from({ length: SIZE }, () => 2 * random() - 1), { schema, mass: mass(index) })
  )
}

/** Mean over coordinates of the sites' variance. */
function variance (sites: readonly SimulatedSite[]): number {
  let sum = 0
  for (let index = 0; index < SIZE; index++) {
    const mean = sites.reduce((total, { averager }) => total + averager.values[index]!, 0) / sites.length
    sum += sites.reduce((total, { averager }) => total + (averager.values[index]! - mean) ** 2, 0) / sites.length
  }
  return sum / SIZE
}

/** Every site initiates once, in random order, with a partner drawn at random. */
async function cycle (sites: readonly SimulatedSite[], random: () => number): Promise<void> {
  const order = [...sites]
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  const backOff = new BackOff()
  for (const site of order) {
    const candidates = sites.filter((other) => other !== site).map(({ id }) => id)
    const partner = randomPartner({ candidates, backOff, now: 0, random })!
    await runExchange(site, sites[Number(partner)]!)
  }
}

async function contraction (seed: number, cycles: number): Promise<number> {
  const random = seeded(seed)
  const sites = federation(random, () => 1)
  const before = variance(sites)
  for (let i = 0; i < cycles; i++) await cycle(sites, random)
  return (variance(sites) / before) ** (1 / cycles)
}

describe('random push-pull averaging', () => {
  it('shrinks the variance to 1/(2√e) ≈ 0.303 per cycle (Jelasity, Montresor, Babaoglu 2005)', async () => {
    const rates = await Promise.all([1, 2, 3].map(async (seed) => await contraction(seed, 5)))
    expect(rates.reduce((sum, rate) => sum + rate, 0) / rates.length).to.be.closeTo(0.303, 0.03)
  })

  it('ends at the mean weighted by mass, whatever the masses', async () => {
    const random = seeded(7)
    const sites = federation(random, (index) => 1 + index % 20)
    const total = sites.reduce((sum, { averager }) => sum + averager.mass, 0)
    const mean = weightedSum(sites).map((sum) => sum / total)
    const origin = new Float32Array(SIZE).fill(-1)
    for (let i = 0; i < 40; i++) await cycle(sites, random)
    expect(relativeDistance(sites.map(({ averager }) => averager.values), origin)).to.be.below(1e-5)
    sites[0]!.averager.values.forEach((value, index) => { expect(value).to.be.closeTo(mean[index]!, 1e-5) })
  })

  it('comes out the same from the same seed', async () => {
    expect(await contraction(5, 2)).to.equal(await contraction(5, 2))
    expect(await contraction(5, 2)).to.not.equal(await contraction(6, 2))
  })
})
