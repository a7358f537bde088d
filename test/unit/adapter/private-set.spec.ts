import { inspect } from 'node:util'
import { expect } from 'chai'
import { Adapter, adapterFromTensors, adapterToSafetensors, encodeAdapter } from '../../../src/adapter/adapter.ts'
import { PrivateSet } from '../../../src/adapter/private-set.ts'
import { writeSafetensors, type NamedTensor } from '../../../src/adapter/safetensors.ts'
import { createSchema } from '../../../src/adapter/schema.ts'

const canary = 0.123456789
const experts = new PrivateSet(new Map([['blocks.1.lmoe.up', { shape: [1], data: Float32Array.of(canary) }]]))
const schema = createSchema({ model: 'm', baseHash: '00', tensors: [{ name: 'a', shape: [1], role: 'lora' }] })

describe('private set', () => {
  it('is taken by no codec', () => {
    // tsc proves the point: each line must fail to compile. At run time each fails as well.
    // @ts-expect-error a private set is no adapter
    expect(() => encodeAdapter(experts)).to.throw()
    // @ts-expect-error a private set is no adapter
    expect(() => adapterToSafetensors(experts, { round: 0, weight: 1 })).to.throw()
    // @ts-expect-error a private set is no map of arrays
    expect(() => adapterFromTensors(schema, experts)).to.throw()
    // @ts-expect-error a private set is no map of tensors
    expect(() => writeSafetensors(experts)).to.throw()
    // @ts-expect-error a private set is no array of numbers
    expect(() => new Adapter(schema, experts)).to.throw()
    // @ts-expect-error a private set is no tensor
    const tensor: NamedTensor = experts
    expect(tensor.data).to.equal(undefined)
    // @ts-expect-error nothing that merely looks like a private set is one
    const forged: PrivateSet = { reveal: () => new Map(), toJSON: () => ({ privateTensors: 0 }) }
    expect(forged).not.to.be.instanceOf(PrivateSet)
  })

  it('shows a count and nothing else', () => {
    const shown = [
      JSON.stringify({ experts }),
      inspect(experts),
      inspect({ experts }, { depth: 9, showHidden: true }),
      `${JSON.stringify(structuredClone(experts))}`
    ]
    for (const text of shown) expect(text).not.to.match(/0\.12|lmoe/)
    expect(shown[0]).to.equal('{"experts":{"privateTensors":1}}')
    expect(shown[1]).to.equal('PrivateSet(1 tensors)')
  })

  it('reveals its tensors to the private store, whatever its maker does to the map', () => {
    const map = new Map([['x', { shape: [1], data: Float32Array.of(1) }]])
    const set = new PrivateSet(map)
    map.clear()
    expect(set.reveal().get('x')?.data).to.deep.equal(Float32Array.of(1))
  })
})
