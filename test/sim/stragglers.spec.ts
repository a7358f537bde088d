import { expect } from 'chai'
import { CASES, leastArrived, measure, type Row } from '../../bench/stragglers/measure.ts'
import { DEFAULTS, type SimulationOptions } from '../../src/simulation/options.ts'
import { simulate, type SimulationResult } from '../../src/simulation/simulate.ts'

const run = async (options: Partial<SimulationOptions>): Promise<SimulationResult> => await simulate({ ...DEFAULTS, ...options })

function expectArrived (rows: readonly Row[]): void {
  for (const row of rows) expect(leastArrived(row), `${row.slowness} times slower`).to.be.at.least(0.9)
}

/** Nobody is held up: neither waits, nor agrees later than `most` times the undisturbed. */
function expectNotHeldUp ([undisturbed, ...rows]: readonly Row[], most: number): void {
  for (const { slowness, seconds, runs } of rows) {
    expect(seconds / undisturbed!.seconds, `${slowness} times slower`).to.be.at.most(most)
    expect(runs.map(({ waited }) => waited), `${slowness} times slower`).to.deep.equal(runs.map(() => 0))
  }
}

// The table of docs/gossip.md#slow-sites: `npm run bench:stragglers` prints all of it by the same code.
describe('virtual sites that train by the daemon\'s plan', function () {
  this.timeout(300_000)

  it('one of eight is 2 to 20 times slower: its steps arrive, and the others are as fast as without it', async () => {
    const rows = await measure(CASES.oneOfEight)
    expect(rows.map(({ slowness }) => slowness)).to.deep.equal([1, 2, 3, 5, 8, 20])
    expectArrived(rows)
    expectNotHeldUp(rows, 1.1)
    const [undisturbed, ...slow] = rows.map(({ runs }) => runs.reduce((sum, { slowSteps: { trained } }) => sum + trained, 0) / runs.length)
    // It trains as many steps as its speed allows, and not fewer.
    slow.forEach((trained, index) => { expect(trained).to.be.above(0.8 * undisturbed! / rows[index + 1]!.slowness) })
  })

  it('two of eight', async () => {
    const rows = await measure(CASES.twoOfEight, [8, 20])
    expectArrived(rows)
    expectNotHeldUp(rows, 1.1)
  })

  it('one of four', async () => {
    const rows = await measure(CASES.oneOfFour, [8, 20])
    expectArrived(rows)
    // They agree after three rounds, in which the slow one does not know yet that it is slow (docs/gossip.md#slow-sites).
    expectNotHeldUp(rows, 1.3)
  })

  it('take rounds over when they are far behind, with their steps on top', async () => {
    const { training, changed } = await run({ peers: 8, dim: 16, stragglers: 0.25, slowness: 40, delay: 50, codec: 'f32' })
    expect(training!.caughtUp).to.be.above(3)
    expect(training!.slowSteps.arrived).to.equal(training!.slowSteps.trained)
    expect(changed).to.have.property('mass', 0)
    expect(changed.weightedSum).to.be.below(1e-6)
  })

  it('pause where the others are far behind', async () => {
    const { training } = await run({ peers: 8, dim: 16, stragglers: 0.75, slowness: 60, delay: 50, rounds: 12 })
    expect(training!.waited).to.be.above(0)
    expect(training!.steps.arrived / training!.steps.trained).to.be.at.least(0.9)
  })

  it('train with no straggler where rounds are asked for, and not where none are', async () => {
    const { training, cycles } = await run({ peers: 6, dim: 8, rounds: 3 })
    expect(training).to.deep.include({ rounds: 3, slow: 0, steps: { trained: 6 * 3 * 16, arrived: 6 * 3 * 16 }, waited: 0, caughtUp: 0 })
    expect(cycles.at(-1)!.others).to.equal(cycles.at(-1)!.variance)
    expect((await run({ peers: 6, dim: 8, stragglers: 0.5, rounds: 0, cycles: 3 })).training).to.equal(null)
  })

  it('say how long they took to be close, or that they never were', async () => {
    const [near, far] = [await run({ peers: 8, dim: 8, rounds: 6, spread: 0.5 }), await run({ peers: 8, dim: 8, rounds: 1, spread: 1e-6 })]
    expect(near.training!.spreadSeconds).to.be.within(1, 30)
    expect(far.training!.spreadSeconds).to.equal(null)
  })
})
