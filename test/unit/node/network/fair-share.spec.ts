import { TypedEventEmitter } from '@libp2p/interface'
import { expect } from 'chai'
import { FairShare, SHARE } from '../../../../src/node/network/limits/fair-share.ts'
import type { AdapterExchangeEvents, AdapterExchangeInit } from '../../../../src/protocol/adapter-exchange/index.ts'

type Averaging = AdapterExchangeInit['averaging']

class Always {
  readonly #free = true

  answer (): object {
    return this.#free ? { exchange: {} } : { refused: 'BUSY' }
  }

  get busy (): boolean {
    return !this.#free
  }
}

describe('the share of one partner', () => {
  let now = 0
  let averaging: Averaging
  let service: TypedEventEmitter<AdapterExchangeEvents>

  beforeEach(() => {
    now = 0
    const share = new FairShare(() => now)
    service = new TypedEventEmitter()
    averaging = share.of(new Always() as unknown as Averaging)
    share.watch(service)
  })

  function exchange (partner: string, ms: number, event: 'exchange' | 'failure' = 'exchange'): boolean {
    const answered = averaging.answer({ self: 'x', partner, offer: {} as never })
    if ('refused' in answered) return false
    now += ms
    service.dispatchEvent(new CustomEvent(event, { detail: { partner, role: 'responder' } }))
    return true
  }

  it('is half of the time, with room for bursts, and others do not pay for it', () => {
    let used = 0
    for (; now < 600_000; now += 100) if (exchange('greedy', 1_000)) used += 1_000
    expect(used / now).to.be.within(0.45, 0.55)
    expect(exchange('modest', 1_000)).to.equal(true)
  })

  it('is soon used up by exchanges that stall', () => {
    let held = 0
    for (; now < 600_000; now += 100) if (exchange('stalling', 10_000, 'failure')) held += 10_000
    expect(held / now).to.be.below(0.2)
  })

  it('is not charged for the time since the last exchange when a stream breaks before the next', () => {
    expect(exchange('a', 100)).to.equal(true)
    now += 3_600_000
    const detail = { partner: 'a', role: 'responder', reason: 'UnreachableError', durationMs: 20 }
    for (let i = 0; i < 10; i++) service.dispatchEvent(new CustomEvent('failure', { detail }))
    expect(exchange('a', 100)).to.equal(true)
  })

  it('costs two minutes at most after hours on a bad line', () => {
    for (let i = 0; i < 100; i++) {
      exchange('a', 30_000, 'failure')
      now += 1_000
    }
    now += 120_000
    expect(exchange('a', 100)).to.equal(true)
  })

  it('lets short exchanges follow one another', () => {
    for (let i = 0; i < SHARE.burstMs / 100; i++) expect(exchange('a', 100)).to.equal(true)
  })

  describe('that is asked', () => {
    let share: FairShare
    let slow: unknown[]

    beforeEach(() => {
      slow = []
      share = new FairShare(() => now, { rootOf: (partner) => partner.slice(0, 4), onSlow: (...each) => slow.push(each) })
      share.watch(service)
    })

    it('costs two minutes at most after time-outs on a bad line', () => {
      for (let i = 0; i < 100; i++) ask('a', 30_000, 'TimeoutError')
      now += 120_000
      expect(share.waitMs('a')).to.equal(0)
    })

    function ask (partner: string, durationMs: number, reason?: string): boolean {
      if (share.waitMs(partner) > 0) return false
      now += durationMs
      const detail = { partner, role: 'initiator', durationMs, reason }
      service.dispatchEvent(new CustomEvent(reason == null ? 'exchange' : 'failure', { detail: detail as never }))
      return true
    }

    it('wastes a tenth of the time at most by answering slowly, whichever key it has, and that is said', () => {
      const used = { fast: 0, slow: 0 }
      for (let turn = 0; now < 3_600_000; turn++, now += 100) {
        const partner = turn % 2 === 0 ? 'fast' : `slow${turn % 5}`
        if (ask(partner, partner === 'fast' ? 300 : 29_000)) used[partner === 'fast' ? 'fast' : 'slow']++
      }
      expect(used.slow * 29_000 / now).to.be.within(0.08, 0.13)
      expect(used.fast).to.be.above(5_000)
      expect(slow[0]).to.deep.equal(['slow1', 29_000, 300])
    })

    it('wastes less by letting exchanges stall or leaving them in doubt, but a cut line costs nothing', () => {
      let stalled = 0
      for (; now < 3_600_000; now += 100) {
        ask('fast', 300)
        if (ask('doubt', 10_000, 'TimeoutError')) stalled++
        expect(ask('dead', 1_000, 'UnreachableError')).to.equal(true)
      }
      expect(stalled * 10_000 / now).to.be.below(0.04)
    })

    it('is left alone after one and twenty exchanges in doubt, though each ended at once', () => {
      const fail = (): void => {
        const detail = { partner: 'doubt', role: 'initiator', durationMs: 100, reason: 'UnreachableError', inDoubt: true }
        service.dispatchEvent(new CustomEvent('failure', { detail: detail as never }))
      }
      for (let time = 0; time < 20; time++) fail()
      expect(share.waitMs('doubt')).to.equal(0)
      fail()
      expect(share.waitMs('doubt')).to.equal(10_000)
      expect(slow).to.deep.equal([['doubt', 100, undefined]])
    })

    it('is compared with the others: alone, or on a line as slow as theirs, it wastes nothing', () => {
      for (let turn = 0; turn < 500; turn++) expect(ask('only', 29_000)).to.equal(true)
      const [partners, took] = [['only', 'same', 'less'], [29_000, 25_000, 8_000]]
      for (let turn = 0; turn < 500; turn++) expect(ask(partners[turn % 3]!, took[turn % 3]!)).to.equal(true)
      expect(slow).to.deep.equal([])
    })
  })

  it('leaves everything else of the averaging as it is', () => {
    expect(averaging.busy).to.equal(false)
  })
})
