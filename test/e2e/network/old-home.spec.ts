import { readdirSync } from 'node:fs'
import { chmod, cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { LedgerEntry } from '../../../src/audit/entry.ts'
import type { Reconciliation } from '../../../src/audit/reconcile.ts'
import type { LedgerCheck } from '../../../src/audit/verify.ts'
import { SOFTWARE } from '../../../src/common/software.ts'
import type { MemberView } from '../../../src/federation/membership/members-view.ts'
import { MIGRATIONS } from '../../../src/home/migrations.ts'
import type { Summary } from '../../../src/node/summary.ts'
import type { SiteStatus } from '../../../src/rounds/status.ts'
import {
  NAMES, readDice, readExchanges, readFacts, readMetrics, readTensorFile, SITES, type Expected, type SiteName
} from '../../fixtures/homes/facts.ts'
import { consilium, consiliumJson, start, type Running } from '../cli.ts'

const FIXTURES = fileURLToPath(new URL('../../fixtures/homes', import.meta.url))
/** Named after the commit that made it; each has a README.md. */
const VERSIONS = readdirSync(FIXTURES, { withFileTypes: true }).flatMap((each) => each.isDirectory() ? [each.name] : [])
const PATIENCE_MS = 120_000
const POLL_MS = 100
// Of another processor's rounding; experts that were not read move it farther.
const DICE_TOLERANCE = 0.005

for (const version of VERSIONS) {
  describe(`the homes of a federation that version ${version} left in the middle`, function () {
    this.timeout(300_000)
    let folder: string
    let expected: Expected
    let allRounds: number[]
    let matchedBefore: number
    const running = new Map<SiteName, Running>()
    const home = (name: SiteName): string => join(folder, name)

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'consilium-'))
      expected = JSON.parse(await readFile(join(FIXTURES, version, 'expected.json'), 'utf8')) as Expected
      allRounds = Array.from({ length: expected.federation.rounds }, (_, i) => i + 1)
      for (const name of NAMES) {
        await cp(join(FIXTURES, version, name), home(name), { recursive: true })
        // git keeps no such modes, and a key that others may read is refused.
        for (const key of ['identity.key', 'network.key']) await chmod(join(home(name), key), 0o600)
      }
    })

    after(async () => {
      for (const { child, ended } of running.values()) {
        child.kill('SIGKILL')
        await ended
      }
      await rm(folder, { recursive: true })
    })

    function launch (name: SiteName, ...args: string[]): void {
      running.set(name, start(['start', '--home', home(name), '--data', SITES[name], '--json', ...args]))
    }

    async function addressOf (name: SiteName): Promise<string> {
      const end = Date.now() + PATIENCE_MS
      while (Date.now() < end && running.get(name)!.child.exitCode == null) {
        const { code, stdout } = await consilium(['status', '--home', home(name), '--json'])
        const [address] = code === 0 ? (JSON.parse(stdout) as SiteStatus).addresses : []
        if (address != null) return address
        await sleep(POLL_MS)
      }
      throw new Error(`the ${name} does not listen: ${running.get(name)!.out.stderr}`)
    }

    /** The ledger must hold, and still contain the point where the old version left it. */
    async function verdictOf (name: SiteName): Promise<LedgerCheck> {
      const { entries, hash } = expected.sites[name].ledger
      return await consiliumJson<LedgerCheck>(['audit', 'verify', '--home', home(name), '--point', `${entries}:${hash}`])
    }

    async function reconciled (): Promise<Reconciliation> {
      return await consiliumJson<Reconciliation>(['audit', 'reconcile', home('founder'), home('member')])
    }

    async function ledgerOf (name: SiteName): Promise<LedgerEntry[]> {
      return await consiliumJson<LedgerEntry[]>(['audit', 'show', '--home', home(name)])
    }

    it('are read as they were left', async () => {
      for (const name of NAMES) {
        expect(await readFacts(home(name), consiliumJson), name).to.deep.equal(expected.sites[name])
        expect((await verdictOf(name)).ok, name).to.equal(true)
        const out = join(folder, `${name}.safetensors`)
        const exported = await consiliumJson(['export', '--home', home(name), '--out', out])
        expect(exported, name).to.include({ schemaHash: expected.federation.schemaHash })
        expect(await readTensorFile(out)).to.deep.equal(expected.sites[name].adapter)
      }
      expect(expected.inDoubt).to.not.be.empty
      for (const { id, initiator, partner, partnerState } of expected.inDoubt) {
        expect(await readExchanges(home(initiator))).to.deep.include({ id, state: 'pending' })
        expect(await readExchanges(home(partner))).to.deep.include({ id, state: partnerState })
      }
      const { differences, matched } = await reconciled()
      expect(differences).to.be.empty
      matchedBefore = matched
    })

    it('hold the models that they held', async () => {
      for (const name of NAMES) {
        const dice = await readDice(home(name), name, consiliumJson)
        for (const model of ['frozen', 'global', 'personal'] as const) {
          expect(dice[model], `${name}, ${model}`).to.be.closeTo(expected.dice[name][model], DICE_TOLERANCE)
        }
      }
    })

    it('are not changed by being read', async () => {
      for (const name of NAMES) expect(await readdir(home(name)), name).to.not.include('home.json')
    })

    it('go on together until the last round, as the sites that they were', async () => {
      launch('founder')
      launch('member', '--bootstrap', await addressOf('founder'))
      for (const name of NAMES) {
        const { code, stdout, stderr } = await running.get(name)!.ended
        expect(code, stderr).to.equal(0)
        const summary = JSON.parse(stdout) as Summary
        const { peerId, federation } = expected.sites[name]
        expect(summary, name).to.include({ peerId, federation, rounds: expected.federation.rounds })
        expect(summary.warnings.filter((each) => each.includes('from format 1 to 2')), name).to.have.length(1)
        expect(summary.warnings.join('\n'), name).to.not.match(/damaged|no adapter|start.* again|took the adapter/)
      }
    })

    it('are brought to the present format, and keep what older software would miss', async () => {
      const book = 'membership/members.json'
      for (const name of NAMES) {
        const written = JSON.parse(await readFile(join(home(name), 'home.json'), 'utf8')) as unknown
        expect(written, name).to.deep.equal({ format: MIGRATIONS.at(-1)!.to, software: SOFTWARE })
        const was = await readFile(join(FIXTURES, version, name, book))
        expect(await readFile(join(home(name), 'before-format-2', book)), name).to.deep.equal(was)
        const other = (await consiliumJson<MemberView[]>(['members', '--home', home(name)])).find(({ software }) => software != null)
        expect(other, name).to.include({ peerId: expected.sites[NAMES.find((each) => each !== name)!].peerId, software: SOFTWARE })
      }
    })

    it('repeat no round', async () => {
      for (const name of NAMES) {
        const { finishedRounds, roundAdapters, initial, adapter } = expected.sites[name]
        const metrics = await readMetrics(home(name))
        expect(metrics.map(({ round }) => round), name).to.deep.equal(allRounds)
        const trained = (await ledgerOf(name)).flatMap((entry) => entry.kind === 'round' ? [entry.round] : [])
        expect(trained, name).to.deep.equal(allRounds)
        // Where phase G had landed in the checkpoint, it is not done again either.
        expect(metrics[finishedRounds.length]!.lossG == null, name).to.equal(adapter.round > finishedRounds.length)
        for (const [file, was] of Object.entries(roundAdapters)) {
          if (was.round <= finishedRounds.length) expect(await readTensorFile(join(home(name), 'adapters', file)), file).to.deep.equal(was)
        }
        expect(await readdir(join(home(name), 'adapters')), name).to.have.length(expected.federation.rounds)
        expect(await readTensorFile(join(home(name), 'initial.safetensors')), name).to.deep.equal(initial)
        const now = await readTensorFile(join(home(name), 'adapter.safetensors'))
        expect(now, name).to.include({ round: expected.federation.rounds, schemaHash: adapter.schemaHash })
        expect(now.sha256, name).to.not.equal(adapter.sha256)
      }
    })

    it('settle what was in doubt as the partner had decided', async () => {
      for (const { id, initiator, partner } of expected.inDoubt) {
        const ends = (await ledgerOf(initiator)).filter((entry) => 'id' in entry && entry.id === id)
        expect(ends.map((entry) => 'outcome' in entry ? entry.outcome : entry.kind)).to.deep.equal(['doubt', 'committed'])
        expect(ends.at(-1)).to.include({ kind: 'settled', partner: expected.sites[partner].peerId })
        const decided = (await ledgerOf(partner)).filter((entry) => 'id' in entry && entry.id === id)
        expect(decided).to.have.length(1)
        const { peerId } = expected.sites[initiator]
        expect(decided[0]).to.include({ kind: 'exchange', outcome: 'committed', role: 'responder', partner: peerId })
        expect(await readExchanges(home(initiator))).to.not.deep.include({ id, state: 'pending' })
      }
    })

    it('have ledgers that hold over the seam, and agree', async () => {
      for (const name of NAMES) {
        expect((await verdictOf(name)).ok, name).to.equal(true)
        const { ledger } = expected.sites[name]
        const entries = await ledgerOf(name)
        expect(entries[ledger.entries], name).to.include({ kind: 'start', prev: ledger.hash })
        expect(entries.at(-1), name).to.include({ kind: 'stop', reason: 'done' })
      }
      const { differences, matched } = await reconciled()
      expect(differences).to.be.empty
      expect(matched, 'exchanges of both versions').to.be.greaterThan(matchedBefore)
    })
  })
}
