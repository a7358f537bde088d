import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { readDossier } from '../../../../src/audit/dossier.ts'
import type { EntryContent } from '../../../../src/audit/entry.ts'
import { Ledger } from '../../../../src/audit/ledger.ts'
import { program } from '../../../../src/cli/program.ts'
import { loadIdentity, readPeerId } from '../../../../src/federation/identity.ts'
import { writeJson } from '../../../../src/home/files.ts'
import { sitePaths } from '../../../../src/home/paths.ts'
import { createFederation } from '../../../../src/site-model/create-federation.ts'
import { bothSides, refusal } from './fixtures.ts'

const [FIRST, SECOND] = ['12D3KooWpartner-one', '12D3KooWpartner-two']

describe('the dossier', () => {
  let home: string
  let out: string
  let owner: { peerId: string, federation: string }

  /** Entries of two partners in two months, and what else there is. */
  async function fill (): Promise<void> {
    const paths = sitePaths(home)
    let time = Date.parse('2026-03-31T23:58:45.000Z')
    const init = { folder: paths.audit, key: await loadIdentity(paths.identity), ...owner, onFailure: () => {} }
    const ledger = await Ledger.open({ ...init, now: () => time })
    const append = (entry: EntryContent): void => {
      ledger.append(entry)
      time += 30_000
    }
    append({ kind: 'membership', event: 'certified', peer: FIRST, detail: 'member <b>St. Mary</b>' })
    append({ kind: 'membership', event: 'revoked', peer: SECOND, detail: 'by x' })
    for (const [n, partner] of [FIRST, FIRST, SECOND].entries()) append({ ...bothSides(n, owner.peerId, partner)[0], bytesSent: 1_000_000 })
    append({ ...bothSides(9, owner.peerId, FIRST)[0], outcome: 'failed', bytesSent: 500_000 })
    for (let i = 0; i < 150; i++) append(refusal(`reason ${i}`))
    append({ kind: 'scores', adapter: 'c'.repeat(64), round: 7, classes: 2 })
    append({ kind: 'release', round: 7, unit: 'patient', noise: 1, clip: 1, steps: 4, epsilon: 1.25 })
    append({ kind: 'round', round: 1, exchanges: 3, bytesSent: 1, bytesReceived: 1 })
    await ledger.close()
  }

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'consilium-'))
    out = join(home, 'dossier.html')
    const { id: federation } = await createFederation({ home, name: 'Two <towns>', rounds: 2 })
    await writeJson(sitePaths(home).policy, { document: { 'averaging.maxMass': { most: 500 } }, partners: 3 })
    owner = { peerId: await readPeerId(sitePaths(home).identity), federation }
    await fill()
  })
  afterEach(async () => {
    process.exitCode = undefined
    await rm(home, { recursive: true })
  })

  it('sums up what the ledger says by site and month', async () => {
    const { check, rounds, partners, months, privacy, refusals, scores, membership } = await readDossier(sitePaths(home).audit, owner)
    expect([check.ok, rounds, scores.length, privacy?.epsilon]).to.deep.equal([true, 1, 1, 1.25])
    expect(partners.map(({ peerId, name, committed, others, bytesSent }) => [peerId, name, committed, others, bytesSent])).to.deep.equal([
      [FIRST, '<b>St. Mary</b>', 2, 1, 2_500_000],
      [SECOND, undefined, 1, 0, 1_000_000]
    ])
    expect(months.map(({ month, exchanges }) => [month, exchanges])).to.deep.equal([['2026-03', 1], ['2026-04', 3]])
    expect(membership.map(({ what }) => what)).to.deep.equal(['revoked'])
    expect([refusals.size, refusals.get('for other reasons')]).to.deep.equal([101, 50])
  })

  it('is one page of its own, with what others named escaped, for this user alone', async () => {
    await program(['audit', 'dossier', '--home', home, '--out', out]).parseAsync()
    const page = await readFile(out, 'utf8')
    const parts = ['Two &lt;towns&gt;', '&lt;b&gt;St. Mary', '2.5 MB', '1.25', 'cccccccccccc', 'averaging.maxMass', '2026-04']
    for (const part of parts) expect(page, part).to.include(part)
    expect(page).not.to.match(/<script|<link|https?:|src=|url\(|@import/)
    expect(page.match(/class="mark bad"/g), 'beyond the policy').to.have.length(1)
    expect((await stat(out)).mode & 0o777).to.equal(0o600)
    expect(process.exitCode).to.equal(undefined)
  })

  it('says that the ledger does not hold, where it does not', async () => {
    const file = join(sitePaths(home).audit, 'ledger-000001.jsonl')
    await writeFile(file, (await readFile(file, 'utf8')).replace('500000', '400000'))
    await program(['audit', 'dossier', '--home', home, '--out', out]).parseAsync()
    expect(process.exitCode).to.equal(1)
    expect((await readFile(out, 'utf8')).match(/class="mark bad"/g)).to.have.length(2)
  })
})
