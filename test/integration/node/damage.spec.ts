import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { expect } from 'chai'
import { readFloatTensors } from '../../../src/adapter/safetensors.ts'
import { agreeTo } from '../../../src/federation/amendments/agreements.ts'
import { amend } from '../../../src/federation/amendments/amend.ts'
import { withMembership } from '../../../src/federation/membership/offline.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import type { Daemon } from '../../../src/node/daemon.ts'
import { Sites } from './sites.ts'

const ROUNDS = 3
const COPIED = 'was copied, restored, or moved to another disk since it ran last: run it in one place only'
const STRANGER = '12D3KooWMDnCnkdDCKNgkgeZcyNNDHiXnMw5ReQbZ2vM28d2fATZ'

const DAMAGES: Readonly<Record<string, (path: string) => Promise<void>>> = {
  flipped: async (path) => {
    const bytes = await readFile(path)
    bytes[bytes.length >> 1]! ^= 0x04
    await writeFile(path, bytes)
  },
  halved: async (path) => { await truncate(path, (await readFile(path)).length >> 1) },
  emptied: async (path) => { await truncate(path, 0) },
  deleted: async (path) => { await rm(path) }
}

/** Four bytes of a file become a number that moves whatever takes it for one. */
async function altered (path: string): Promise<void> {
  const bytes = await readFile(path)
  if (bytes.length >= 8) bytes.writeFloatLE(1e4, bytes.length - 8)
  await writeFile(path, bytes)
}

/** Written anew at every start or round and read by nobody of the site, or the user's own to edit, or a cache; each needs its reason. */
const SILENT: readonly (readonly [RegExp, readonly string[], string])[] = [
  [/^(summary|control|status)\.json$/, ['flipped', 'halved', 'emptied', 'deleted'], 'an output, written anew'],
  [/^inventory\.json$/, ['deleted'], 'a home of older software has none'],
  [/^config\.json$/, ['flipped', 'halved', 'emptied'], 'people write in it; the command line says where it is no JSON'],
  [/^best\.safetensors$/, ['flipped', 'halved', 'emptied'], 'for people alone; its checksum is checked by whoever reads it'],
  [/^adapters\//, ['flipped', 'halved', 'emptied', 'deleted'], 'for people alone; its checksum is checked by whoever reads it'],
  [/^adapter\.previous\.safetensors$/, ['flipped', 'halved', 'emptied'], 'read where the newest is damaged alone'],
  [/^initial\.safetensors$/, ['flipped', 'halved', 'emptied'], 'kept for people; the trainer makes it anew'],
  [/^membership\/pending\.jsonl$/, ['flipped', 'halved', 'emptied', 'deleted'], 'what a command did since, for the ledger alone']
]

interface Started { readonly warnings: readonly string[], readonly refused?: string, readonly rounds?: number }

describe('a home of which one file is damaged', function () {
  // Some hundred starts, on a machine that may be crowded.
  this.timeout(900_000)
  let sites: Sites
  let names: string[]
  let usual: readonly string[]

  before(async () => {
    sites = await Sites.create(['a', 'b'], { rounds: ROUNDS, coolDownSeconds: 1 })
    const paths = sites.paths('a')
    const a = sites.daemon('a').run()
    const { addresses } = await sites.statusOf('a', (status) => status.addresses.length > 0)
    await Promise.all([a, sites.daemon('b', { bootstrap: addresses }).run()])
    await withMembership(paths.home, async ({ membership, federation, key }) => {
      await membership.issueRevocation(STRANGER)
      const wanted = { settings: { training: { lrLora: 0.5 } } }
      const document = await amend(federation, wanted, { key, now: '2026-02-01T00:00:00.000Z', revoked: [] })
      await membership.documents.leave(document)
      await membership.documents.tend()
      // To what it has already: the other one it is asked about.
      await agreeTo(paths.agreements, federation.document)
    })
    await writeFile(paths.config, '{ "name": "a" }')
    await sites.leaveInDoubt('a', 'b', paths.adapter)
    // With all that in its inventory.
    usual = (await start('a')).warnings
    names = (await readdir(paths.home, { recursive: true, withFileTypes: true }))
      .flatMap((each) => each.isFile() ? [relative(paths.home, join(each.parentPath, each.name))] : [])
      // The book of peers is LevelDB's (peer-book.spec.ts); one adapter of a round is like the others.
      .filter((name) => !/^peers|round-000[2-9]/.test(name)).sort()
  })
  after(async () => { await sites.remove() })

  /** What a start says: its warnings, or why it was refused. */
  async function start (name: string, bootstrap: string[] = []): Promise<Started> {
    const daemon: Daemon = sites.daemon(name, { foundWithinMs: 0, waitFor: 1, aloneRounds: 1_000, bootstrap })
    try {
      const summary = await daemon.run()
      return { warnings: summary!.warnings, rounds: summary!.rounds }
    } catch (error) {
      expect((error as Error).name).to.match(/^(InputError|CorruptFileError|SchemaError)$/)
      return { warnings: [], refused: (error as Error).message }
    }
  }

  /** Does what the sentence asks for: a backup has the file as it was, and so has, of what all share, a new invitation. */
  async function follow (sentence: string, name: string): Promise<void> {
    const [copy, original] = [sites.paths('copy').home, sites.paths('a').home].map((home) => join(home, name)) as [string, string]
    if (/restore|invitation/.test(sentence)) await cp(original, copy)
    else if (sentence.includes('remove it')) await rm(copy)
    else throw new Error(`nothing to do is named: ${sentence}`)
  }

  /** The adapter that a site has on its disk. */
  async function heldBy (name: string): Promise<number[]> {
    const { tensors } = readFloatTensors(await readFile(sites.paths(name).adapter))
    return [...tensors.values()].flatMap(({ data }) => [...data])
  }

  it('of all files that decide what it holds: another site that runs beside it holds what it held', async () => {
    const before = await heldBy('b')
    let met = 0
    for (const name of names.filter((each) => /^(adapter|best|exchanges|inventory|metrics|audit|membership|unmixed)/.test(each))) {
      const copy = sitePaths(join(sites.folder, 'copy'))
      await rm(copy.home, { recursive: true, force: true })
      await mkdir(copy.home, { mode: 0o700 })
      await cp(sites.paths('a').home, copy.home, { recursive: true })
      await altered(join(copy.home, name))
      const b = sites.daemon('b', { foundWithinMs: 0, waitFor: 1, aloneRounds: 1_000 }).run()
      const { addresses } = await sites.statusOf('b', (status) => status.addresses.length > 0)
      await start('copy', addresses)
      await b
      met += (await sites.summary('b')).exchangesByRound.length
      const off = (await heldBy('b')).reduce((most, value, i) => Math.max(most, Math.abs(value - before[i]!)), 0)
      expect(off, name).to.be.below(1e-5)
    }
    expect(met, 'they did exchange').to.be.above(0)
  })

  it('holds what is to be tried', () => {
    expect(names).to.include.members([
      'adapter.previous.safetensors', 'adapter.safetensors', 'best.json', 'best.safetensors', 'membership/documents.json',
      'membership/agreements.json', 'audit/head.json', 'audit/ledger-000001.jsonl', 'config.json',
      'federation.json', 'home.json', 'identity.key', 'initial.safetensors', 'inventory.json', 'membership/members.json',
      'membership/statements.json', 'metrics.jsonl', 'network.key', 'adapters/round-0001.safetensors'
    ])
    expect(names.some((name) => name.endsWith('.pending')), 'an exchange in doubt').to.equal(true)
  })

  it('as a whole, copied: said once', async () => {
    const copy = sitePaths(join(sites.folder, 'twin'))
    await mkdir(copy.home, { mode: 0o700 })
    await cp(sites.paths('a').home, copy.home, { recursive: true })
    expect((await start('twin')).warnings.filter((each) => each.includes(COPIED))).to.have.length(1)
    expect((await start('twin')).warnings.filter((each) => each.includes(COPIED))).to.have.length(0)
    expect(usual.filter((each) => each.includes(COPIED))).to.have.length(0)
  })

  for (const [damage, harm] of Object.entries(DAMAGES)) {
    it(`${damage}: one sentence says so and the way on, which leads on, and no round is trained again`, async () => {
      for (const name of names) {
        const silent = SILENT.some(([pattern, damages]) => pattern.test(name) && damages.includes(damage))
        const copy = sitePaths(join(sites.folder, 'copy'))
        await rm(copy.home, { recursive: true, force: true })
        await mkdir(copy.home, { mode: 0o700 })
        await cp(sites.paths('a').home, copy.home, { recursive: true })
        await harm(join(copy.home, name))
        const { warnings, refused, rounds } = await start('copy')
        const news = refused == null ? warnings.filter((each) => !usual.includes(each) && !each.includes(COPIED)) : [refused]
        const told = `${damage} ${name}: ${JSON.stringify(news)}`
        if (!silent) expect(news, told).to.not.be.empty
        for (const sentence of news) expect(sentence, told).to.match(/: |, and /)
        if (refused == null) expect(rounds, told).to.equal(ROUNDS)
        else {
          await follow(refused, name)
          expect(await start('copy'), told).to.include({ rounds: ROUNDS }).and.not.to.have.property('refused')
        }
      }
    })
  }
})
