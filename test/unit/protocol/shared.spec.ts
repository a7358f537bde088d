import { expect } from 'chai'
import { RateLimit } from '../../../src/common/rate-limit.ts'
import { runInSlices } from '../../../src/common/slices.ts'
import { TimeoutError } from '../../../src/errors.ts'
import { within } from '../../../src/protocol/shared/within.ts'

describe('within', () => {
  const never = new Promise<never>(() => {})

  it('passes a result or an error on', async () => {
    expect(await within(Promise.resolve(3), { ms: 1000, what: 'x' })).to.equal(3)
    expect(await within(Promise.reject(new RangeError('own')), { ms: 1000, what: 'x' }).catch((error: unknown) => error)).to.be.instanceOf(
      RangeError
    )
  })

  it('ends with a TimeoutError that says what did not come', async () => {
    const error = await within(never, { ms: 5, what: 'answer' }).catch((reason: unknown) => reason as Error)
    expect(error).to.be.instanceOf(TimeoutError)
    expect((error).message).to.equal('no answer within 5 ms')
  })

  it('ends with the signal\'s reason, also when it came before', async () => {
    const reason = new Error('stop')
    const controller = new AbortController()
    const waiting = within(never, { ms: 60_000, what: 'x', signal: controller.signal }).catch((error: unknown) => error)
    controller.abort(reason)
    expect(await waiting).to.equal(reason)
    expect(await within(never, { ms: 60_000, what: 'x', signal: controller.signal }).catch((error: unknown) => error)).to.equal(reason)
  })
})

describe('rate limit', () => {
  it('gives a burst, then as many as the time allows, per key', () => {
    let now = 0
    const limit = new RateLimit({ perSecond: 2, burst: 3, now: () => now })
    expect([1, 2, 3, 4].map(() => limit.take('a'))).to.deep.equal([0, 0, 0, 500])
    expect(limit.take('b')).to.equal(0)
    now = 499
    expect(limit.take('a')).to.be.within(1, 2)
    now = 500
    expect(limit.take('a')).to.equal(0)
    expect(limit.take('a')).to.equal(500)
    now = 60_000
    expect([1, 2, 3, 4].map(() => limit.take('a') === 0)).to.deep.equal([true, true, true, false])
  })

  it('does not give tokens to a clock that runs backwards', () => {
    let now = 10_000
    const limit = new RateLimit({ perSecond: 1, burst: 1, now: () => now })
    limit.take('a')
    now = 0
    expect(limit.take('a')).to.equal(1000)
  })

  it('forgets the key that was quiet longest beyond 1024', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 1, now: () => 0 })
    for (let i = 0; i < 1024; i++) limit.take(String(i))
    limit.take('0')
    limit.take('new')
    expect(limit.take('0')).to.be.above(0)
    expect(limit.take('1')).to.equal(0)
  })
})

describe('arithmetic in slices', () => {
  it('returns the generator\'s result and lets the event loop turn in between', async () => {
    let turns = 0
    const timer = setInterval(() => { turns++ }, 1)
    const result = await runInSlices((function * () {
      for (let i = 0; i < 5; i++) {
        const end = performance.now() + 6
        while (performance.now() < end);
        yield
      }
      return 'done'
    })())
    clearInterval(timer)
    expect(result).to.equal('done')
    expect(turns).to.be.above(2)
  })

  it('stops when told to', async () => {
    const controller = new AbortController()
    const reason = new Error('stop')
    const endless = (function * () {
      for (;;) {
        const end = performance.now() + 6
        while (performance.now() < end);
        controller.abort(reason)
        yield
      }
    })()
    expect(await runInSlices(endless, { signal: controller.signal }).catch((error: unknown) => error)).to.equal(reason)
  })
})
