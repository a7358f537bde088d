import { expect } from 'chai'
import { drained } from '../../../src/common/slices.ts'
import { releaseFacts, type Facts } from '../../../src/gossip-aggregation/facts.ts'
import { clusterFacts, MOST_CENTRES } from '../../../src/gossip-aggregation/mixing/cluster-facts.ts'
import { siteClusters, type SiteClusters, type SiteClustersInit } from '../../../src/rounds/site-clusters.ts'
import { defaultAveraging } from '../../../src/settings/averaging.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'

const averaging = defaultAveraging({ coolDownSeconds: 1 })
const CLUSTERS = { count: 2, own: ['^x$'], neighbours: 3, projection: 2, minimum: 5 }

/** A site whose patients are all about one point. */
function told (x: number, y: number): Facts {
  const centres = new Float32Array(MOST_CENTRES * CLUSTERS.projection)
  centres.set([x, y])
  return { centres, shares: Float32Array.of(1, 0, 0, 0), graph: new Float32Array(MOST_CENTRES ** 2) }
}

const ALL: Readonly<Record<string, Facts>> = {
  a: told(0, 0), b: told(0.01, 0), c: told(0.9, 0), d: told(0.9, 0.01), e: told(0, 0.02), f: told(0.92, 0)
}

function announced (facts: Facts): Float32Array {
  return releaseFacts(clusterFacts(CLUSTERS), facts)!.values
}

function siteOf (
  self: string,
  init: Partial<SiteClustersInit> = {},
  clusters: MethodSettings['clusters'] = CLUSTERS
): SiteClusters | undefined {
  return siteClusters({ method: { clusters }, averaging, training: {} }, {
    self,
    own: () => ALL[self],
    heard: () => new Map(Object.entries(ALL).flatMap(([id, facts]) => id === self ? [] : [[id, announced(facts)] as const])),
    drive: drained,
    ...init
  })
}

describe('clusters at a site', () => {
  it('have the same digest at all their sites, and another one elsewhere', () => {
    const mates: Record<string, string> = { a: 'b', b: 'e', c: 'd', d: 'f', e: 'a', f: 'c' }
    const scopes = Object.keys(ALL).map((id) => siteOf(id)!.scopeWith(mates[id]!))
    expect(scopes[0]).to.match(/^[0-9a-f]{16}$/)
    expect(scopes).to.deep.equal(['a', 'a', 'c', 'c', 'a', 'c'].map((id) => siteOf(id)!.scopeWith(mates[id]!)))
    expect(new Set(scopes).size).to.equal(2)
    expect(siteOf('a')!.members).to.deep.equal(['a', 'b', 'e'])
    expect(siteOf('a')!.scopeWith('c'), 'nobody else is told').to.equal(undefined)
    expect(siteOf('a')!.affinity!('b')).to.be.closeTo(1, 1e-6)
    expect(siteOf('a')!.affinity!('c')).to.be.closeTo(0.1 / 1.1, 1e-6)
  })

  it('are none before a site has told anything, nor of one that never does, to which all are alike', () => {
    const site = siteOf('new', { own: () => undefined })!
    expect([site.scopeWith('a'), site.members]).to.deep.equal([undefined, undefined])
    expect(site.affinity!('a')).to.equal(site.affinity!('c'))
  })

  it('follow who is there', () => {
    let heard = new Map([['b', announced(ALL['b']!)], ['silent', undefined]])
    const site = siteOf('a', { heard: () => heard }, { ...CLUSTERS, count: 'auto' })!
    expect(site.members).to.deep.equal(['a', 'b'])
    const before = site.scopeWith('b')
    heard = new Map([...heard, ['e', announced(ALL['e']!)]])
    expect(site.members).to.deep.equal(['a', 'b', 'e'])
    expect(site.scopeWith('b')).to.not.equal(before)
  })

  it('are as before until they are reckoned anew', async () => {
    const done = Promise.withResolvers<void>()
    const site = siteOf('a', {
      drive: async (slices) => {
        await done.promise
        return drained(slices)
      }
    })!
    expect(site.scopeWith('b')).to.equal(undefined)
    done.resolve()
    await new Promise((resolve) => { setImmediate(resolve) })
    expect(site.scopeWith('b')).to.equal(siteOf('a')!.scopeWith('b'))
  })

  it('do not exist where all are one', () => {
    expect(siteOf('a', {}, { ...CLUSTERS, count: 1 })).to.equal(undefined)
    const init = { self: 'a', own: () => undefined, heard: () => new Map(), drive: drained }
    expect(siteClusters({ averaging, training: {} }, init)).to.equal(undefined)
  })
})
