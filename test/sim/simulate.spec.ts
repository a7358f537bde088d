import { expect } from 'chai'
import { DEFAULTS, type SimulationOptions } from '../../src/simulation/options.ts'
import { simulate, type SimulationResult } from '../../src/simulation/simulate.ts'

const run = async (options: Partial<SimulationOptions>): Promise<SimulationResult> => await simulate({ ...DEFAULTS, ...options })

/** The first cycle after which the RMS distance from the mean is at most this share of the start's. */
function reached ({ cycles }: SimulationResult, share: number): SimulationResult['cycles'][number] {
  const found = cycles.find(({ variance }) => variance <= share ** 2 * cycles[0]!.variance)
  if (found == null) throw new Error(`an RMS spread of ${share} was not reached`)
  return found
}

// Small versions of the statistics in docs/gossip.md, whose seeds are fixed.
describe('simulated federations', function () {
  this.timeout(60_000)

  it('contract at 1/(2√e) per cycle with random partners', async () => {
    const { contractionRate, theoryRate } = await run({ peers: 600, dim: 32, cycles: 8, partner: 'random', codec: 'f32' })
    expect(theoryRate).to.be.closeTo(0.3033, 1e-4)
    expect(contractionRate).to.be.closeTo(0.303, 0.02)
  })

  it('agree after log2 n steps, two in a cycle, with exponential partners, equal masses and n a power of two', async () => {
    const result = await run({ peers: 256, dim: 32, cycles: 4, partner: 'exponential', codec: 'f32' })
    expect(reached(result, 1e-6).cycle).to.equal(4)
    expect(result.cycles[3]!.variance / result.cycles[0]!.variance).to.be.above(1e-3)
  })

  it('agree with farthest partners too, found by sketches of a quarter of the numbers', async () => {
    const result = await run({ peers: 64, dim: 256, cycles: 40, partner: 'farthest', codec: 'f32' })
    expect(reached(result, 1e-3).cycle).to.be.within(6, 40)
    expect(result).to.include({ honestNamed: 0 })
  })

  it('need at most 2.5 times the cycles when a fifth of the sites is away and a tenth of the messages lost', async () => {
    for (const partner of ['random', 'exponential'] as const) {
      const calm = reached(await run({ peers: 100, dim: 32, partner }), 1e-3).cycle
      const disturbed = await run({ peers: 100, dim: 32, partner, churn: 0.2, loss: 0.1 })
      expect(reached(disturbed, 1e-3).cycle).to.be.within(calm + 1, 2.5 * calm)
      expect(disturbed.honestNamed).to.equal(0)
    }
  })

  it('go to alike sites by what all tell, and contract no slower where all are alike', async () => {
    for (const [partner, clusters] of [['random', 1], ['exponential', 1], ['random', 2]] as const) {
      const size = { peers: 64, dim: 32, cycles: 8, codec: 'f32', seed: 3, partner } as const
      const [plain, told] = [await run(size), await run({ ...size, clusters })]
      expect(told.facts!.clusters, `${partner} ${clusters}`).to.deep.equal(clusters === 1 ? [64] : [32, 32])
      expect(told.facts!.announced.byteLength).to.equal(336)
      if (partner === 'random') expect(told.contractionRate! / plain.contractionRate!).to.be.within(0.85, clusters === 1 ? 1.15 : 1.6)
      else expect(told.cycles).to.deep.equal(plain.cycles)
      expect(told.changed.weightedSum).to.be.below(1e-6)
    }
  })

  it('go to alike sites in their rounds, too', async () => {
    const size = { peers: 12, dim: 8, rounds: 2, codec: 'f32', seed: 3, partner: 'random' } as const
    const [plain, told] = [await run(size), await run({ ...size, clusters: 2 })]
    expect(told.facts!.clusters).to.deep.equal([6, 6])
    expect(told.cycles.map(({ variance }) => variance)).to.not.deep.equal(plain.cycles.map(({ variance }) => variance))
    expect(told.changed.weightedSum).to.be.below(1e-6)
  })

  it('are hardly moved by liars, and name them and nobody else', async () => {
    for (const partner of ['random', 'exponential'] as const) {
      const result = await run({ peers: 100, dim: 32, liars: 0.1, partner })
      expect(result.meanMoved).to.be.within(1e-4, 0.05)
      expect(result).to.include({ liars: 10, honestNamed: 0 })
      expect(result.liarsNamed).to.be.at.least(9)
    }
  })

  it('need far fewer bytes with the automatic codec, also around a common offset', async () => {
    const bytes = async (codec: 'auto' | 'f32', offset: number): Promise<number> =>
      reached(await run({ peers: 64, dim: 1024, cycles: 20, partner: 'random', codec, offset }), 1e-3).bytesPerSite
    expect(await bytes('auto', 0) / await bytes('f32', 0)).to.be.below(0.45)
    expect(await bytes('auto', 10) / await bytes('f32', 10)).to.be.below(0.6)
  })

  it('conserve Σw and Σw·x through delays, loss, absence, stragglers, unequal masses, any codec and any partners', async () => {
    const ways = [['auto', 'exponential'], ['q8', 'random'], ['f16', 'farthest'], ['q16', 'farthest'], ['auto', 'farthest']] as const
    for (const [[codec, partner], rounds] of ways.flatMap((way) => [[way, 0] as const, [way, 8] as const])) {
      const result = await run({
        peers: 40,
        dim: 16,
        cycles: 15,
        rounds,
        codec,
        partner,
        delay: 100,
        loss: 0.1,
        churn: 0.2,
        stragglers: 0.2,
        maxMass: 10,
        // A site that catches up takes a liar's vector over as anybody's.
        liars: rounds === 0 ? 0.1 : 0
      })
      expect(result.changed.mass).to.equal(0)
      expect(result.changed.weightedSum).to.be.below(1e-6)
      expect(result.cycles.at(-1)!.variance).to.be.below(0.05)
    }
  })

  it('replay number for number from their seed', async () => {
    for (const rounds of [0, 4]) {
      const disturbed = { peers: 30, dim: 8, cycles: 6, rounds, delay: 200, loss: 0.1, churn: 0.2, stragglers: 0.2, liars: 0.1 }
      const first = await run(disturbed)
      expect(await run(disturbed)).to.deep.equal(first)
      expect((await run({ ...disturbed, seed: 2 })).cycles).to.not.deep.equal(first.cycles)
    }
  })
})
