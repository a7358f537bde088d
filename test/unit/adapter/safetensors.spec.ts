import { expect } from 'chai'
import fc from 'fast-check'
import { floatToHalfBits, halfToFloatBits } from '../../../src/adapter/float16.ts'
import { readFloatTensors, readSafetensors, writeSafetensors } from '../../../src/adapter/safetensors.ts'
import { CorruptFileError, SchemaError } from '../../../src/errors.ts'
import { tensorMaps } from './arbitraries.ts'

/** A file by hand: header text and data bytes as given. */
function file (header: unknown, data: number[] | Uint8Array = []): Uint8Array {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + json.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  bytes.set(data, 8 + json.length)
  return bytes
}

const entry = (dtype: string, shape: number[], begin: number, end: number): object => ({ dtype, shape, data_offsets: [begin, end] })
const bitsOf = (data: Float32Array): number[] => [...new Uint32Array(data.slice().buffer)]

describe('safetensors', () => {
  it('returns what was written, bit by bit', () => {
    fc.assert(
      fc.property(
        tensorMaps,
        fc.dictionary(fc.string({ minLength: 1 }).filter((key) => key !== '__proto__'), fc.string()),
        fc.nat(9),
        (tensors, metadata, shift) => {
          const written = writeSafetensors(tensors, metadata)
          expect(Number(new DataView(written.buffer).getBigUint64(0, true)) % 8).to.equal(0)
          const moved = new Uint8Array(shift + written.length)
          moved.set(written, shift)
          const read = readFloatTensors(moved.subarray(shift))
          expect(read.metadata).to.deep.equal(metadata)
          expect([...read.tensors].map(([name, { shape, data }]) => [name, shape, bitsOf(data)]).sort())
            .to.deep.equal([...tensors].map(([name, { shape, data }]) => [name, shape, bitsOf(data)]).sort())
        }
      )
    )
  })

  it('reads every type, aligned or not, whatever the order in the header', () => {
    const header = {
      i64: entry('I64', [1], 1, 9),
      u8: entry('U8', [1], 0, 1),
      f16: entry('F16', [3], 13, 19),
      i32: entry('I32', [], 9, 13)
    }
    const data = [7, 254, 255, 255, 255, 255, 255, 255, 255, 253, 255, 255, 255, 0, 0x3c, 0, 0xc0, 1, 0]
    for (const padding of ['', ' ', '       ']) {
      const { tensors, metadata } = readSafetensors(file(JSON.stringify(header) + padding, data))
      expect(metadata).to.deep.equal({})
      expect(tensors.get('u8')).to.deep.equal({ dtype: 'U8', shape: [1], data: Uint8Array.of(7) })
      expect(tensors.get('i64')?.data).to.deep.equal(BigInt64Array.of(-2n))
      expect(tensors.get('i32')?.data).to.deep.equal(Int32Array.of(-3))
      expect(tensors.get('f16')?.data).to.deep.equal(Float32Array.of(1, -2, 2 ** -24))
    }
    expect(() => readFloatTensors(file(header, data))).to.throw(CorruptFileError, /i64|u8|i32/)
  })

  it('views aligned data instead of copying them', () => {
    const bytes = writeSafetensors(new Map([['a', { shape: [2], data: Float32Array.of(1, 2) }]]))
    expect(readSafetensors(bytes).tensors.get('a')?.data.buffer).to.equal(bytes.buffer)
  })

  const four = [0, 0, 0, 0]
  const damaged: Array<[string, Uint8Array, RegExp?]> = [
    ['nothing', new Uint8Array(0)],
    ['half a length', new Uint8Array(7)],
    ['a length without header', new Uint8Array([8, 0, 0, 0, 0, 0, 0, 0])],
    ['an absurd length', new Uint8Array(16).fill(255), /claims/],
    ['no JSON', file('{')],
    ['no UTF-8', new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0xc3, 0x28])],
    ['a byte order mark', file('\ufeff{}')],
    ['no object', file('[]')],
    ['null', file('null')],
    ['metadata that are no strings', file({ __metadata__: { a: 1 } })],
    ['metadata that are a list', file({ __metadata__: [] })],
    ['an entry that is no object', file({ a: 3 }), /tensor a/],
    ['an entry with more in it', file({ a: { ...entry('F32', [1], 0, 4), x: 1 } }, four), /tensor a/],
    ['an unknown type', file({ a: entry('BF16', [2], 0, 4) }, four), /tensor a.*BF16/],
    ['a polluting type', file('{"a":{"dtype":"__proto__","shape":[1],"data_offsets":[0,4]}}', four), /tensor a/],
    ['a negative side', file({ a: entry('F32', [-1, -1], 0, 4) }, four), /tensor a/],
    ['an overflowing shape', file({ a: entry('F32', [2 ** 32, 2 ** 32, 2 ** 32], 0, 4) }, four), /tensor a/],
    ['an overflowing shape with a zero', file({ a: entry('F32', [2 ** 32, 2 ** 32, 0], 0, 0) }), /tensor a/],
    ['a shape that is no list', file('{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}', four), /tensor a/],
    ['offsets that are no pair', file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}', four), /tensor a/],
    ['offsets that are strings', file('{"a":{"dtype":"F32","shape":[1],"data_offsets":["0","4"]}}', four), /tensor a/],
    ['reversed offsets', file({ a: entry('F32', [1], 4, 0) }, four), /tensor a/],
    ['too few bytes for the shape', file({ a: entry('F32', [2], 0, 4) }, four), /tensor a/],
    ['a gap', file({ a: entry('F32', [1], 4, 8) }, [...four, ...four]), /tensor a/],
    ['an overlap', file({ a: entry('F32', [1], 0, 4), b: entry('F32', [1], 2, 6) }, [...four, 0, 0]), /tensor b/],
    ['the same bytes twice', file({ a: entry('F32', [1], 0, 4), b: entry('F32', [1], 0, 4) }, four), /tensor b/],
    ['data that end too early', file({ a: entry('F32', [2], 0, 8) }, four), /tensor a/],
    ['trailing bytes', file({ a: entry('F32', [1], 0, 4) }, [...four, 1]), /1 bytes/],
    ['trailing bytes after no tensors', file({}, [1])],
    [
      'a name twice',
      file('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0061":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      /"a" occurs twice/
    ],
    ['a field twice', file('{"a":{"dtype":"U8","dtype":"F32","shape":[0],"data_offsets":[0,0]}}'), /"dtype" occurs twice/],
    ['metadata twice', file('{"__metadata__":{},"__metadata__":{}}'), /occurs twice/],
    ['__proto__', file('{"__proto__":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), /__proto__/],
    ['__proto__ in an entry', file('{"a":{"__proto__":{"dtype":"U8"},"shape":[0],"data_offsets":[0,0]}}'), /tensor a/],
    ['__proto__ in the metadata', file('{"__metadata__":{"__proto__":"x"}}')],
    ['an empty name', file({ '': entry('U8', [0], 0, 0) })]
  ]
  for (const [what, bytes, message = /./] of damaged) {
    it(`rejects ${what}`, () => { expect(() => readSafetensors(bytes)).to.throw(CorruptFileError, message) })
  }

  it('rejects a header one byte over its cap, and reads one at it', () => {
    const cap = 4 * 1024 * 1024
    expect(readSafetensors(file('{}'.padEnd(cap))).tensors.size).to.equal(0)
    expect(() => readSafetensors(file('{}'.padEnd(cap + 1)))).to.throw(CorruptFileError, 'the most is')
  })

  it('never crashes on damage with anything but CorruptFileError', () => {
    const edits = fc.array(fc.tuple(fc.nat(4095), fc.nat(255)), { maxLength: 4 })
    fc.assert(fc.property(tensorMaps, edits, fc.option(fc.nat(4095)), (tensors, changes, length) => {
      const written = writeSafetensors(tensors, { note: 'x' })
      for (const [at, value] of changes) written[at % written.length] = value
      try {
        readSafetensors(written.subarray(0, length ?? undefined))
      } catch (error) {
        expect(error).to.be.instanceOf(CorruptFileError)
      }
    }), { numRuns: 2000 })
  })

  it('writes nothing that it could not read', () => {
    const data = new Float32Array(4)
    expect(() => writeSafetensors(new Map([['a', { shape: [3], data }]]))).to.throw(SchemaError, 'tensor a')
    expect(() => writeSafetensors(new Map([['a', { shape: [-2, -2], data }]]))).to.throw(SchemaError, 'tensor a')
    expect(() => writeSafetensors(new Map([['__proto__', { shape: [4], data }]]))).to.throw(SchemaError)
    expect(() => writeSafetensors(new Map([['a', { shape: [1], data: Float32Array.of(65520) }]]), {}, 'F16')).to.throw(
      SchemaError,
      'tensor a'
    )
  })
})

describe('float16', () => {
  const half = (value: number): number => floatToHalfBits(bitsOf(Float32Array.of(value))[0]!)
  const widened = (bits: number): number => new Float32Array(Uint32Array.of(halfToFloatBits(bits)).buffer)[0]!

  it('returns every half through float32', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const isNaN = (bits & 0x7fff) > 0x7c00
      expect(floatToHalfBits(halfToFloatBits(bits))).to.equal(isNaN ? (bits & 0x8000) | 0x7e00 : bits)
    }
  })

  it('rounds to the nearest half, ties to even', () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const [low, high] = [widened(bits), widened(bits + 1)]
      const middle = (low + high) / 2
      expect(half(middle)).to.equal(bits + (bits & 1))
      expect(half(-middle)).to.equal(0x8000 | (bits + (bits & 1)))
      const below = new Float32Array(Uint32Array.of(bitsOf(Float32Array.of(middle))[0]! - 1).buffer)[0]!
      const above = new Float32Array(Uint32Array.of(bitsOf(Float32Array.of(middle))[0]! + 1).buffer)[0]!
      expect([half(below), half(above)]).to.deep.equal([bits, bits + 1])
    }
  })

  it('has the right corners', () => {
    expect([1, -2, 65504, 2 ** -24, 2 ** -14, 0.1].map(half)).to.deep.equal([0x3c00, 0xc000, 0x7bff, 1, 0x400, 0x2e66])
    expect([65519.996, 65520, Infinity, -Infinity].map(half)).to.deep.equal([0x7bff, 0x7c00, 0x7c00, 0xfc00])
    expect([2 ** -25, 2 ** -25 * 1.001, 1e-45, -0].map(half)).to.deep.equal([0, 1, 0, 0x8000])
    expect(widened(0x3555)).to.equal(0.333251953125)
    expect(widened(0x7e00)).to.be.NaN
  })

  it('survives a file within half a unit', () => {
    fc.assert(fc.property(fc.float32Array({ min: -65504, max: 65504, noNaN: true }), (data) => {
      const read = readFloatTensors(writeSafetensors(new Map([['a', { shape: [data.length], data }]]), {}, 'F16'))
      read.tensors.get('a')!.data.forEach((value, i) =>
        expect(Math.abs(value - data[i]!)).to.be.at.most(Math.max(2 ** -25, Math.abs(data[i]!) * 2 ** -11))
      )
    }))
  })
})
