import { readFile, rm } from 'node:fs/promises'
import { expect } from 'chai'
import { restoreBackup, writeBackup } from '../../../src/home/backup.ts'
import { isThere, namesIn } from '../../../src/home/files.ts'
import type { RoundRecord } from '../../../src/home/metrics-log.ts'
import { Sites } from './sites.ts'

const ROUNDS = 40

describe('a home that was restored from a backup', function () {
  this.timeout(600_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  it('waits for another site, settles with it, goes on from where the others are, and begins a new ledger', async () => {
    sites = await Sites.create(['a', 'b'], { rounds: ROUNDS })
    const manners = { delayMs: 150 }
    const company = { manners, foundWithinMs: 1_000, aloneRounds: ROUNDS }
    const paths = sites.paths('b')
    // Alone it pauses at once, so that the others are no further on than a site may be that goes on by itself.
    const a = sites.daemon('a', { ...company, aloneRounds: 1 }).run()
    const bootstrap = (await sites.statusOf('a', ({ addresses }) => addresses.length > 0)).addresses
    const recorded = async (): Promise<number[]> =>
      (await readFile(paths.metrics, 'utf8')).trim().split('\n').map((line) => (JSON.parse(line) as RoundRecord).round)
    /** Runs b until it is in this round; returns the one that it was in when it stopped. */
    const until = async (least: number): Promise<number> => {
      const daemon = sites.daemon('b', { ...company, bootstrap })
      const run = daemon.run()
      await sites.statusOf('b', (status) => status.round >= least && status.exchanges > 0)
      daemon.requestStop()
      await run
      return Math.max(...await recorded()) + 1
    }
    const kept = await until(3)
    const file = `${sites.folder}/b.tar.gz`
    await writeBackup(paths.home, file, new Date('2026-01-02T03:04:05.000Z'))
    const reached = await until(kept + 2)
    // Where a is behind, b goes on from there.
    const { round: others } = await sites.statusOf('a', ({ phase, warnings }) =>
      phase === 'waiting' && /training pauses/.test(warnings.join()))
    await rm(paths.home, { recursive: true })
    expect(await restoreBackup(file, paths.home)).to.equal('2026-01-02T03:04:05.000Z')
    await sites.leaveInDoubt('b', 'a', paths.adapter)

    const runs = [sites.daemon('b', { ...company, bootstrap }).run(), a]
    await sites.statusOf('b', ({ warnings }) => /restored from a backup of 2026-01-02T03:04:05.000Z: training waits/.test(warnings.join()))
    await Promise.all(runs)
    const { rounds, warnings, inDoubt } = await sites.summary('b')
    expect({ rounds, inDoubt }).to.deep.equal({ rounds: ROUNDS, inDoubt: 0 })
    expect(warnings.join('\n')).to.match(/was restored from a backup of .*: the audit ledger of before is kept in .*audit\.before-/)
    const records = await recorded()
    // The round that it was in when it stopped was not finished.
    const again = records.filter((round) => round >= kept && round < Math.min(reached, others))
    expect(again, `in the backup ${kept}, reached ${reached}, the others in ${others}: ${records.join()}`).to.deep.equal([])
    expect(await isThere(paths.restored)).to.equal(false)
    expect((await namesIn(paths.home)).filter((name) => name.startsWith('audit.before-'))).to.have.length(1)
    const [first = ''] = (await readFile(`${paths.audit}/ledger-000001.jsonl`, 'utf8')).split('\n')
    expect(first).to.match(/"damaged":"the home was restored from a backup of 2026-01-02T03:04:05.000Z \(kept in audit\.before-/)
  })
})
