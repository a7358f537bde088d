import { expect } from 'chai'
import { followPlan, lastPhases, roundPlan } from '../../../src/rounds/plan.ts'

const planOf = (blocks: number[], order?: 'G-exchange-L' | 'GL-local', epochsL = 1): ReturnType<typeof roundPlan> =>
  roundPlan({ model: { moe: { blocks, experts: 4, topK: 2, bottleneck: 16, gate: 'token', expert: 'mlp' } }, training: { order, epochsL } })

describe('the plan of a round', () => {
  it('fits experts after the exchange, or before it, or has none to fit', () => {
    expect(planOf([0])).to.deep.equal({ before: ['G'], after: ['L'] })
    expect(planOf([0], 'GL-local')).to.deep.equal({ before: ['G', 'L'], after: [] })
    for (const plan of [planOf([]), planOf([], 'GL-local'), planOf([0], undefined, 0)]) {
      expect(plan).to.deep.equal({ before: ['G'], after: [] })
    }
  })

  it('ends with what leaves the adapter alone', () => {
    expect(lastPhases(planOf([0]))).to.deep.equal(['L'])
    expect(lastPhases(planOf([0], 'GL-local'))).to.deep.equal(['L'])
    expect(lastPhases(planOf([]))).to.deep.equal([])
  })

  it('is followed in order, with one exchange', async () => {
    const events: string[] = []
    const steps = { train: async (phase: string) => { events.push(phase) }, exchange: async () => { events.push('exchange') } }
    await followPlan(planOf([0]), steps)
    await followPlan(planOf([0], 'GL-local'), steps)
    expect(events).to.deep.equal(['G', 'exchange', 'L', 'G', 'L', 'exchange'])
  })
})
