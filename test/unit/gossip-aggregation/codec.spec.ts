import { expect } from 'chai'
import fc from 'fast-check'
import { blockNoise, CodecChoice, noiseOf } from '../../../src/gossip-aggregation/codecs/codec-choice.ts'
import { chunksOf, CODECS, coderOf, finer, type Codec } from '../../../src/gossip-aggregation/codecs/codec.ts'
import { createSite, runExchange, seeded, type SimulatedSite } from '../../sim/site.ts'

const vectors = fc.float32Array({ minLength: 1, maxLength: 600, noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })

function decoded (codec: Codec, values: Float32Array): Float32Array {
  return coderOf(codec).decode(coderOf(codec).encode(values.slice()).slice(), values.length).slice()
}

describe('codecs', () => {
  for (const codec of CODECS) {
    it(`${codec}: the sender keeps what the receiver reads, bit for bit, in as many bytes as were announced`, () => {
      fc.assert(fc.property(vectors, (values) => {
        const kept = values.slice()
        const bytes = coderOf(codec).encode(kept)
        expect(bytes.length).to.equal(coderOf(codec).bytesOf(values.length))
        expect([...coderOf(codec).decode(bytes.slice(), values.length)]).to.deep.equal([...kept])
      }))
    })
  }

  it('q6, q8 and q16 err by at most half a step of their block, f16 by half a unit in the last place, f32 not at all', () => {
    fc.assert(fc.property(vectors, (values) => {
      for (const [codec, levels] of [['q6', 63], ['q8', 255], ['q16', 65_535]] as const) {
        decoded(codec, values).forEach((value, index) => {
          const block = values.subarray(index - index % 256, index - index % 256 + 256)
          const range = Math.max(...block) - Math.min(...block)
          expect(Math.abs(value - values[index]!)).to.be.at.most(0.502 * range / levels + 2e-7 * Math.max(...block.map(Math.abs)) + 1e-38)
        })
      }
      decoded('f16', values.map((value) => value / 100)).forEach((value, index) => {
        const exact = Math.fround(values[index]! / 100)
        expect(Math.abs(value - exact)).to.be.at.most(Math.max(Math.abs(exact) * 2 ** -11, 2 ** -25))
      })
      expect([...decoded('f32', values)]).to.deep.equal([...values])
    }))
  })

  it('f16 rounds to nearest even, keeps subnormals and signs, and saturates', () => {
    const values = Float32Array.of(1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -24, 2 ** -25, 1.5 * 2 ** -24, -0, 65_504, 65_519, 1e9, -1e9)
    expect([...decoded('f16', values)]).to.deep.equal([1, 1, 1 + 2 ** -9, 2 ** -24, 0, 2 ** -23, -0, 65_504, 65_504, 65_504, -65_504])
  })

  it('an offset that a block shares costs no precision', () => {
    const values = Float32Array.from({ length: 512 }, (_, index) => Math.sin(index))
    const error = (offset: number): number =>
      Math.max(
        ...decoded('q8', values.map((value) => value + offset)).map((value, index) =>
          Math.abs(value - Math.fround(values[index]! + offset))
        )
      )
    expect(error(100)).to.be.below(1.01 * error(0) + 1e-5)
  })

  it('chunks follow from size and codec alone, cover all without gap, and hold at most 256 KiB', () => {
    for (const codec of CODECS) {
      const chunks = chunksOf(1_000_000, codec)
      expect([chunks[0]!.begin, chunks.at(-1)!.end]).to.deep.equal([0, 1_000_000])
      chunks.slice(1).forEach(({ begin }, index) => { expect(begin).to.equal(chunks[index]!.end) })
      for (const { begin, end, bytes } of chunks) {
        expect(bytes).to.equal(coderOf(codec).bytesOf(end - begin))
        expect(bytes).to.be.at.most(262_144)
      }
    }
  })
})

describe('automatic choice of codec', () => {
  const values = Float32Array.from({ length: 2_560 }, (_, index) => Math.sin(index))
  const noise = blockNoise(values)

  it('predicts the error of the block codecs, also from some blocks only', () => {
    for (const codec of ['q6', 'q8', 'q16'] as const) {
      const squares = decoded(codec, values).reduce((sum, value, index) => sum + (value - values[index]!) ** 2, 0)
      expect(Math.sqrt(2 * squares) / noiseOf(codec, noise)).to.be.within(0.9, 1.1)
    }
    expect(blockNoise(values, 3) / noise).to.be.within(0.8, 1.4)
    expect([noiseOf('f32', noise), noiseOf('f16', noise)]).to.deep.equal([0, 0])
  })

  it('begins with q6, goes up as the distance comes near the error, and back when training moves x', () => {
    const choice = new CodecChoice('auto')
    expect(choice.want()).to.equal('q6')
    const wants = [1, 5, 10, 1e3, 1e6].map((part) => {
      choice.observed(100 * noiseOf('q8', noise) / part, noise)
      return choice.want()
    })
    expect(wants).to.deep.equal(['q6', 'q6', 'q8', 'q16', 'f32'])
    choice.moved(1)
    expect(choice.want()).to.equal('q8')
    choice.moved(10)
    expect(choice.want()).to.equal('q6')
  })

  it('wants q16 at least once nobody trains any more, unless another codec is set', () => {
    const choice = new CodecChoice('auto')
    expect(choice.want(true)).to.equal('q16')
    choice.observed(1, noise)
    choice.observed(1e-9, noise)
    expect([choice.want(), choice.want(true)]).to.deep.equal(['f32', 'q16'])
    choice.observed(1e-9, noise)
    expect(choice.want(true)).to.equal('f32')
    expect(new CodecChoice('q8').want(true)).to.equal('q8')
  })

  it('has no use for f16: q16 takes 1.6 % more bytes and errs less than a quarter as much, whatever the numbers have in common', () => {
    const random = seeded(6)
    for (const offset of [0, 10]) {
      const drawn = Float32Array.from({ length: 25_600 }, () => offset + random() + random() + random() - 1.5)
      const error = (codec: Codec): number =>
        Math.sqrt(decoded(codec, drawn).reduce((sum, value, index) => sum + (value - drawn[index]!) ** 2, 0))
      expect(error('q16') / error('f16')).to.be.below(0.25)
    }
    expect(coderOf('q16').bytesOf(25_600) / coderOf('f16').bytesOf(25_600)).to.be.closeTo(1.0156, 1e-4)
  })

  it('stays with f32 between sites that are near one another', async () => {
    const random = seeded(7)
    const drawn = Float32Array.from({ length: 2_000 }, () => random() - 0.5)
    const [one, other] = ['a', 'b'].map((id, index) =>
      createSite(id, drawn.map((value) => value + index * 1e-6), { settings: { codec: 'auto' } })
    ) as [SimulatedSite, SimulatedSite]
    const codecs: unknown[] = []
    for (let i = 0; i < 5; i++) {
      const result = await runExchange(one, other)
      codecs.push(result != null && 'initiator' in result ? result.initiator.codec : result)
    }
    expect(codecs).to.deep.equal(['q6', 'f32', 'f32', 'f32', 'f32'])
  })

  it('keeps to a codec that is set', () => {
    const choice = new CodecChoice('f16')
    choice.observed(0, 1)
    expect([choice.want(), choice.can]).to.deep.equal(['f16', ['f16']])
    expect([finer('q8', 'q16'), finer('f32', 'q8'), finer('q16', 'f16'), finer('q6', 'q8')]).to.deep.equal(['q16', 'f32', 'q16', 'q8'])
  })
})
