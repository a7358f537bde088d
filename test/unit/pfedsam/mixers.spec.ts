import { expect } from 'chai'
import fc from 'fast-check'
import { createSchema } from '../../../src/adapter/schema.ts'
import { GossipMixer } from '../../../src/experiment/gossip-mixer.ts'
import { NoMixer, ServerMixer, weightedMean } from '../../../src/experiment/mixers.ts'
import { chunksOf } from '../../../src/gossip-aggregation/codecs/codec.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'

const schema = createSchema({
  model: 'm',
  baseHash: '0',
  tensors: [{ name: 'image_encoder.a', shape: [300], role: 'lora' }, { name: 'mask_decoder.b', shape: [2, 100], role: 'decoder' }]
})
const averaging = defaultAveraging({ coolDownSeconds: 1 })

function vectors (count: number, seed = 1): Float32Array[] {
  return Array.from(
    { length: count },
    (_, site) => Float32Array.from({ length: schema.size }, (_unused, i) => Math.sin(seed * 17 + site * 3.1 + i * (site + 1)))
  )
}

function largest (a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)))
}

describe('how adapters come together', () => {
  it('without mixing everybody keeps a copy of his own', async () => {
    const trained = vectors(3)
    const mixed = await new NoMixer(3).mix(1, trained)
    expect(mixed).to.deep.equal(trained)
    expect(mixed[0]).to.not.equal(trained[0])
  })

  it('a server gives all the mean by mass, in any order of the sites', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 2, maxLength: 5 }), async (masses) => {
        const trained = vectors(masses.length)
        const mixed = await new ServerMixer({ schema, initial: new Float32Array(schema.size), masses }).mix(1, trained)
        const total = masses.reduce((sum, mass) => sum + mass, 0)
        const expected = Array.from({ length: schema.size }, (_, i) =>
          trained.reduce((sum, vector, site) => sum + masses[site]! * vector[i]!, 0) / total)
        for (const each of mixed) {
          expect(largest(each, expected)).to.be.lessThan(1e-6)
        }
        const backwards = new ServerMixer({ schema, initial: new Float32Array(schema.size), masses: masses.toReversed() })
        const reversed = await backwards.mix(1, trained.toReversed())
        expect(largest(reversed[0]!, mixed[0]!)).to.be.lessThan(1e-6)
      }),
      { numRuns: 30 }
    )
  })

  it('identical adapters stay as they are', async () => {
    const [one] = vectors(1)
    const mixed = await new ServerMixer({ schema, initial: new Float32Array(schema.size), masses: [3, 5] }).mix(1, [one!, one!.slice()])
    expect(largest(mixed[0]!, one!)).to.be.lessThan(1e-7)
  })

  for (const sites of [2, 4, 6]) {
    it(`gossip among ${sites} keeps the mean and comes close to it; the cool-down closer`, async () => {
      const masses = Array.from({ length: sites }, (_, site) => 10 + 5 * site)
      const mixer = new GossipMixer({
        schema,
        initial: new Float32Array(schema.size),
        masses,
        averaging: { ...averaging, initiationsPerRound: 2 },
        seed: 1
      })
      const trained = vectors(sites)
      const mean = weightedMean(trained, masses)
      const mixed = await mixer.mix(1, trained)
      expect(largest(weightedMean(mixed, masses), mean)).to.be.lessThan(1e-5)
      const before = Math.max(...trained.map((each) => largest(each, mean)))
      expect(Math.max(...mixed.map((each) => largest(each, mean)))).to.be.lessThan(0.3 * before)
      const cooled = await mixer.finish()
      expect(mixer.distance).to.be.at.most(averaging.coolDown.distance)
      expect(largest(weightedMean(cooled, masses), mean)).to.be.lessThan(1e-5)
    })
  }

  it('sealed gossip conserves the weighted mean too, and groups carry what was trained', async () => {
    const masses = [3, 1, 20, 7, 2]
    const sealed = { ...averaging, secure: { mode: 'sealed' as const } }
    const mixer = new GossipMixer({ schema, initial: new Float32Array(schema.size), masses, averaging: sealed, seed: 1 })
    const trained = vectors(masses.length)
    const mean = weightedMean(trained, masses)
    const mixed = await mixer.mix(1, trained)
    expect(largest(weightedMean(mixed, masses), mean)).to.be.lessThan(1e-5)
    for (const each of mixed) expect(largest(each, mean)).to.be.lessThan(1e-4)
  })

  it('gossip repeats exactly from its seed', async () => {
    const run = async (seed: number): Promise<Float32Array[]> =>
      await new GossipMixer({ schema, initial: new Float32Array(schema.size), masses: [1, 1, 1, 1, 1, 1], averaging, seed }).mix(
        1,
        vectors(6)
      )
    expect(await run(1)).to.deep.equal(await run(1))
    expect(await run(2)).to.not.deep.equal(await run(1))
  })

  it('gossip counts the bytes of the codec for every exchange of a site', async () => {
    const mixer = new GossipMixer({
      schema,
      initial: new Float32Array(schema.size),
      masses: [1, 1],
      averaging: { ...averaging, codec: 'f16' },
      seed: 1
    })
    await mixer.mix(1, vectors(2))
    const once = chunksOf(schema.size, 'f16').reduce((sum, { bytes }) => sum + bytes, 0)
    const [first, second] = mixer.bytesSent
    expect(first! % once).to.equal(0)
    expect(first! / once).to.be.within(2, 8)
    expect(second).to.equal(first)
  })
})
