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

  it('lets short exchanges follow one another', () => {
    for (let i = 0; i < SHARE.burstMs / 100; i++) expect(exchange('a', 100)).to.equal(true)
  })

  it('leaves everything else of the averaging as it is', () => {
    expect(averaging.busy).to.equal(false)
  })
})
