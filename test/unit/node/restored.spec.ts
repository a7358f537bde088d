import { expect } from 'chai'
import { takeUp } from '../../../src/rounds/restored.ts'
import { FakeClock } from './fakes.ts'

describe('a restored site', () => {
  const signal = new AbortController().signal

  async function follow ({ others, step = Infinity }: { others: number, step?: number }): Promise<{ round: number, said: string[] }> {
    const clock = new FakeClock()
    const said: string[] = []
    let [round, met] = [3, false]
    clock.onSleep = () => { met = true }
    await takeUp({
      made: '2026-01-01T00:00:00.000Z',
      clock,
      notices: { warn: (name) => { said.push(`warn ${name}`) }, over: (name) => { said.push(`over ${name}`) } },
      isMet: () => met,
      isBehind: () => others > round,
      catchUp: async () => {
        said.push(`from ${round}`)
        round = Math.min(others, round + step)
      }
    }, signal)
    return { round, said }
  }

  it('waits until it has met another one, takes over what that has, and says both', async () => {
    expect(await follow({ others: 5 })).to.deep.equal({ round: 5, said: ['warn restored', 'from 3', 'over restored'] })
  })

  it('takes over nothing where nobody is further on', async () => {
    expect(await follow({ others: 3 })).to.deep.equal({ round: 3, said: ['warn restored', 'over restored'] })
  })

  it('takes a few steps where one is not enough, and does not try for ever', async () => {
    expect((await follow({ others: 5, step: 1 })).round).to.equal(5)
    expect((await follow({ others: 5, step: 0 })).said).to.have.length(12)
  })
})
