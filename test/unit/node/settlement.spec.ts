import { expect } from 'chai'
import { Settlement } from '../../../src/rounds/settlement.ts'
import { FakeClock } from './fakes.ts'

describe('Settlement', () => {
  let clock: FakeClock
  let doubts: Set<string>
  let connected: Set<string>
  let asked: [partner: string, second: number][]
  let unreachable: Set<string>

  beforeEach(() => {
    clock = new FakeClock()
    doubts = new Set()
    connected = new Set()
    asked = []
    unreachable = new Set()
  })

  async function run (seconds: number, onTick: (second: number) => void = () => {}): Promise<Settlement> {
    const start = clock.time
    const second = (): number => (clock.time - start) / 1_000
    const ended = Promise.withResolvers<undefined>()
    const settlement = new Settlement({
      doubts: () => doubts,
      connected: () => connected,
      clock,
      settle: async (partner) => {
        asked.push([partner, second()])
        if (unreachable.has(partner)) throw new Error('no answer')
        doubts.delete(partner)
      }
    })
    clock.onSleep = () => {
      onTick(second())
      if (second() >= seconds) ended.resolve(undefined)
    }
    settlement.start()
    await ended.promise
    await settlement.stop()
    return settlement
  }

  it('speaks to each partner once after a start, whether or not anything is in doubt', async () => {
    connected.add('a').add('b')
    await run(10)
    expect(asked).to.deep.equal([['a', 0], ['b', 0]])
  })

  it('asks as soon as the partner is there', async () => {
    doubts.add('a')
    const settlement = await run(6, (second) => { if (second === 5) connected.add('a') })
    expect(asked).to.deep.equal([['a', 5]])
    expect([doubts.size, settlement.isOpen]).to.deep.equal([0, false])
  })

  it('asks again with growing pauses, and at once when the partner comes back', async () => {
    doubts.add('a')
    connected.add('a')
    unreachable.add('a')
    await run(12, (second) => {
      if (second === 9) connected.delete('a')
      if (second === 10) connected.add('a')
    })
    expect(asked.map(([, second]) => second)).to.deep.equal([0, 1, 3, 7, 10, 11])
  })

  it('says whether anything can be settled now', async () => {
    doubts.add('a').add('b')
    unreachable.add('a')
    expect((await run(2)).isOpen).to.equal(false)
    connected.add('a')
    expect((await run(2)).isOpen).to.equal(true)
  })
})
