import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

interface Violation {
  readonly from: string
  readonly to: string
  readonly rule: { readonly name: string }
}
interface Rule {
  readonly name: string
  readonly from: { readonly path?: string }
  readonly to: { readonly pathNot?: readonly string[] }
}

const root = join(import.meta.dirname, '../..')
const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
const { forbidden } = createRequire(import.meta.url)(join(root, '.dependency-cruiser.cjs')) as { forbidden: readonly Rule[] }

async function violations (folder: string): Promise<string[]> {
  const args = [bin, folder, '--config', '.dependency-cruiser.cjs', '--output-type', 'json']
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, maxBuffer: 64 * 1024 ** 2 })
    .catch((error: { stdout: string }) => error)
  const { summary } = JSON.parse(stdout) as { summary: { violations: Violation[] } }
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${short(from)} → ${short(to)}`).sort()
}

function short (path: string): string {
  return /node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(path)?.[1] ?? path.replace(/^.*\/src\//, '')
}

/** Rooms that have a row, in its order: from the ground to the roof. */
const rooms = forbidden.flatMap(({ name }) => /^room-(.*)$/.exec(name)?.[1] ?? [])

describe('the fence', () => {
  it('catches every deliberately bad import, one or more in each row', async () => {
    const found = await violations('test/fixtures/layers/src')
    expect(found).to.deep.equal([
      'no-cycles: adapter/one.ts → adapter/other.ts',
      ...['adapter', 'common', 'compute', 'dataset', 'dicomweb', 'experiment', 'formats', 'model', 'page', 'privacy', 'report', 'settings',
        'simulation', 'viewer']
        .flatMap((room) => [`room-${room}: ${room}/bad.ts → @libp2p/interface`, `room-${room}: ${room}/bad.ts → node/daemon.ts`]),
      'room-audit: audit/bad.ts → @tensorflow/tfjs-core',
      'room-audit: audit/bad.ts → node/daemon.ts',
      'room-cli: cli/bad.ts → libp2p',
      'room-experiment: experiment/phantoms.ts → bench/pfedsam/sites.ts',
      'room-federation: federation/bad.ts → rounds/peer-table.ts',
      'room-gossip-aggregation: gossip-aggregation/bad.ts → fs',
      'room-gossip-aggregation: gossip-aggregation/bad.ts → node/daemon.ts',
      'room-home: home/bad.ts → node/daemon.ts',
      'room-node: node/bad.ts → @tensorflow/tfjs-core',
      'room-node: node/bad.ts → model/bad.ts',
      'room-node: node/bad.ts → site-model/session.ts',
      'room-protocol: protocol/bad.ts → fs',
      'room-protocol: protocol/bad.ts → gossip-aggregation/averager.ts',
      'room-rounds: rounds/bad.ts → site-model/session.ts',
      'room-site-model: site-model/bad.ts → libp2p',
      'room-site-model: site-model/bad.ts → rounds/peer-table.ts',
      'src-stands-alone: experiment/phantoms.ts → bench/pfedsam/sites.ts',
      'types-federation: federation/bad.ts → protocol/frames.ts',
      'types-home: home/bad.ts → gossip-aggregation/averager.ts',
      'types-rounds: rounds/bad.ts → protocol/frames.ts'
    ].sort())
    for (const { name } of forbidden) expect(found.some((each) => each.startsWith(`${name}:`)), name).to.equal(true)
  }).timeout(60_000)

  it('lets no room hold more than 15 % of the lines under src', async () => {
    const lines = new Map<string, number>()
    for (const file of await readdir(join(root, 'src'), { recursive: true })) {
      if (!file.endsWith('.ts')) continue
      const [room = ''] = file.split('/')
      lines.set(room, (lines.get(room) ?? 0) + (await readFile(join(root, 'src', file), 'utf8')).split('\n').length)
    }
    const total = [...lines.values()].reduce((sum, count) => sum + count, 0)
    for (const [room, count] of lines) expect(count / total, room).to.be.at.most(0.15)
  })

  it('has a row for every room, and no row opens a door to a higher floor', async () => {
    const folders = (await readdir(join(root, 'src'), { withFileTypes: true })).filter((each) => each.isDirectory()).map(({ name }) => name)
    expect([...rooms].sort()).to.deep.equal(folders.sort())
    for (const [floor, room] of rooms.slice(0, -1).entries()) {
      const { to } = forbidden.find(({ name }) => name === `room-${room}`)!
      const opened = to.pathNot!.flatMap((pattern) => /src\/([a-z-]+)\//.exec(pattern)?.[1] ?? [])
      for (const each of opened) expect(rooms.indexOf(each), `${room} → ${each}`).to.be.at.most(floor)
    }
  })
})
