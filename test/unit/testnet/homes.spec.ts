import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { readHome } from '../../../scripts/testnet/hospitals/homes.ts'
import { exactConsensus } from '../../../scripts/testnet/report/exact-consensus.ts'
import { createSchema } from '../../../src/adapter/schema.ts'
import { AdapterStore } from '../../../src/home/adapter-store.ts'
import { writeJson } from '../../../src/home/files.ts'
import { MetricsLog } from '../../../src/home/metrics-log.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { homeResult, round, START, summary, vector } from './fixtures.ts'

const schema = createSchema({
  model: 'tiny',
  baseHash: 'base',
  tensors: [{ name: 'z.lora_A', shape: [1, 2], role: 'lora' }, { name: 'a.lora_B', shape: [1, 1], role: 'lora' }]
})
const secondsOf = (t: string): number => (Date.parse(t) - START) / 1000

describe('a home', () => {
  let home: string
  beforeEach(async () => { home = await mkdtemp(join(tmpdir(), 'home-')) })
  afterEach(async () => { await rm(home, { recursive: true }) })

  it('is read as the daemon wrote it', async () => {
    const paths = sitePaths(home)
    const store = new AdapterStore({ paths, schema, now: () => START })
    await store.saveInitial(vector(0, 0, 0))
    await store.saveRound({ values: vector(1, 2, 3), round: 1, weight: 5 })
    await store.saveRound({ values: vector(2, 3, 4), round: 2, weight: 5 })
    await store.save({
      values: vector(3, 4, 5),
      round: 2,
      weight: 5,
      notes: { included: [], learnt: { clip: { radius: 1, recent: [] }, distance: null } }
    })
    const metrics = await MetricsLog.open(paths.metrics)
    await metrics.append(round(1))
    await writeJson(paths.summary, summary('a'))
    const result = await readHome(home)
    expect(result.summary?.dice?.personal).to.equal(0.9)
    expect(result.rounds.map((each) => each.round)).to.deep.equal([1])
    expect([...result.byRound]).to.deep.equal([[1, vector(1, 2, 3)], [2, vector(2, 3, 4)]])
    expect(result.final).to.deep.equal(vector(3, 4, 5))
  })

  it('of a hospital that was killed early may be empty', async () => {
    expect(await readHome(home)).to.deep.equal({ summary: undefined, rounds: [], initial: undefined, byRound: new Map(), final: undefined })
  })

  it('with a broken summary is named', async () => {
    await writeFile(sitePaths(home).summary, '{"name":"a"}')
    const error = await readHome(home).then(() => undefined, (reason: unknown) => reason as Error)
    expect(error?.message).to.include('is not a summary: peerId')
  })
})

describe('exact consensus', () => {
  it('is the spread relative to the way from the start, per round and at the end', () => {
    const one = homeResult('a', { byRound: new Map([[1, vector(1, 0)]]), final: vector(3, 4) })
    const two = homeResult('b', { byRound: new Map([[1, vector(3, 0)]]), final: vector(3, 4) })
    const points = exactConsensus([{ result: one, finished: true }, { result: two, finished: true }], secondsOf, 42)
    // Mean (2, 0): both sites are 1 away from it, and it is 2 away from the start.
    expect(points).to.deep.equal([{ t: 10, round: 1, sites: 2, distance: 0.5 }, { t: 42, round: null, sites: 2, distance: 0 }])
  })

  it('counts at the end only those that finished', () => {
    const far = homeResult('b', { final: vector(-100, 0) })
    const sites = [{ result: homeResult('a'), finished: true }, { result: far, finished: false }, {
      result: homeResult('c'),
      finished: true
    }]
    const end = exactConsensus(sites, secondsOf, 42).at(-1)
    expect(end).to.deep.equal({ t: 42, round: null, sites: 2, distance: 0 })
  })

  it('says nothing about a single site or none', () => {
    expect(exactConsensus([{ result: homeResult('a'), finished: true }], secondsOf, 1)).to.deep.equal([])
    expect(exactConsensus([], secondsOf, 1)).to.deep.equal([])
  })
})
