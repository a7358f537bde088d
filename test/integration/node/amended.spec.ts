import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { trainInOrder, type OrderedSite } from '../../../bench/digests/train-in-order.ts'
import { Auditor } from '../../../src/audit/auditor.ts'
import { agreeTo } from '../../../src/federation/amendments/agreements.ts'
import { amend, type Wanted } from '../../../src/federation/amendments/amend.ts'
import { Amendments } from '../../../src/federation/amendments/amendments.ts'
import { readFederation, signFederation, type FederationDocument } from '../../../src/federation/document.ts'
import { loadIdentity } from '../../../src/federation/identity.ts'
import { openAdapter, openSite, trainerSetup } from '../../../src/node/site.ts'
import { TrainerProcess } from '../../../src/node/trainer-process.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import { mergeSettings } from '../../../src/home/config/load.ts'
import { FAKE_TRAINER, Sites } from './sites.ts'

const NAMES = ['a', 'b', 'c'] as const
type Name = typeof NAMES[number]

/** A step of its own for each site, so that no two adapters are alike before they exchange. */
const STEPS: Record<Name, number> = { a: 1, b: 2, c: 6 }

describe('a federation that is amended', function () {
  this.timeout(240_000)
  let all: Sites[]

  beforeEach(() => { all = [] })
  afterEach(async () => { for (const sites of all) await sites.remove() })

  async function federation (rounds: number): Promise<Sites> {
    const sites = await Sites.create(NAMES, { rounds, founders: NAMES, quorum: 2 })
    all.push(sites)
    return sites
  }

  /** Opens the homes, trains these rounds with exchanges in a fixed order, and closes them: what the daemon does, without wires. */
  async function train (sites: Sites, rounds: { from: number, to: number }): Promise<void> {
    const opened: Array<OrderedSite & { audit: Auditor }> = []
    for (const name of NAMES) opened.push(await open(sites, name))
    await trainInOrder(opened, rounds)
    for (const { state, trainer, audit } of opened) {
      await trainer.stop()
      await state.checkpoint.save()
      await state.log.close()
      await audit.close('stopped')
    }
  }

  async function open (sites: Sites, name: Name): Promise<OrderedSite & { audit: Auditor }> {
    const data = JSON.stringify({ step: STEPS[name], diary: join(sites.folder, `diary-${name}`) })
    const config = { ...mergeSettings({ data }, {}, {}), data }
    const site = await openSite({ home: sites.paths(name).home, config, logger: createLogger('silent') })
    const { paths: { audit: folder }, key, peerId, federation: { id, document } } = site
    const audit = new Auditor({ folder, key, peerId, federation: id, now: Date.now, onFailure: () => {} })
    await audit.open()
    const trainer = new TrainerProcess({ setup: trainerSetup(site), nice: 0, entry: FAKE_TRAINER })
    const others = { rootOf: (partner: string) => partner, mostRounds: () => document.training.rounds }
    return { site, trainer, audit, state: await openAdapter(site, await trainer.start(), audit, others) }
  }

  async function openAmendments (sites: Sites, name: Name): Promise<Amendments> {
    return await Amendments.open(sites.paths(name), await readFederation(sites.paths(name).federation))
  }

  /** Two of the three founders amend; the third is away, and hears of it from the second when it comes back. */
  async function amendAt (sites: Sites, wanted: Wanted): Promise<void> {
    const keyOf = async (name: Name): ReturnType<typeof loadIdentity> => await loadIdentity(sites.paths(name).identity)
    const [a, b, c] = [await openAmendments(sites, 'a'), await openAmendments(sites, 'b'), await openAmendments(sites, 'c')]
    const draft = await amend(a.newest, wanted, { key: await keyOf('a'), now: '2026-02-01T00:00:00.000Z', revoked: [] })
    await a.leave(draft)
    await a.tend()
    await b.learn(a.documents())
    const signed: FederationDocument = await b.leave(await signFederation(b.drafts[0]!, await keyOf('b')))
    await b.tend()
    await a.learn(b.documents())
    await c.learn(b.documents())
    for (const name of NAMES) await agreeTo(sites.paths(name).agreements, signed)
  }

  async function ends (sites: Sites): Promise<unknown[]> {
    return await Promise.all(NAMES.map(async (name) => {
      const { adapter, metrics } = sites.paths(name)
      const diary = await readFile(join(sites.folder, `diary-${name}`), 'utf8')
      const file = await readFile(adapter)
      const numbers = file.subarray(8 + Number(file.readBigUInt64LE(0)))
      const rounds = (await readFile(metrics, 'utf8')).trim().split('\n').map((line) => {
        const { round, exchanges, steps } = JSON.parse(line) as Record<string, unknown>
        return { round, exchanges, steps }
      })
      return { digest: createHash('sha256').update(numbers).digest('hex'), diary, rounds }
    }))
  }

  it('in its tenth round to twenty equals twenty in one, number for number', async () => {
    const [one, two] = [await federation(20), await federation(10)]
    await train(one, { from: 1, to: 20 })
    await train(two, { from: 1, to: 10 })
    await amendAt(two, { settings: { training: { rounds: 20 } } })
    await train(two, { from: 11, to: 20 })
    expect((await readFederation(two.paths('c').federation)).document.training.rounds).to.equal(20)
    expect(await ends(two)).to.deep.equal(await ends(one))
  })
})
