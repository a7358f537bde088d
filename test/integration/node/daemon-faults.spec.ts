import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile, rm, truncate } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { verifyLedger } from '../../../src/audit/verify.ts'
import { readFederation } from '../../../src/federation/document.ts'
import { readPeerId } from '../../../src/federation/identity.ts'
import { writeKeyRing } from '../../../src/federation/membership/network-key.ts'
import { Sites } from './sites.ts'

const NOBODY = '/ip4/127.0.0.1/tcp/9/p2p/12D3KooWMDnCnkdDCKNgkgeZcyNNDHiXnMw5ReQbZ2vM28d2fATZ'

/** Two that cannot work together are to end all the same. */
const BY_ITSELF = { waitFor: 1, aloneRounds: 1_000 }

describe('what goes wrong around a daemon', function () {
  this.timeout(240_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  async function failure (name: string, over: Parameters<Sites['daemon']>[1] = {}): Promise<string> {
    return await sites.daemon(name, over).run().then(() => {
      throw new Error('it ran')
    }, (error: Error) => `${error.name}: ${error.message}`)
  }

  it('a bootstrap address that nobody answers: said once, trained alone meanwhile', async () => {
    sites = await Sites.create(['a'])
    await sites.daemon('a', { bootstrap: [NOBODY], manners: { delayMs: 300 } }).run()
    const { rounds, warnings } = await sites.summary('a')
    expect(rounds).to.equal(2)
    expect(warnings).to.have.length(2)
    for (const sentence of [`the bootstrap address ${NOBODY} does not answer`, 'training goes on alone']) {
      expect(warnings.some((each) => each.includes(sentence)), sentence).to.equal(true)
    }
  })

  it('no address of anybody: said once by a member, not by a founder, and no more once it has met somebody', async () => {
    sites = await Sites.create(['a', 'b'], { coolDownSeconds: 15 })
    const lost = async (name: string): Promise<number> =>
      (await sites.summary(name)).warnings.filter((each) => each.includes('knows no address of another one')).length
    for (const name of ['a', 'b']) await sites.daemon(name, { foundWithinMs: 0, ...BY_ITSELF }).run()
    expect([await lost('a'), await lost('b')]).to.deep.equal([0, 1])
    const a = sites.daemon('a').run()
    const { addresses: bootstrap } = await sites.statusOf('a', ({ addresses }) => addresses.length > 0)
    await Promise.all([a, sites.daemon('b', { bootstrap }).run()])
    expect(await lost('b')).to.equal(0)
    await sites.daemon('b', { foundWithinMs: 0 }).run()
    expect(await lost('b')).to.equal(0)
  })

  it('a wrong network key: refused in the handshake, counted, one line per peer, both train on', async () => {
    sites = await Sites.create(['a', 'b'])
    await writeKeyRing(sites.paths('b').networkKey, { current: randomBytes(32).toString('hex'), previous: [] })
    const a = sites.daemon('a', { manners: { delayMs: 500 }, ...BY_ITSELF }).run()
    const { addresses, peerId } = await sites.statusOf('a', (status) => status.addresses.length > 0)
    await Promise.all([a, sites.daemon('b', { bootstrap: addresses, manners: { delayMs: 500 }, ...BY_ITSELF }).run()])
    const [member, stranger] = [await sites.summary('a'), await sites.summary('b')]
    expect(member.refusedHandshakes).to.be.at.least(1)
    expect(stranger.refusedHandshakes).to.be.at.least(2)
    expect(member.exchanges + stranger.exchanges).to.equal(0)
    expect(member.warnings.filter((each) => each.includes('refused in the handshake'))).to.have.length(1)
    expect(stranger.warnings.filter((each) => each.includes(`site ${peerId} refused the handshake`))).to.have.length(1)
  })

  it('a missing network key', async () => {
    sites = await Sites.create(['a'])
    await rm(sites.paths('a').networkKey)
    expect(await failure('a')).to.match(/^InputError: the network key .* does not exist: ask for an invitation/)
  })

  it('a peer with another schema: never averaged, reported once on both sides', async () => {
    sites = await Sites.create(['a', 'b'], { coolDownSeconds: 3 })
    const a = sites.daemon('a', { manners: { delayMs: 400 }, ...BY_ITSELF }).run()
    const { addresses } = await sites.statusOf('a', (status) => status.addresses.length > 0)
    const stranger = { manners: { delayMs: 400, baseHash: 'f'.repeat(64) }, ...BY_ITSELF }
    await Promise.all([a, sites.daemon('b', { bootstrap: addresses, ...stranger }).run()])
    for (const name of ['a', 'b']) {
      const { exchanges, rounds, warnings } = await sites.summary(name)
      expect(rounds).to.equal(2)
      expect(exchanges).to.equal(0)
      expect(warnings.filter((each) => each.includes('trains another model or base'))).to.have.length(1)
    }
  })

  it('a corrupt checkpoint: the one before it serves, and that is said', async () => {
    sites = await Sites.create(['a'], { rounds: 3 })
    const daemon = sites.daemon('a', { alone: true, manners: { delayMs: 1_000 } })
    const run = daemon.run()
    await sites.statusOf('a', ({ round }) => round === 3)
    daemon.requestStop()
    await run
    await truncate(sites.paths('a').adapter, 40)
    await sites.daemon('a', { alone: true }).run()
    const { rounds, warnings } = await sites.summary('a')
    expect(rounds).to.equal(3)
    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.contain('adapter.safetensors is damaged').and.contain('the checkpoint before it is used')
  })

  it('an exchange whose end it could not learn, with a partner that is away: the status counts it', async () => {
    sites = await Sites.create(['a', 'b'])
    await sites.daemon('a', { alone: true }).run()
    await sites.leaveInDoubt('a', 'b', sites.paths('a').adapter)
    const daemon = sites.daemon('a', { bootstrap: [NOBODY] })
    const run = daemon.run()
    const { inDoubt } = await sites.statusOf('a', ({ trainer, phase }) => trainer === 'ready' && phase !== 'starting')
    daemon.requestStop()
    await run
    expect(inDoubt).to.equal(1)
  })

  it('a control file that cannot be removed: the rest closes all the same', async () => {
    sites = await Sites.create(['a'], { rounds: 30 })
    const daemon = sites.daemon('a', { alone: true, manners: { delayMs: 100 } })
    const run = daemon.run()
    await sites.statusOf('a', ({ round }) => round > 0)
    const { control } = sites.paths('a')
    const { url } = JSON.parse(await readFile(control, 'utf8')) as { url: string }
    await rm(control)
    await mkdir(join(control, 'in the way'), { recursive: true })
    daemon.requestStop()
    await run
    expect(await fetch(url).then(() => 'open', () => 'closed')).to.equal('closed')
    await rm(control, { recursive: true })
    await sites.daemon('a', { alone: true }).run()
    expect((await sites.summary('a')).rounds).to.equal(30)
  })

  it('an occupied control port', async () => {
    sites = await Sites.create(['a'])
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const config = {
      axis: 'auto',
      listen: ['/ip4/127.0.0.1/tcp/0'],
      bootstrap: [],
      waitFor: 1,
      aloneRounds: 3,
      amendments: 'ask',
      renewCertificates: true,
      controlPort: port,
      engine: 'auto',
      provider: 'auto',
      memory: 'auto',
      threads: 0,
      embeddingCache: 0,
      nice: 10,
      notifyAloneHours: 12,
      correctionWeight: 2,
      logLevel: 'silent',
      data: '{}'
    } as const
    try {
      const lists = { listen: [...config.listen], bootstrap: [], announce: [], reverseProxy: [] }
      expect(await failure('a', { config: { ...config, ...lists, relay: false } })).to.equal(
        `InputError: the control port ${port} is occupied: choose another with --control-port`
      )
    } finally {
      server.close()
    }
  })

  it('bad data: the trainer\'s one sentence', async () => {
    sites = await Sites.create(['a'])
    expect(await failure('a', { manners: { badData: true } })).to.equal('InputError: the data folder is empty')
  })

  it('a trainer that always dies', async function () {
    sites = await Sites.create(['a'])
    const daemon = sites.daemon('a', { alone: true, manners: { dieIn: 'phaseG' }, trainerBackOff: { firstMs: 10, lastMs: 20 } })
    const error = await daemon.run().then(() => undefined, (reason: Error) => reason)
    expect(error?.message).to.match(/^the trainer process ended 5 times in a row \(SIGKILL\)/)
  })

  it('a second daemon in the same home', async () => {
    sites = await Sites.create(['a'], { rounds: 10_000 })
    const first = sites.daemon('a', { manners: { delayMs: 300 } })
    const run = first.run()
    await sites.statusOf('a', ({ phase }) => phase === 'G')
    expect(await failure('a')).to.contain('another daemon is running in')
    expect((await sites.statusOf('a', () => true)).trainer).to.equal('ready')
    first.requestStop()
    await run
  })

  for (const [first, second] of [[true, true], [true, false], [false, true]] as const) {
    it(`a second daemon in the same home, ${first ? 'the first' : 'the second'}${first && second ? ' and the second' : ''} of them ` +
      'without the network: refused, and the ledger holds', async () => {
      sites = await Sites.create(['a'], { rounds: 10_000 })
      const daemon = sites.daemon('a', { alone: first, manners: { delayMs: 300 } })
      const run = daemon.run()
      await sites.statusOf('a', ({ phase }) => phase === 'G')
      expect(await failure('a', { alone: second })).to.contain('another daemon is running in')
      expect((await sites.statusOf('a', () => true)).trainer).to.equal('ready')
      daemon.requestStop()
      await run
      const { audit, identity, federation } = sites.paths('a')
      const owner = { peerId: await readPeerId(identity), federation: (await readFederation(federation)).id }
      expect((await verifyLedger(audit, owner)).problems).to.deep.equal([])
    })
  }
})
