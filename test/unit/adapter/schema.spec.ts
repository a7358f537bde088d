import { expect } from 'chai'
import fc from 'fast-check'
import { createSchema, elementCount, type TensorSpec } from '../../../src/adapter/schema.ts'
import { SchemaError } from '../../../src/errors.ts'

const base = { model: 'sam-tiny', baseHash: 'ab'.repeat(32) }
const spec = (name: string, shape: readonly number[] = [2, 3], role: TensorSpec['role'] = 'lora'): TensorSpec => ({ name, shape, role })

describe('adapter schema', () => {
  it('sorts by name and counts', () => {
    const schema = createSchema({ ...base, tensors: [spec('b.Z'), spec('a', [4]), spec('b.A', [])] })
    expect(schema.tensors.map(({ name }) => name)).to.deep.equal(['a', 'b.A', 'b.Z'])
    expect(schema.size).to.equal(4 + 1 + 6)
    expect(schema.hash).to.match(/^[0-9a-f]{64}$/)
  })

  it('has a hash that never changes between versions', () => {
    const schema = createSchema({ ...base, tensors: [spec('a'), spec('b', [5], 'decoder')] })
    expect(schema.hash).to.equal('4a630605ac38dbbc3ca6a9c393efe9ad17094dc32662258d923f178a9ff6242f')
  })

  it('has a hash that does not depend on the given order', () => {
    fc.assert(fc.property(fc.shuffledSubarray(['a', 'b', 'c', 'd'], { minLength: 4 }), (names) => {
      expect(createSchema({ ...base, tensors: names.map((name) => spec(name)) }).hash)
        .to.equal(createSchema({ ...base, tensors: ['a', 'b', 'c', 'd'].map((name) => spec(name)) }).hash)
    }))
  })

  it('has a hash that differs for every other schema', () => {
    const tensors = [spec('a', [2, 3]), spec('b', [4])]
    const variants = [
      { ...base, tensors },
      { ...base, model: 'sam-tiny2', tensors },
      { ...base, baseHash: 'ac'.repeat(32), tensors },
      { ...base, tensors: [spec('a', [3, 2]), spec('b', [4])] },
      { ...base, tensors: [spec('a', [6]), spec('b', [4])] },
      { ...base, tensors: [spec('a', [2, 3], 'decoder'), spec('b', [4])] },
      { ...base, tensors: [spec('a', [2, 3]), spec('c', [4])] },
      { ...base, tensors: [spec('a', [2, 3])] },
      { ...base, tensors: [spec('a,b', [2, 3]), spec('b', [4])] }
    ]
    expect(new Set(variants.map((init) => createSchema(init).hash)).size).to.equal(variants.length)
  })

  const bad: Array<[string, readonly TensorSpec[]]> = [
    ['no tensors', []],
    ['a duplicate', [spec('a'), spec('b'), spec('a')]],
    ['an expert', [spec('blocks.1.lmoe.gate.weight')]],
    ['what a method keeps', [spec('own.mask_decoder.iou_token.weight')]],
    ['an expert in capitals', [spec('blocks.1.LMoE.gate.weight')]],
    ['an empty name', [spec('')]],
    ['a polluting name', [spec('__proto__')]],
    ['the format\'s own name', [spec('__metadata__')]],
    ['a name with a space', [spec('a b')]],
    ['a name beyond ASCII', [spec('ä')]],
    ['an endless name', [spec('a'.repeat(256))]],
    ['a zero side', [spec('a', [0])]],
    ['a negative side', [spec('a', [-1, -2])]],
    ['a broken side', [spec('a', [1.5])]],
    ['a NaN side', [spec('a', [NaN])]],
    ['an overflowing shape', [spec('a', [2 ** 30, 2 ** 30])]],
    ['too many numbers', [spec('a', [2 ** 29]), spec('b')]],
    ['an unknown role', [spec('a', [1], 'lmoe' as 'lora')]]
  ]
  for (const [what, tensors] of bad) {
    it(`rejects ${what}`, () => { expect(() => createSchema({ ...base, tensors })).to.throw(SchemaError) })
  }

  it('rejects an empty model id or base hash', () => {
    expect(() => createSchema({ ...base, model: '', tensors: [spec('a')] })).to.throw(SchemaError)
    expect(() => createSchema({ ...base, baseHash: '', tensors: [spec('a')] })).to.throw(SchemaError)
  })

  it('counts elements exactly or not at all', () => {
    expect(elementCount([])).to.equal(1)
    expect(elementCount([2, 0, 5])).to.equal(0)
    expect(elementCount([2 ** 53])).to.be.NaN
    expect(elementCount(['2'])).to.be.NaN
  })
})
