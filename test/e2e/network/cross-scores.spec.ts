import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { ScoreBook, leaveRow } from '../../../src/federation/cross-scores/score-book.ts'
import { signRow, type ScoreRow } from '../../../src/federation/cross-scores/score-row.ts'
import { readFederation } from '../../../src/federation/document.ts'
import { loadIdentity, readPeerId } from '../../../src/federation/identity.ts'
import { readCredential } from '../../../src/federation/membership/files.ts'
import { canonicalBytes } from '../../../src/federation/signed.ts'
import { mergeIntoConfigFile } from '../../../src/home/config/load.ts'
import { Liar } from '../../integration/node/attacks/liar.ts'
import { Sites } from '../../integration/node/sites.ts'
import { consilium } from '../cli.ts'
import { POLL_MS, SiteProcess } from './site-process.ts'

/** Of a crowded machine. */
const PATIENCE_MS = 300_000
const NAMES = ['a', 'b', 'c'] as const

describe('cross-site scores, with real processes', function () {
  this.timeout(900_000)
  let sites: Sites
  let processes: SiteProcess[]

  before(async () => {
    sites = await Sites.create([...NAMES, 'x'], { rounds: 10_000 })
    processes = NAMES.map((name) => new SiteProcess(name, sites.paths(name).home))
  })

  after(async () => {
    await Promise.all(processes.map(async (each) => { await each.end('SIGKILL') }))
    await sites.remove()
  })

  async function rowOf (name: string, mean: number): Promise<ScoreRow> {
    const paths = sites.paths(name)
    return await signRow({
      federation: (await readFederation(paths.federation)).id,
      site: await readPeerId(paths.identity),
      made: '2026-06-01T00:00:00.000Z',
      adapter: String(mean * 10).repeat(64),
      round: 1,
      own: true,
      dice: { foreground: { mean, low: mean - 0.1, high: mean + 0.1, patients: 7 } },
      credential: await readCredential(paths.certificate)
    }, await loadIdentity(paths.identity))
  }

  async function rowsAt (name: string): Promise<readonly ScoreRow[]> {
    const paths = sites.paths(name)
    return await ScoreBook.read(paths, await readFederation(paths.federation))
  }

  /** What a person at a site reads. */
  async function printedAt (name: string): Promise<string> {
    const { code, stdout, stderr } = await consilium(['cross-evaluate', '--home', sites.paths(name).home, '--show'])
    expect(code, stderr).to.equal(0)
    return stdout
  }

  async function until (what: string, holds: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + PATIENCE_MS; !await holds(); await sleep(POLL_MS)) {
      if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
    }
  }

  it('are one matrix at every site that is left when one is killed', async () => {
    const [a, ...others] = processes
    a!.start()
    const { addresses } = await a!.until('it listens', (status) => status.addresses.length > 0, PATIENCE_MS)
    for (const each of others) {
      await mergeIntoConfigFile(sites.paths(each.name).config, { bootstrap: addresses })
      each.start()
    }
    for (const [i, name] of NAMES.entries()) await leaveRow(sites.paths(name), await rowOf(name, [0.5, 0.6, 0.8][i]!))
    for (const name of NAMES) await until(`${name} has all rows`, async () => (await rowsAt(name)).length === NAMES.length)
    await processes[2]!.end('SIGKILL')
    const printed = await printedAt('a')
    expect(printed).to.match(/0\.500 \(0\.400 to 0\.600\), n 7/).and.to.match(/0\.600 .*n 7/).and.to.match(/0\.800 .*n 7/)
    expect(await printedAt('b')).to.equal(printed)
  })

  it('take in no row that its site did not sign, and refuse whoever brings it', async () => {
    const [a] = processes
    const printed = await printedAt('a')
    const { addresses, refusedCertificates } = await a!.until('it answers', () => true, PATIENCE_MS)
    const { dice: { foreground }, ...row } = await rowOf('c', 0.8)
    const forged = { ...row, made: '2026-06-02T00:00:00.000Z', dice: { foreground: { ...foreground!, mean: 0.89 } } }
    const scores = { digest: new Uint8Array(32), rows: () => [canonicalBytes(forged)], learn: async () => await Promise.resolve([]) }
    const liar = await Liar.open(sites, 'x', { bootstrap: addresses, scores: scores as never })
    try {
      await a!.until('it has refused that', (status) => status.refusedCertificates > refusedCertificates, PATIENCE_MS)
      for (const name of ['a', 'b']) {
        expect((await rowsAt(name)).map(({ dice: { foreground: each } }) => each!.mean)).to.have.members([0.5, 0.6, 0.8])
        expect(await printedAt(name)).to.equal(printed)
      }
    } finally {
      await liar.close()
    }
  })
})
