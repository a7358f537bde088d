import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { withFleet } from '../../../bench/gossip/fleet.ts'
import type { SiteSetup } from '../../../bench/gossip/messages.ts'
import { siteVector } from '../../../bench/gossip/vectors.ts'
import { Worker } from '../../../bench/gossip/worker.ts'

const SIZE = 3_000
const PATIENCE_MS = 200_000
const POLL_MS = 100

interface Running { readonly worker: Worker, readonly peerId: string, readonly address: string }

describe('sites in processes of their own', function () {
  this.timeout(600_000)

  it('average by the exponential rule in log2 n steps, exactly', async () => {
    await withFleet({ sites: 4, size: 70_000, codec: 'f32', folder: tmpdir() }, async (members) => {
      for (const step of [1, 2]) {
        for (const index of [0, 1, 2, 3].filter((each) => each < (each ^ step))) {
          await members[index]!.worker.call('exchange', { peerId: members[index ^ step]!.peerId })
        }
      }
      for (const { worker } of members) expect((await worker.call('distance', null)).relative).to.be.below(1e-6)
    })
  })

  describe('killed in the middle of an exchange', () => {
    let folder: string
    let running: Running[]

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'consilium-crash-'))
      running = []
    })
    afterEach(async () => {
      await Promise.all(running.map(async ({ worker }) => { await worker.kill() }))
      await rm(folder, { recursive: true })
    })

    async function open (index: number, dieAt?: SiteSetup['dieAt']): Promise<Running> {
      const worker = new Worker({ quiet: true })
      const setup = {
        index,
        sites: 2,
        size: SIZE,
        codec: 'f32' as const,
        home: join(folder, String(index)),
        federationId: 'ab'.repeat(32),
        networkKey: 'cd'.repeat(32)
      }
      const site = { worker, ...await worker.call('open', dieAt == null ? setup : { ...setup, dieAt }) }
      running.push(site)
      return site
    }

    async function reopen (index: number, { worker }: Running): Promise<Running> {
      await worker.ended()
      return await open(index)
    }

    /** x of both, once nothing is in doubt. */
    async function settled (sites: readonly Running[]): Promise<number[][]> {
      const until = Date.now() + PATIENCE_MS
      for (;;) {
        const states = await Promise.all(sites.map(async ({ worker }) => await worker.call('state', null)))
        if (states.every(({ inDoubt }) => inDoubt === 0)) return states.map(({ values }) => values)
        if (Date.now() > until) throw new Error('an exchange stays in doubt')
        await sleep(POLL_MS)
      }
    }

    function expectSum ([one, other]: number[][]): void {
      const [first, second] = [siteVector(0, SIZE), siteVector(1, SIZE)]
      const off = one!.reduce((most, value, i) => Math.max(most, Math.abs(value + other![i]! - first[i]! - second[i]!)), 0)
      expect(off, 'Σw·x').to.be.below(1e-6)
    }

    const points = [
      ['initiator', 'seal', 'before'], ['initiator', 'seal', 'after'], ['initiator', 'settle', 'before'], ['initiator', 'settle', 'after'],
      ['responder', 'seal', 'before'], ['responder', 'seal', 'after'], ['responder', 'forget', 'before']
    ] as const
    for (const [role, change, when] of points) {
      it(`${when} the ${role}'s ${change}: after a restart nothing is in doubt and Σw·x is what it was`, async () => {
        const dieAt = { change, when }
        let initiator = await open(0, role === 'initiator' ? dieAt : undefined)
        let responder = await open(1, role === 'responder' ? dieAt : undefined)
        await initiator.worker.call('connect', { address: responder.address })
        await initiator.worker.call('exchange', { peerId: responder.peerId }).catch(() => {})
        if (role === 'initiator') initiator = await reopen(0, initiator)
        else responder = await reopen(1, responder)
        await initiator.worker.call('connect', { address: responder.address })
        expectSum(await settled([initiator, responder]))
        await initiator.worker.call('exchange', { peerId: responder.peerId })
        const both = await settled([initiator, responder])
        expectSum(both)
        expect(both[0]![0]).to.be.closeTo(both[1]![0]!, 1e-6)
      })
    }

    for (const when of ['before', 'after'] as const) {
      it(`${when} the log drops what a checkpoint contains: it is done once`, async () => {
        let one = await open(0)
        const other = await open(1, { change: 'absorb', when })
        await one.worker.call('connect', { address: other.address })
        await one.worker.call('exchange', { peerId: other.peerId })
        await other.worker.call('save', null).catch(() => {})
        const again = await reopen(1, other)
        await one.worker.kill()
        one = await open(0)
        expectSum(await settled([one, again]))
      })
    }
  })
})
