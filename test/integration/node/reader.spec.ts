import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { readFloatTensors } from '../../../src/adapter/safetensors.ts'
import type { MemberView } from '../../../src/federation/membership/members-view.ts'
import { MetricsLog } from '../../../src/home/metrics-log.ts'
import { fetchControl } from '../../../src/node/control/client.ts'
import type { PeerView } from '../../../src/rounds/status.ts'
import { Sites } from './sites.ts'

const ROUNDS = 4
const STEPS = { a: 1, b: 3 }

describe('a site without labels beside two that train', function () {
  this.timeout(240_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  async function adapterOf (name: string): Promise<number[]> {
    const { tensors } = readFloatTensors(await readFile(sites.paths(name).adapter))
    return [...tensors.get('lora.a')!.data]
  }

  /** The reader as site a has it, once a has heard of it. */
  async function shown<T extends { reads?: true }> (route: '/peers' | '/members'): Promise<T> {
    const until = Date.now() + 120_000
    while (Date.now() < until) {
      const all = await fetchControl<T[]>(sites.paths('a').home, route).catch((): T[] => [])
      const reader = all.find(({ reads }) => reads === true)
      if (reader != null) return reader
      await sleep(50)
    }
    throw new Error('a never heard of it')
  }

  it('joins while they train, reads, moves neither, and fits what stays with it at the end', async () => {
    sites = await Sites.create(['a', 'b', 'c'], { rounds: ROUNDS, codec: 'f32' })
    const a = sites.daemon('a', { manners: { step: STEPS.a, delayMs: 3_000 } }).run()
    const bootstrap = (await sites.statusOf('a', ({ addresses }) => addresses.length > 0)).addresses
    const b = sites.daemon('b', { manners: { step: STEPS.b, delayMs: 3_000 }, bootstrap }).run()
    await sites.statusOf('b', ({ round, exchanges }) => round > 0 && exchanges > 0)
    const diary = join(sites.folder, 'diary')
    const c = sites.daemon('c', { manners: { diary }, bootstrap, settings: { withoutLabels: true } }).run()
    const status = await sites.statusOf('c', ({ exchanges, peers }) => exchanges > 0 && peers === 2)
    expect(status).to.include({ reads: true, phase: 'reading' }).and.not.have.any.keys('dice', 'steps', 'images')
    const seen = await shown<PeerView>('/peers')
    expect(seen).to.include({ reads: true }).and.not.have.any.keys('dice', 'steps')
    expect(await shown<MemberView>('/members')).to.include({ name: 'c', reads: true })
    await Promise.all([a, b, c])

    const [ofA, ofB, ofC] = [await adapterOf('a'), await adapterOf('b'), await adapterOf('c')]
    // Equal masses: the two have moved by the mean of their own steps, and by nothing else.
    const mean = ROUNDS * (STEPS.a + STEPS.b) / 2
    for (let i = 0; i < 8; i++) expect((ofA[i]! + ofB[i]!) / 2).to.be.closeTo(i / 8 + mean, 1e-4)
    ofC.forEach((value, i) => { expect(value).to.be.closeTo(i / 8 + mean, 0.5) })

    const [first, reader] = [await sites.summary('a'), await sites.summary('c')]
    expect(first.dice).to.include({ personal: 0.7 })
    expect(first.steps.arrived).to.equal(first.steps.trained)
    expect(first.exchanges).to.equal((await sites.summary('b')).exchanges)
    expect(reader).to.include({ reads: true, rounds: ROUNDS, inDoubt: 0 }).and.not.have.any.keys('dice', 'classes')
    expect(reader.steps).to.deep.equal({ trained: 0, arrived: 0, lost: 0 })
    const { records } = await MetricsLog.open(sites.paths('c').metrics)
    expect(records.at(-1)).to.include({ round: ROUNDS, lossG: null, lossL: null }).and.not.have.any.keys('dice', 'steps')
    // As often as the others fitted theirs, and once to the adapter that is left; never what travels.
    const lines = (await readFile(diary, 'utf8')).trim().split('\n')
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).to.deep.equal(
      Array.from({ length: ROUNDS + 1 }, (_, nth) => `phaseL ${ROUNDS + nth + 1}`))
  })

  it('is none in a home that has trained with labels', async () => {
    sites = await Sites.create(['a'], { rounds: 1 })
    await sites.daemon('a', { alone: true }).run()
    const error = await sites.daemon('a', { settings: { withoutLabels: true } }).run().catch((thrown: unknown) => thrown)
    expect((error as Error).message).to.include('has trained with labels: go on with them')
  })
})
