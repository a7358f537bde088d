import { expect } from 'chai'
import { planModel } from '../../../src/compute/onnx/model.ts'
import type { Plan } from '../../../src/compute/onnx/model.ts'
import { SessionCache } from '../../../src/compute/onnx/session-cache.ts'
import { constant, operation } from '../../../src/compute/onnx/value.ts'
import type { Value } from '../../../src/compute/onnx/value.ts'

function uploaded (...numbers: number[]): Value {
  const value = constant(Float32Array.from(numbers), [numbers.length], 'float32')
  value.uploaded = true
  return value
}

/** `type`(a) · slot, where the slot holds one number. */
function plan (type: string, slot = 1): Plan {
  const a = operation(type, [uploaded(1, 2, 3, 4, 5)], { shape: [5], type: 'float32' })
  return planModel([operation('Mul', [a, uploaded(slot)], { shape: [5], type: 'float32' })], true)
}

describe('compute: session cache', () => {
  /** Stores a session for the plan; the returned list tells whether it was released. */
  function store (cache: SessionCache<{ release: () => void }>, wanted: Plan): { released: boolean } {
    const state = { released: false }
    cache.keep(wanted, cache.next(wanted), { release: () => { state.released = true } })
    return state
  }

  it('finds a graph of the same operations and wiring, and no other', () => {
    const cache = new SessionCache<{ release: () => void }>(Infinity)
    store(cache, plan('Neg'))
    expect(cache.find(plan('Neg'))).to.not.equal(undefined)
    expect(cache.find(plan('Abs'))).to.equal(undefined)
    expect(cache.made).to.equal(1)
  })

  it('makes a slot an input once it changes, for good', () => {
    const cache = new SessionCache<{ release: () => void }>(Infinity)
    const first = store(cache, plan('Neg', 1))
    expect([...cache.find(plan('Neg', 1))?.inputs.keys() ?? []]).to.deep.equal(['x0'])
    expect(cache.find(plan('Neg', 2))).to.equal(undefined)
    store(cache, plan('Neg', 2))
    expect(first.released).to.equal(true)
    for (const slot of [1, 2, 3]) {
      const { inputs } = cache.find(plan('Neg', slot)) ?? {}
      expect([...inputs?.keys() ?? []]).to.deep.equal(['x0', 's0'])
      expect(inputs?.get('s0')?.data?.[0]).to.equal(slot)
    }
    expect(cache.size).to.equal(1)
  })

  it('releases the longest unused above its limit, never the newest', () => {
    const weight = plan('Neg').encode().weight
    const cache = new SessionCache<{ release: () => void }>(2 * weight)
    const [neg, abs] = [store(cache, plan('Neg')), store(cache, plan('Abs'))]
    cache.find(plan('Neg'))
    const exp = store(cache, plan('Exp'))
    expect([neg, abs, exp].map(({ released }) => released)).to.deep.equal([false, true, false])
    const tight = new SessionCache<{ release: () => void }>(1)
    expect(store(tight, plan('Neg')).released).to.equal(false)
    expect(tight.size).to.equal(1)
  })

  it('weighs baked data', () => {
    const big = constant(new Float32Array(1e6).map((_, index) => index), [1e6], 'float32')
    const baked = planModel([operation('Neg', [big], { shape: [1e6], type: 'float32' })], false).encode()
    expect(baked.weight).to.be.above(4e6)
    expect(baked.external).to.have.length(1)
    expect(baked.bytes.length).to.be.below(1e4)
  })
})
