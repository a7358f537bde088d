import { expect } from 'chai'
import fc from 'fast-check'
import {
  Adapter,
  adapterFileParts,
  adapterFromSafetensors,
  adapterFromTensors,
  adapterToSafetensors,
  decodeAdapter,
  encodeAdapter
} from '../../../src/adapter/adapter.ts'
import { readSafetensors, writeSafetensors } from '../../../src/adapter/safetensors.ts'
import { createSchema } from '../../../src/adapter/schema.ts'
import { CorruptFileError, SchemaError } from '../../../src/errors.ts'
import { schemas, valuesOf } from './arbitraries.ts'

const schema = createSchema({
  model: 'm',
  baseHash: '00',
  tensors: [{ name: 'b', shape: [2, 2], role: 'decoder' }, { name: 'a', shape: [3], role: 'lora' }]
})
const adapter = new Adapter(schema, Float32Array.of(1, 2, 3, 4, 5, 6, 7))
const adapters = schemas.chain((any) => valuesOf(any.size).map((values) => new Adapter(any, values)))
const meta = { round: 3, weight: 54.5 }

describe('adapter', () => {
  it('shows its tensors as views in schema order', () => {
    const tensors = adapter.tensors()
    expect([...tensors.keys()]).to.deep.equal(['a', 'b'])
    expect(tensors.get('b')).to.deep.equal({ shape: [2, 2], data: Float32Array.of(4, 5, 6, 7) })
    expect(tensors.get('b')?.data.buffer).to.equal(adapter.values.buffer)
  })

  it('rejects a wrong length and names the tensor that is not finite', () => {
    expect(() => new Adapter(schema, new Float32Array(6))).to.throw(SchemaError)
    expect(() => new Adapter(schema, Float32Array.of(1, 2, 3, NaN, 5, 6, 7))).to.throw(SchemaError, 'tensor b')
    expect(() => new Adapter(schema, Float32Array.of(1, 2, Infinity, 4, 5, 6, 7))).to.throw(SchemaError, 'tensor a')
  })

  it('gathers exactly the tensors of the schema', () => {
    const a = Float32Array.of(1, 2, 3)
    const b = Float32Array.of(4, 5, 6, 7)
    expect(adapterFromTensors(schema, new Map([['b', b], ['a', a]])).values).to.deep.equal(adapter.values)
    expect(() => adapterFromTensors(schema, new Map([['a', a]]))).to.throw(SchemaError, 'tensor b')
    expect(() => adapterFromTensors(schema, new Map([['a', b], ['b', b]]))).to.throw(SchemaError, 'tensor a')
    expect(() => adapterFromTensors(schema, new Map([['a', a], ['b', b], ['lmoe', a]]))).to.throw(SchemaError, 'tensor lmoe')
  })

  it('encodes little-endian and digests exactly that', () => {
    const one = new Adapter(
      createSchema({ model: 'm', baseHash: '00', tensors: [{ name: 'a', shape: [], role: 'lora' }] }),
      Float32Array.of(1)
    )
    expect([...encodeAdapter(one)]).to.deep.equal([0, 0, 0x80, 0x3f])
    expect(one.digest()).to.equal('e00e5eb9444182f352323374ef4e08ebcb784725fdd4fd612d7730540b3e0c8c')
  })

  it('survives both formats bit by bit', () => {
    fc.assert(fc.property(adapters, fc.nat(), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), (any, round, weight) => {
      const bytes = encodeAdapter(any)
      expect(encodeAdapter(decodeAdapter(any.schema, bytes))).to.deep.equal(bytes)
      const file = adapterToSafetensors(any, { round, weight, savedAt: 1_700_000_000_000 })
      const back = adapterFromSafetensors(any.schema, file)
      expect(encodeAdapter(back.adapter)).to.deep.equal(bytes)
      expect([back.round, back.weight, back.savedAt]).to.deep.equal([round, Object.is(weight, -0) ? 0 : weight, 1_700_000_000_000])
    }))
  })

  it('decodes only the exact number of finite values', () => {
    const bytes = encodeAdapter(adapter)
    expect(() => decodeAdapter(schema, bytes.subarray(1))).to.throw(CorruptFileError)
    expect(() => decodeAdapter(schema, new Uint8Array([...bytes, 0]))).to.throw(CorruptFileError)
    expect(() => decodeAdapter(schema, new Uint8Array(bytes.length).fill(0xff))).to.throw(CorruptFileError, 'tensor a')
    expect(decodeAdapter(schema, new Uint8Array([9, ...bytes]).subarray(1)).values).to.deep.equal(adapter.values)
  })

  it('knows a file of another schema from a damaged one', () => {
    const other = createSchema({ model: 'n', baseHash: '00', tensors: schema.tensors })
    expect(() => adapterFromSafetensors(other, adapterToSafetensors(adapter, meta))).to.throw(SchemaError, 'another model')
    const damage: Array<[object, Array<[string, number[]]>]> = [
      [{}, [['a', [3]], ['b', [2, 2]]]],
      [{ schema_hash: schema.hash, round: '1', weight: '1' }, [['a', [3]]]],
      [{ schema_hash: schema.hash, round: '1', weight: '1' }, [['a', [3]], ['b', [4]]]],
      [{ schema_hash: schema.hash, round: '1', weight: '1' }, [['a', [3]], ['b', [2, 2]], ['c', [1]]]],
      [{ schema_hash: schema.hash, round: '1.5', weight: '1' }, [['a', [3]], ['b', [2, 2]]]],
      [{ schema_hash: schema.hash, round: '1' }, [['a', [3]], ['b', [2, 2]]]],
      [{ schema_hash: schema.hash, round: '1', weight: '-1' }, [['a', [3]], ['b', [2, 2]]]],
      [{ schema_hash: schema.hash, round: '1', weight: '1', saved_at: 'now' }, [['a', [3]], ['b', [2, 2]]]]
    ]
    for (const [metadata, tensors] of damage) {
      const map = new Map(tensors.map(([name, shape]) => [name, { shape, data: new Float32Array(shape.reduce((x, y) => x * y, 1)) }]))
      expect(() => adapterFromSafetensors(schema, writeSafetensors(map, { ...metadata }))).to.throw(CorruptFileError)
    }
    const infinite = new Map([['a', { shape: [3], data: Float32Array.of(1, Infinity, 2) }], ['b', {
      shape: [2, 2],
      data: new Float32Array(4)
    }]])
    expect(() => adapterFromSafetensors(schema, writeSafetensors(infinite, { schema_hash: schema.hash, round: '1', weight: '1' }))).to
      .throw(CorruptFileError, 'tensor a')
  })

  it('is written with what a reader needs to know', () => {
    expect(readSafetensors(adapterToSafetensors(adapter, meta)).metadata)
      .to.deep.equal({ format: 'pt', schema_hash: schema.hash, model: 'm', base_hash: '00', round: '3', weight: '54.5' })
  })

  it('is the same file in two parts, the numbers not copied', () => {
    const [header, numbers] = adapterFileParts(adapter, meta)
    expect(Buffer.concat([header, numbers]).equals(adapterToSafetensors(adapter, meta))).to.equal(true)
    expect(numbers.buffer).to.equal(adapter.values.buffer)
  })

  it('never crashes on a damaged file with anything but its two errors', () => {
    const file = adapterToSafetensors(adapter, meta)
    fc.assert(fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(file.length), (at, flip, length) => {
      const bytes = file.slice(0, length > file.length / 4 ? file.length : length)
      if (at < bytes.length) bytes[at]! ^= flip
      try {
        adapterFromSafetensors(schema, bytes)
      } catch (error) {
        expect(error instanceof CorruptFileError || error instanceof SchemaError, String(error)).to.equal(true)
      }
    }), { numRuns: 1000 })
  })
})
