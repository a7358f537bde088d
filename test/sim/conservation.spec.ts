import { expect } from 'chai'
import fc from 'fast-check'
import { ProtocolError } from '../../src/errors.ts'
import { land } from '../../src/gossip-aggregation/landing.ts'
import { clippedAndNoised } from '../../src/privacy/clip-and-noise.ts'
import { secretNormal } from '../../src/privacy/secret-noise.ts'
import { BOUNDARIES, createSite, nextId, runExchange, weightedSum, type SimulatedSite } from './site.ts'

const SIZE = 5
const vector = fc.float32Array({ minLength: SIZE, maxLength: SIZE, min: -100, max: 100, noNaN: true })
const mass = fc.double({ min: 0.5, max: 500, noNaN: true })

/** Float32 rounding of either side's x, weighted. */
function expectConserved (after: number[], before: number[], sites: readonly SimulatedSite[]): void {
  const tolerance = 1e-4 * sites.reduce((sum, { averager }) => sum + averager.mass, 0)
  after.forEach((value, index) => {
    expect(value).to.be.closeTo(before[index]!, tolerance)
  })
}

describe('conservation of Σw·x', () => {
  it('holds for any vectors, unequal masses and any clipping, and both ends report the same distance', async () => {
    await fc.assert(
      fc.asyncProperty(vector, vector, mass, mass, fc.double({ min: 0.01, max: 300, noNaN: true }), async (x, y, v, w, clipRadius) => {
        const sites = [createSite('a', x, { mass: v, settings: { clipRadius } }), createSite('b', y, { mass: w })] as const
        const before = weightedSum(sites)
        const outcome = await runExchange(sites[0], sites[1])
        if (outcome == null || 'refused' in outcome) throw new Error('it did not happen')
        expectConserved(weightedSum(sites), before, sites)
        expect(outcome.initiator.distance).to.equal(outcome.responder.distance)
        expect(outcome.initiator.clipped).to.equal(outcome.responder.clipped)
        if (outcome.initiator.clipped) return
        sites[0].averager.values.forEach((value, index) => {
          expect(value).to.be.closeTo((v * x[index]! + w * y[index]!) / (v + w), 1e-4)
        })
      })
    )
  })

  it('moves by exactly the training that lands at any moment of an exchange', async () => {
    await fc.assert(
      fc.asyncProperty(
        vector,
        vector,
        vector,
        mass,
        mass,
        fc.constantFrom(...BOUNDARIES),
        fc.constantFrom(0, 1),
        async (x, y, step, v, w, boundary, who) => {
          const sites = [createSite('a', x, { mass: v }), createSite('b', y, { mass: w })] as const
          const before = weightedSum(sites)
          const { averager } = sites[who]
          let landed = false
          await runExchange(sites[0], sites[1], {
            before: (name) => {
              if (landed || name !== boundary) return
              const start = averager.snapshot()
              averager.land(start, start.map((value, index) => value + step[index]!), 1)
              landed = true
            }
          })
          expect(landed).to.equal(true)
          expectConserved(
            weightedSum(sites),
            before.map((value, index) => value + averager.mass * step[index]!),
            sites
          )
        }
      )
    )
  })

  it('moves by exactly what lands of training that a site weighs, whatever the weight, and not by what was trained', async () => {
    const weight = fc.double({ min: -10, max: 100, noNaN: true })
    await fc.assert(fc.asyncProperty(vector, vector, vector, mass, mass, weight, async (x, y, step, v, w, factor) => {
      const sites = [createSite('a', x, { mass: v }), createSite('b', y, { mass: w })] as const
      const [before, { averager }] = [weightedSum(sites), sites[0]]
      const start = averager.snapshot()
      await runExchange(sites[0], sites[1], {
        before: (name) => {
          if (name === 'verify') land(averager, { before: start, after: start.map((value, i) => value + step[i]!), round: 1, factor })
        }
      })
      const scale = Math.min(4, Math.max(0.25, factor))
      expectConserved(weightedSum(sites), before.map((value, i) => value + averager.mass * scale * step[i]!), sites)
    }))
  })

  it('moves by exactly what was noised, where privacy is promised, and not by what was trained', async () => {
    await fc.assert(fc.asyncProperty(vector, vector, vector, mass, mass, async (x, y, step, v, w) => {
      const sites = [createSite('a', x, { mass: v }), createSite('b', y, { mass: w })] as const
      const [before, { averager }] = [weightedSum(sites), sites[0]]
      let landed: Float32Array = new Float32Array()
      const hide = (delta: Float32Array): Float32Array => {
        landed = clippedAndNoised(delta, { clip: 2, noise: 3, normal: secretNormal() })
        return landed
      }
      const start = averager.snapshot()
      await runExchange(sites[0], sites[1], {
        before: (name) => {
          if (name === 'verify') land(averager, { before: start, after: start.map((value, i) => value + step[i]!), round: 1, hide })
        }
      })
      expect(landed).to.have.length(SIZE)
      expectConserved(weightedSum(sites), before.map((value, i) => value + averager.mass * landed[i]!), sites)
    }))
  })

  it('holds per number where clusters average some of them apart: within a cluster alone they move', async () => {
    const SCOPED = [{ begin: 0, end: 1 }, { begin: 2, end: 4 }] as const
    const isScoped = (index: number): boolean => SCOPED.some(({ begin, end }) => begin <= index && index < end)
    const cluster = fc.constantFrom('aa', 'bb', undefined)
    const clip = fc.double({ min: 0.01, max: 300, noNaN: true })
    await fc.assert(fc.asyncProperty(vector, vector, mass, mass, cluster, cluster, clip, async (x, y, v, w, one, other, clipRadius) => {
      const stated = (scope: string | undefined): object => ({ scoped: SCOPED, ...(scope == null ? {} : { scope }) })
      const sites = [
        createSite('a', x, { ...stated(one), mass: v, settings: { clipRadius } }), createSite('b', y, { ...stated(other), mass: w })
      ] as const
      const before = weightedSum(sites)
      const outcome = await runExchange(sites[0], sites[1])
      if (outcome == null || 'refused' in outcome) throw new Error('it did not happen')
      expectConserved(weightedSum(sites), before, sites)
      expect(outcome.initiator.distance).to.equal(outcome.responder.distance)
      const isOne = one != null && one === other
      for (const [index, value] of sites[0].averager.values.entries()) {
        if (isScoped(index) && !isOne) expect(value).to.equal(x[index])
        else if (!outcome.initiator.clipped) expect(value).to.be.closeTo((v * x[index]! + w * y[index]!) / (v + w), 1e-4)
      }
    }))
  })

  it('is the same bit for bit for sites of one cluster as for sites that have none', async () => {
    await fc.assert(fc.asyncProperty(vector, vector, mass, mass, async (x, y, v, w) => {
      const results: Float32Array[] = []
      for (const scope of [{}, { scoped: [{ begin: 1, end: 3 }], scope: 'aa' }]) {
        const sites = [createSite('a', x, { mass: v, ...scope }), createSite('b', y, { mass: w, ...scope })] as const
        await runExchange(sites[0], sites[1])
        results.push(...sites.map(({ averager }) => averager.values))
      }
      expect(results.slice(0, 2)).to.deep.equal(results.slice(2))
    }))
  })

  it('lets a site that takes another over, and knows no cluster, take all, and one of another cluster what is common', async () => {
    const scoped = [{ begin: 1, end: 3 }]
    for (const scope of [undefined, 'aa']) {
      const late = createSite('a', Float32Array.of(0, 0, 0, 0), { scoped, ...(scope == null ? {} : { scope }) })
      const ahead = createSite('b', Float32Array.of(1, 2, 3, 4), { scoped, scope: 'bb', round: 9 })
      await runExchange(late, ahead, { catchUp: true })
      expect([...late.averager.values], String(scope)).to.deep.equal(scope == null ? [1, 2, 3, 4] : [1, 0, 0, 4])
      expect([...ahead.averager.values], String(scope)).to.deep.equal([1, 2, 3, 4])
    }
  })

  it('refuses a scope that is no digest', async () => {
    const scoped = [{ begin: 0, end: 1 }]
    const sites = [createSite('a', new Float32Array(4), { scoped, scope: 'all' }), createSite('b', new Float32Array(4))]
    let thrown: unknown
    await runExchange(sites[0]!, sites[1]!).catch((error: unknown) => { thrown = error })
    expect(thrown).to.be.instanceOf(ProtocolError)
  })

  for (const loseAt of BOUNDARIES) {
    const end = loseAt === 'committed' ? 'the initiator is in doubt and says so' : 'nothing has changed on either side'
    it(`when everything is lost from "${loseAt}" on: ${end}`, async () => {
      await fc.assert(
        fc.asyncProperty(vector, vector, mass, mass, async (x, y, v, w) => {
          const sites = [createSite('a', x, { mass: v }), createSite('b', y, { mass: w })] as const
          expect(await runExchange(sites[0], sites[1], { loseAt })).to.equal(undefined)
          expect([...sites[0].averager.values]).to.deep.equal([...x])
          expect(sites[0].averager.exchanges).to.equal(0)
          expect(sites[0].averager.inDoubt).to.equal(['commit', 'committed'].includes(loseAt) ? 1 : 0)
          if (loseAt !== 'committed') expect([...sites[1].averager.values]).to.deep.equal([...y])
          expect(sites[1].averager.exchanges).to.equal(loseAt === 'committed' ? 1 : 0)
          expect(sites.map(({ averager }) => averager.busy)).to.deep.equal([false, false])
        }),
        { numRuns: 20 }
      )
    })
  }

  it('is not touched by refusals', async () => {
    const busy = createSite('b', new Float32Array(SIZE))
    const other = createSite('a', new Float32Array(SIZE).fill(1))
    const { exchange } = busy.averager.offer('c', nextId())
    expect(await runExchange(other, busy)).to.deep.equal({ refused: 'BUSY' })
    exchange.abort()
    busy.averager.paused = true
    expect(await runExchange(other, busy)).to.deep.equal({ refused: 'PAUSED' })
    busy.averager.paused = false
    busy.averager.land(busy.averager.snapshot(), busy.averager.snapshot(), 4)
    expect(await runExchange(other, busy)).to.deep.equal({ refused: 'STALE' })
    expect(await runExchange(other, createSite('d', new Float32Array(SIZE + 1)))).to.deep.equal({ refused: 'SCHEMA' })
    expect(weightedSum([other, busy])).to.deep.equal(new Array(SIZE).fill(1))
  })
})
