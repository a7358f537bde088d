import { expect } from 'chai'
import { CODECS, type Codec } from '../../../src/gossip-aggregation/codecs/codec.ts'
import { heldBytes } from '../../sim/held-bytes.ts'
import { createSite, runExchange, type Boundary, type SimulatedSite } from '../../sim/site.ts'

/** P. */
const SIZE = 2 ** 20
const MOST = 3
/** What is held between exchanges. */
const MOST_KEPT = 2
/** Code words beside the headers, and objects of other kinds. */
const SLACK = 0.1
/** Vectors and codes of one side: its own (but with f32, which sends x itself), d, and the codes. */
const EXPECTED: Readonly<Record<Codec, number>> = { q6: 2.2, q8: 2.26, f16: 2.5, q16: 2.51, f32: 1 }

function twoSites (codec: Codec | 'auto', far: number): [SimulatedSite, SimulatedSite] {
  const site = (id: string, factor: number): SimulatedSite =>
    createSite(id, Float32Array.from({ length: SIZE }, (_, index) => factor * (1 + index % 100)), { settings: { codec } })
  return [site('a', 1), site('b', 1 + far)]
}

/** Both train: the array that training worked on is gone as soon as it has landed. */
function land ({ averager }: SimulatedSite): void {
  averager.land(averager.snapshot(), averager.snapshot().map((value) => value + 1), averager.round)
}

/** Arrays of P floats, per side, that there are beside x: the most at any boundary of one exchange, and after it. */
async function arraysTaken (
  sites: readonly [SimulatedSite, SimulatedSite],
  { before, trainAt }: { before: number, trainAt?: Boundary }
): Promise<{ peak: number, kept: number, codec: Codec }> {
  const inArrays = (): number => (heldBytes() - before) / (sites.length * 4 * SIZE)
  let peak = 0
  let hasTrained = false
  const result = await runExchange(sites[0], sites[1], {
    before: (boundary) => {
      if (boundary === trainAt && !hasTrained) {
        sites.forEach(land)
        hasTrained = true
      }
      peak = Math.max(peak, inArrays())
    }
  })
  if (result == null || 'refused' in result) throw new Error('it did not happen')
  return { peak, kept: inArrays(), codec: result.initiator.codec }
}

describe('memory of one exchange', function () {
  this.timeout(30_000)

  for (const codec of CODECS) {
    it(`${codec}: at most ${MOST} arrays of the adapter's size beside it, training that lands meanwhile included`, async () => {
      const sites = twoSites(codec, 1)
      const before = heldBytes()
      const calm = await arraysTaken(sites, { before })
      expect(calm.peak).to.be.closeTo(EXPECTED[codec], SLACK)
      const landing = await arraysTaken(sites, { before, trainAt: 'vectors' })
      expect(landing.peak).to.be.closeTo(EXPECTED[codec] + (codec === 'f32' ? 1 : 0), SLACK)
      for (const { peak, kept } of [calm, landing]) {
        expect(peak).to.be.below(MOST)
        expect(kept).to.be.below(MOST_KEPT + SLACK)
      }
    })
  }

  it('auto: no more with the first exchange in f32, when the arrays of the last one in q6 are still there', async () => {
    const sites = twoSites('auto', 0)
    const before = heldBytes()
    expect(await arraysTaken(sites, { before })).to.include({ codec: 'q6' })
    const { codec, peak } = await arraysTaken(sites, { before, trainAt: 'vectors' })
    expect(codec).to.equal('f32')
    expect(peak).to.be.closeTo(MOST, SLACK)
  })

  it('f32: one more, a copy of x, when a checkpoint is being written at the commit', async () => {
    const sites = twoSites('f32', 1)
    const before = heldBytes()
    const writing = Promise.withResolvers<void>()
    const saved = sites[0].averager.hold(async ({ values }) => {
      const [first] = values
      await writing.promise
      expect(values[0]).to.equal(first)
    })
    const value = sites[0].averager.values[0]
    const result = await runExchange(sites[0], sites[1])
    expect(result).to.not.have.property('refused')
    expect(sites[0].averager.values[0]).to.not.equal(value)
    // d of either side, and x as it was.
    expect((heldBytes() - before) / (4 * SIZE)).to.be.closeTo(3, SLACK)
    writing.resolve()
    await saved
  })
})
