import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

interface Violation { readonly from: string, readonly to: string, readonly rule: { readonly name: string } }

const root = join(import.meta.dirname, '../..')
const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')

async function violations (folder: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    bin,
    folder,
    '--config',
    '.dependency-cruiser.cjs',
    '--output-type',
    'json'
  ], { cwd: root, maxBuffer: 64 * 1024 ** 2 })
    .catch((error: { stdout: string }) => error)
  const { summary } = JSON.parse(stdout) as { summary: { violations: Violation[] } }
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${short(from)} → ${short(to)}`).sort()
}

function short (path: string): string {
  return /node_modules\/(@[^/]+\/[^/]+|[^/]+)/.exec(path)?.[1] ?? path.replace(/^.*\/src\//, '')
}

describe('the import table', () => {
  it('catches the deliberately bad fixture', async () => {
    expect(await violations('test/fixtures/layers/src')).to.deep.equal([
      'layers-gossip-aggregation: gossip-aggregation/bad.ts → fs',
      'layers-model: model/bad.ts → @libp2p/interface',
      'layers-model: model/bad.ts → node/daemon.ts'
    ])
  }).timeout(60_000)
})
