import { expect } from 'chai'
import { DEFAULTS, type SimulationOptions } from '../../src/simulation/options.ts'
import { simulate, type SimulationResult } from '../../src/simulation/simulate.ts'

const run = async (options: Partial<SimulationOptions>): Promise<SimulationResult> =>
  await simulate({ ...DEFAULTS, peers: 12, dim: 32, codec: 'f32', secure: true, rounds: 12, delay: 50, ...options })

describe('simulated sites that seal what they train', function () {
  this.timeout(240_000)

  it('are served by groups in at least 80 % of their rounds when a fifth of them is away all the time', async () => {
    const { training, changed } = await run({ churn: 0.2 })
    const { formed, rounds, served } = training!.groups!
    expect(rounds).to.equal(12 * 12)
    expect(served / rounds).to.be.at.least(0.8)
    expect(formed).to.be.above(12)
    expect(changed.mass).to.equal(0)
    expect(changed.weightedSum).to.be.below(1e-6)
  })

  it('lose nothing of Σw·(x + u) when messages are lost and masses differ', async () => {
    const { training, changed } = await run({ loss: 0.02, maxMass: 8 })
    const { broken } = training!.groups!
    expect(broken).to.be.above(0)
    expect(changed.weightedSum).to.be.below(1e-6)
  })
})
