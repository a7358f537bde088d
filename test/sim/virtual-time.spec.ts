import { expect } from 'chai'
import { BackOff } from '../../src/gossip-aggregation/back-off.ts'
import { relativeDistance } from '../../src/gossip-aggregation/consensus.ts'
import { land } from '../../src/gossip-aggregation/landing.ts'
import { nextReady, randomPartner } from '../../src/gossip-aggregation/partner-choice.ts'
import { createSite, exchangeSteps, seeded, weightedSum, type Boundary, type Result, type SimulatedSite } from './site.ts'

const SIZE = 8
const SITES = 24
/** Milliseconds of virtual time. */
const TRAINING_ENDS = 20_000
const END = 60_000
const LOSS = 0.02

type Event = () => void | Promise<void>

/** Runs events in order of their virtual time; ties in order of scheduling. */
class Clock {
  readonly #events: { at: number, event: Event }[] = []
  now = 0

  after (ms: number, event: Event): void {
    const at = this.now + ms
    let index = this.#events.length
    while (index > 0 && this.#events[index - 1]!.at > at) index--
    this.#events.splice(index, 0, { at, event })
  }

  async run (until: number): Promise<void> {
    for (let next = this.#events.shift(); next != null && next.at <= until; next = this.#events.shift()) {
      this.now = next.at
      await next.event()
    }
  }
}

class Federation {
  readonly clock = new Clock()
  readonly sites: SimulatedSite[]
  readonly counts = { committed: 0, refused: new Map<string, number>(), lost: 0 }
  /** What Σw·x should be. */
  readonly expected: number[]
  readonly #random: () => number
  readonly #backOffs = new Map<SimulatedSite, BackOff>()

  constructor (seed: number) {
    this.#random = seeded(seed)
    this.sites = Array.from(
      { length: SITES },
      (_, index) => createSite(`site-${index}`, Float32Array.from({ length: SIZE }, () => this.#random() * 10), { mass: 1 + index % 5 })
    )
    this.expected = weightedSum(this.sites)
    for (const site of this.sites) {
      this.#backOffs.set(site, new BackOff())
      this.clock.after(100 * this.#random(), async () => { await this.#initiate(site) })
      this.#train(site, 1)
    }
  }

  /** Training takes one to two seconds and lands a step of its own. */
  #train (site: SimulatedSite, round: number): void {
    const start = site.averager.snapshot()
    this.clock.after(1000 + 1000 * this.#random(), () => {
      if (this.clock.now > TRAINING_ENDS) return
      const after = start.map((value) => value + this.#random() - 0.5)
      land(site.averager, { before: start, after, round })
      this.expected.forEach((value, index) => { this.expected[index] = value + site.averager.mass * (after[index]! - start[index]!) })
      this.#train(site, round + 1)
    })
  }

  async #initiate (site: SimulatedSite): Promise<void> {
    const backOff = this.#backOffs.get(site)!
    const candidates = this.sites.filter((other) => other !== site).map(({ id }) => id)
    const partner = randomPartner({ candidates, backOff, now: this.clock.now, random: this.#random })
    const again = (ms: number): void => { this.clock.after(ms, async () => { await this.#initiate(site) }) }
    if (partner == null) { again(nextReady({ candidates, backOff })! - this.clock.now); return }
    if (site.averager.busy) { again(20); return }
    const other = this.sites.find(({ id }) => id === partner)!
    await settle(site, other)
    await this.#drive(exchangeSteps(site, other), (result) => {
      if (result == null) backOff.failed(partner, this.clock.now)
      else if ('refused' in result) backOff.refused(partner, this.clock.now, 50)
      else backOff.succeeded(partner, result.initiator)
      again(200 * this.#random())
    })
  }

  /** Every message takes 5 to 50 ms; some never come. */
  async #drive (steps: AsyncGenerator<Boundary, Result>, done: (result: Result | undefined) => void): Promise<void> {
    const step = await steps.next()
    if (step.done === true) {
      this.#count(step.value)
      done(step.value)
      return
    }
    this.clock.after(5 + 45 * this.#random(), async () => {
      if (this.#random() >= LOSS) { await this.#drive(steps, done); return }
      await steps.return({ refused: 'LOST' })
      this.counts.lost++
      done(undefined)
    })
  }

  #count (result: Result): void {
    if ('refused' in result) this.counts.refused.set(result.refused, (this.counts.refused.get(result.refused) ?? 0) + 1)
    else this.counts.committed++
  }
}

/** The initiator asks what became of an exchange whose end it did not hear of. */
async function settle (site: SimulatedSite, partner: SimulatedSite): Promise<void> {
  const exchangeId = site.averager.doubts.get(partner.id)
  if (exchangeId == null) return
  await site.averager.settle(exchangeId, await partner.averager.decide(exchangeId, site.id))
  await partner.averager.acknowledged(exchangeId, site.id)
}

async function run (seed: number): Promise<Federation> {
  const federation = new Federation(seed)
  await federation.clock.run(END)
  const { sites } = federation
  for (const site of sites) {
    for (const partner of [...site.averager.doubts.keys()]) {
      await settle(
        site,
        sites.find(({ id }) => id === partner)!
      )
    }
  }
  return federation
}

describe('a federation on a virtual clock, with delays, losses, overlapping offers and training', () => {
  it('conserves Σw·x but for what training adds, and agrees once training has ended', async () => {
    const { sites, expected, counts } = await run(1)
    weightedSum(sites).forEach((sum, index) => { expect(sum).to.be.closeTo(expected[index]!, 0.01) })
    expect(relativeDistance(sites.map(({ averager }) => averager.values), new Float32Array(SIZE))).to.be.below(1e-4)
    expect(counts.committed).to.be.above(1000)
    expect(counts.lost).to.be.above(50)
    expect(counts.refused.get('BUSY')).to.be.above(50)
    expect(sites.reduce((sum, { averager }) => sum + averager.exchanges, 0)).to.be.within(
      2 * counts.committed,
      2 * (counts.committed + counts.lost)
    )
  })

  it('replays exactly from its seed', async () => {
    const [first, second, other] = [await run(2), await run(2), await run(3)]
    expect(first.sites.map(({ averager }) => [...averager.values])).to.deep.equal(second.sites.map(({ averager }) => [...averager.values]))
    expect(first.counts.committed).to.equal(second.counts.committed)
    expect(first.sites[0]!.averager.values[0]).to.not.equal(other.sites[0]!.averager.values[0])
  })
})
