import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { program } from '../../../src/cli/program.ts'
import { amend } from '../../../src/federation/amendments/amend.ts'
import { Amendments } from '../../../src/federation/amendments/amendments.ts'
import { readFederation } from '../../../src/federation/document.ts'
import { loadIdentity } from '../../../src/federation/identity.ts'
import { writeJson } from '../../../src/home/files.ts'
import { Sites } from './sites.ts'
import { Tap } from './tap.ts'

/** Numbers that training gives to one site alone; all of a vector are alike. No average of a's and c's is b's. */
const CANARIES = { a: 512.25, b: 777.125, c: 600.5 } as const
type Name = keyof typeof CANARIES

const POLL_MS = 100
const PATIENCE_MS = 120_000

function needle (name: Name): Buffer {
  return Buffer.from(new Float32Array(4).fill(CANARIES[name]).buffer)
}

describe('what leaves a site whose policy a document goes beyond', function () {
  this.timeout(600_000)
  let sites: Sites
  const taps = new Map<Name, Tap>()

  afterEach(async () => { await sites.remove() })

  function start (name: Name, bootstrap: string[], { canaryFrom }: { canaryFrom: number }): Promise<unknown> {
    const tap = new Tap()
    taps.set(name, tap)
    const manners = { delayMs: 100, canary: CANARIES[name], canaryFrom }
    const daemon = sites.daemon(name, { manners, bootstrap, tap: tap.wrap, aloneRounds: 1_000, settings: { amendments: 'accept' } })
    const run = sites.start(daemon)
    run.catch(() => {})
    return run
  }

  const sent = (name: Name): Buffer => taps.get(name)!.bytes()
  const addressesOf = async (name: Name): Promise<string[]> =>
    (await sites.statusOf(name, ({ addresses }) => addresses.length > 0)).addresses

  async function untilSent (name: Name): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) if (sent(name).includes(needle(name))) return
    throw new Error(`${name} never sent what it trained`)
  }

  it('is not a byte, where it is the document that it was to start with', async () => {
    sites = await Sites.create(['a', 'b', 'c'], { rounds: 10_000, codec: 'f32' })
    await writeJson(sites.paths('b').policy, { document: { 'training.rounds': { most: 9_999 } } })
    start('a', [], { canaryFrom: 0 }).catch(() => {})
    const bootstrap = await addressesOf('a')
    const refusal = await start('b', bootstrap, { canaryFrom: 0 }).then(() => '', (error: Error) => error.message)
    expect(refusal).to.equal('the federation goes beyond the policy of this site: ' +
      'training.rounds is 10000, and this site\'s policy.json says at most 9999')
    // The same search finds what a site without such a policy sends.
    start('c', bootstrap, { canaryFrom: 0 }).catch(() => {})
    await untilSent('c')
    expect(sent('b').length).to.equal(0)
  })

  it('has nothing of an amendment in it: the site goes on with the document of before, and says both lines', async () => {
    sites = await Sites.create(['a', 'b', 'c'], { rounds: 5_000, codec: 'f32' })
    await writeJson(sites.paths('b').policy, { document: { 'training.rounds': { most: 5_000 } } })
    start('a', [], { canaryFrom: 6_000 }).catch(() => {})
    const bootstrap = await addressesOf('a')
    for (const name of ['b', 'c'] as const) start(name, bootstrap, { canaryFrom: 6_000 }).catch(() => {})
    await sites.statusOf('b', ({ peers, exchanges }) => peers === 2 && exchanges > 0)

    const paths = sites.paths('a')
    const book = await Amendments.open(paths, await readFederation(paths.federation))
    const by = { key: await loadIdentity(paths.identity), now: '2026-02-01T00:00:00.000Z', revoked: [] }
    await book.leave(await amend(book.newest, { settings: { training: { rounds: 6_000 } } }, by))

    const lines = 'training.rounds is 6000, and this site\'s policy.json says at most 5000'
    const { round } = await sites.statusOf('b', ({ warnings }) => warnings.some((each) => each.includes(lines)))
    for (const name of ['a', 'c'] as const) await untilSent(name)
    await sites.statusOf('b', (status) => status.round > round)
    expect((await readFederation(sites.paths('b').federation)).document.training.rounds).to.equal(5_000)
    expect(sent('b').includes(needle('b')), 'what b trained by the amended document').to.equal(false)

    const agree = program(['federation', 'agree', '--home', sites.paths('b').home]).parseAsync()
    expect(await agree.then(() => '', (error: Error) => error.message)).to.contain(lines)
  })
})
