import { expect } from 'chai'
import { takeUp } from '../../../src/rounds/restored.ts'
import { FakeClock } from './fakes.ts'

describe('a restored site', () => {
  const signal = new AbortController().signal

  interface Course { readonly others: number, readonly step?: number, readonly rounds?: number }

  async function follow (
    { others, step = Infinity, rounds = Infinity }: Course
  ): Promise<{ round: number, said: string[], isThere: boolean }> {
    const clock = new FakeClock()
    const said: string[] = []
    let [round, met] = [3, false]
    clock.onSleep = () => { met = true }
    const isThere = await takeUp({
      made: '2026-01-01T00:00:00.000Z',
      clock,
      notices: { warn: (name) => { said.push(`warn ${name}`) }, over: (name) => { said.push(`over ${name}`) } },
      isMet: () => met,
      isBehind: () => others > round,
      isAtEnd: () => round >= rounds,
      catchUp: async () => {
        said.push(`from ${round}`)
        round = Math.min(others, round + step, rounds)
      }
    }, signal)
    return { round, said, isThere }
  }

  it('waits until it has met another one, takes over what that has, and says both', async () => {
    expect(await follow({ others: 5 })).to.deep.equal({ round: 5, said: ['warn restored', 'from 3', 'over restored'], isThere: true })
  })

  it('takes over nothing where nobody is further on', async () => {
    expect(await follow({ others: 3 })).to.deep.equal({ round: 3, said: ['warn restored', 'over restored'], isThere: true })
  })

  it('takes a few steps where one is not enough, and does not try for ever', async () => {
    expect((await follow({ others: 5, step: 1 })).round).to.equal(5)
    expect((await follow({ others: 5, step: 0 })).said).to.have.length(12)
  })

  it('is not there yet where the others are in rounds that its document of the backup has none of', async () => {
    const said = ['warn restored', 'from 3', 'warn restored']
    expect(await follow({ others: 9, rounds: 4 })).to.deep.equal({ round: 4, said, isThere: false })
    expect(await follow({ others: 9, rounds: 3 })).to.deep.equal({ round: 3, said: ['warn restored', 'warn restored'], isThere: false })
  })
})
