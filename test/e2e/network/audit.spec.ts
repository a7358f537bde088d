import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { LedgerEntry } from '../../../src/audit/entry.ts'
import type { Reconciliation } from '../../../src/audit/reconcile.ts'
import type { LedgerCheck } from '../../../src/audit/verify.ts'
import type { SiteStatus } from '../../../src/rounds/status.ts'
import { consilium, consiliumJson, plainLines, start, type Running } from '../cli.ts'

const SAMPLE = 'samples/colin27/hospital-a'
const PATIENCE_MS = 120_000
const NAMES = ['a', 'b'] as const

describe('the audit ledger of two sites, one of which is killed', function () {
  this.timeout(900_000)
  let folder: string
  const running = new Map<string, Running>()
  const home = (name: string): string => join(folder, name)

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    for (const kind of ['images', 'masks']) {
      await mkdir(join(folder, 'data', kind), { recursive: true })
      for (const name of (await readdir(join(SAMPLE, kind))).sort().slice(8, 16)) {
        await cp(join(SAMPLE, kind, name), join(folder, 'data', kind, name))
      }
    }
  })

  after(async () => {
    for (const { child, ended } of running.values()) {
      child.kill('SIGKILL')
      await ended
    }
    await rm(folder, { recursive: true })
  })

  function launch (name: string, ...args: string[]): void {
    running.set(
      name,
      start(['start', '--home', home(name), '--data', join(folder, 'data'), '--threads', '1', '--listen', '/ip4/127.0.0.1/tcp/0', ...args])
    )
  }

  async function until (name: string, holds: (status: SiteStatus) => boolean): Promise<SiteStatus> {
    const end = Date.now() + PATIENCE_MS
    while (Date.now() < end && running.get(name)!.child.exitCode == null) {
      const { code, stdout } = await consilium(['status', '--home', home(name), '--json'])
      if (code === 0 && holds(JSON.parse(stdout) as SiteStatus)) return JSON.parse(stdout) as SiteStatus
      await sleep(100)
    }
    throw new Error(`waited in vain for ${name}: ${running.get(name)!.out.stderr}`)
  }

  it('is whole at both, and they agree about every exchange', async () => {
    // Killed for any time, it trains every round that it missed, and skips none by taking the other's adapter over.
    const settings = join(folder, 'settings.json')
    await writeFile(settings, JSON.stringify({ averaging: { staleness: 6 } }))
    await consiliumJson([
      'federation',
      'create',
      '--home',
      home('a'),
      '--name',
      'test',
      '--rounds',
      '6',
      '--cool-down',
      '120',
      '--settings',
      settings
    ])
    const { peerId } = await consiliumJson<{ peerId: string }>(['init', '--home', home('b')])
    const { invitation } = await consiliumJson<{ invitation: string }>(['invite', peerId, '--home', home('a'), '--name', 'b'])
    await consiliumJson(['join', invitation, '--home', home('b')])
    launch('a')
    const { addresses: [address] } = await until('a', ({ addresses }) => addresses.length > 0)
    launch('b', '--bootstrap', address!)
    await until('b', ({ exchanges, round }) => exchanges > 1 && round >= 2)
    running.get('b')!.child.kill('SIGKILL')
    await running.get('b')!.ended
    expect((await consiliumJson<LedgerCheck>(['audit', 'verify', '--home', home('b')])).ok, 'after SIGKILL').to.equal(true)
    launch('b', '--bootstrap', address!)
    for (const name of NAMES) expect((await running.get(name)!.ended).code, running.get(name)!.out.stderr).to.equal(0)

    for (const name of NAMES) expect(await consiliumJson<LedgerCheck>(['audit', 'verify', '--home', home(name)])).to.include({ ok: true })
    const result = await consiliumJson<Reconciliation>(['audit', 'reconcile', home('a'), home('b')])
    expect(result.differences).to.be.empty
    expect(result.matched).to.be.greaterThan(4)
  })

  it('shows who, what and when', async () => {
    const { peerId } = await consiliumJson<{ peerId: string }>(['id', '--home', home('b')])
    const entries = await consiliumJson<LedgerEntry[]>(['audit', 'show', '--home', home('a'), '--peer', peerId, '--since', '1h'])
    expect(new Set(entries.map(({ kind }) => kind))).to.include.keys('connection', 'exchange', 'membership')
    const exchange = entries.find((entry) => entry.kind === 'exchange' && entry.outcome === 'committed')
    expect(exchange).to.include.keys(
      'id',
      'partner',
      'role',
      'round',
      'partnerRound',
      'tensors',
      'bytesSent',
      'bytesReceived',
      'sentDigest',
      'receivedDigest',
      'codec'
    )
    const all = await consiliumJson<LedgerEntry[]>(['audit', 'show', '--home', home('b')])
    expect(all.filter(({ kind }) => kind === 'start')).to.have.length(2)
    expect(all.filter(({ kind }) => kind === 'round').length).to.be.at.least(5)
    expect(all.at(-1)).to.include({ kind: 'stop', reason: 'done' })
    expect(JSON.stringify(all)).not.to.match(/colin27|images\/|\.png/)
  })

  it('is exported and judged by the federation document alone', async () => {
    const bundle = join(folder, 'b.bundle')
    await consiliumJson(['audit', 'export', '--home', home('b'), '--out', bundle])
    await cp(join(home('a'), 'federation.json'), join(folder, 'federation.json'))
    expect(await consiliumJson<LedgerCheck>(['audit', 'verify', '--bundle', bundle, '--federation', join(folder, 'federation.json')])).to
      .include({ ok: true })
    expect(await consiliumJson<Reconciliation>(['audit', 'reconcile', home('a'), bundle])).to.include({ ok: true })
    const bytes = await readFile(bundle)
    bytes[bytes.length - 100]! ^= 1
    await writeFile(bundle, bytes)
    const { code, stderr } = await consilium(['audit', 'verify', '--bundle', bundle, '--federation', join(folder, 'federation.json')])
    expect([code, plainLines(stderr).length]).to.deep.equal([1, 1])
  })

  it('stays readable under the peer id that the site had before it took another', async () => {
    const { peerId } = await consiliumJson<{ peerId: string }>(['id', '--home', home('b')])
    await consiliumJson(['id', 'rotate', '--home', home('b')])
    expect(await consiliumJson<LedgerCheck>(['audit', 'verify', '--home', home('b'), '--former', peerId])).to.include({ ok: true, peerId })
    expect(await consiliumJson<LedgerEntry[]>(['audit', 'show', '--home', home('b'), '--former', peerId])).to.not.be.empty
    expect((await consilium(['audit', 'verify', '--home', home('b'), '--former', peerId.replace(/.{5}/, '12D3X')])).code).to.equal(1)
  })

  it('shows an edit in one plain line and exit code 1', async () => {
    const file = join(home('a'), 'audit', 'ledger-000001.jsonl')
    await writeFile(file, (await readFile(file, 'utf8')).replace('"direction":"inbound"', '"direction":"outbound"'))
    const { code, stderr } = await consilium(['audit', 'verify', '--home', home('a')])
    expect(code).to.equal(1)
    expect(plainLines(stderr)).to.have.length(1)
    expect(stderr).to.match(/^consilium: the ledger does not verify: .*was changed/)
  })
})
