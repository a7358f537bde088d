import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { scoreMatrices, type ScoreMatrix } from '../../../src/federation/cross-scores/matrix.ts'
import { leaveRow, ScoreBook } from '../../../src/federation/cross-scores/score-book.ts'
import { signRow } from '../../../src/federation/cross-scores/score-row.ts'
import { readFederation } from '../../../src/federation/document.ts'
import { loadIdentity, readPeerId } from '../../../src/federation/identity.ts'
import { readCredential } from '../../../src/federation/membership/files.ts'
import { Standing } from '../../../src/federation/membership/statements.ts'
import type { Daemon } from '../../../src/node/daemon.ts'
import { Sites } from './sites.ts'

const NAMES = ['a', 'b', 'c'] as const

describe('cross-site scores of daemons', function () {
  this.timeout(240_000)
  let sites: Sites
  const running = new Map<string, { daemon: Daemon, ended: Promise<unknown> }>()

  afterEach(async () => {
    for (const name of running.keys()) await stop(name)
    await sites.remove()
  })

  async function start (name: string, bootstrap: string[] = []): Promise<string[]> {
    const daemon = sites.daemon(name, { bootstrap, waitFor: 99, aloneRounds: 1_000, manners: { delayMs: 50 } })
    running.set(name, { daemon, ended: daemon.run() })
    return (await sites.statusOf(name, ({ addresses }) => addresses.length > 0)).addresses
  }

  async function stop (name: string): Promise<void> {
    const { daemon, ended } = running.get(name)!
    running.delete(name)
    daemon.requestStop()
    await ended
  }

  async function leave (name: string, mean: number): Promise<void> {
    const paths = sites.paths(name)
    const { id: federation } = await readFederation(paths.federation)
    await leaveRow(paths, await signRow({
      federation,
      site: await readPeerId(paths.identity),
      made: new Date().toISOString(),
      adapter: (mean === 0.5 ? '5' : '6').repeat(64),
      round: 1,
      own: true,
      dice: { foreground: { mean, low: 0.1, high: 0.9, patients: 7 } },
      credential: await readCredential(paths.certificate)
    }, await loadIdentity(paths.identity)))
  }

  async function matrixOf (name: string): Promise<ScoreMatrix | undefined> {
    const paths = sites.paths(name)
    const federation = await readFederation(paths.federation)
    return scoreMatrices(await ScoreBook.read(paths, federation), federation.document.founders, new Standing(federation))[0]
  }

  async function bothAt (name: string): Promise<void> {
    while ((await matrixOf(name))?.sites.length !== 2) await sleep(50)
  }

  it('come to all that are there, and to who comes later when their site is gone', async () => {
    sites = await Sites.create(NAMES, { rounds: 1_000 })
    const bootstrap = await start('a')
    const [, last] = [await start('b', bootstrap), await sites.statusOf('a', ({ peers }) => peers > 0)]
    expect(last.peers).to.equal(1)
    await leave('a', 0.5)
    await leave('b', 0.6)
    for (const name of ['a', 'b']) await bothAt(name)
    await stop('a')
    const further = (await sites.statusOf('b', ({ addresses }) => addresses.length > 0)).addresses
    await start('c', further)
    await bothAt('c')
    expect(await matrixOf('c')).to.deep.equal(await matrixOf('b'))
    expect(await matrixOf('a')).to.deep.equal(await matrixOf('b'))
  })
})
