import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { linesOf } from '../../unit/documents/markdown.ts'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const OUT = join(ROOT, 'out/examples')

const run = promisify(execFile)

async function sh (line: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', line], { cwd: ROOT })
  return stdout
}

interface Entry { readonly dtype: string, readonly shape: readonly number[], readonly data_offsets: readonly [number, number] }

/** The head of a safetensors file, read after the format's own description and not by our reader; `start` is where the data begin. */
function readHead (file: Buffer): { head: Record<string, Entry>, start: number } {
  const start = 8 + Number(file.readBigUInt64LE(0))
  return { head: JSON.parse(file.toString('utf8', 8, start)) as Record<string, Entry>, start }
}

describe('examples/README.md', function () {
  this.timeout(300_000)
  const lines = linesOf('examples/README.md').filter(({ fenced }) => fenced).map(({ line }) => line)

  before(async () => { await rm(OUT, { recursive: true, force: true }) })

  it('names every example', async () => {
    expect(lines).to.have.length.above(3)
    const names = (await run('git', ['ls-files', 'examples'], { cwd: ROOT })).stdout.match(/^examples\/.*\.(ts|py)$/gm) ?? []
    for (const name of names) expect(lines.some((line) => line.includes(name)), `${name} is run by a line`).to.equal(true)
  })

  for (const line of lines) {
    it(line, async function () {
      if (line.startsWith('python3')) {
        const missing = await sh('python3 -c "import numpy, safetensors"').then(() => false, () => true)
        if (missing) {
          console.log('      skipped: it needs python3 with the packages numpy and safetensors')
          this.skip()
        }
      }
      const stdout = await sh(line)
      if (line.endsWith('two-sites.ts')) expect(stdout.match(/2 rounds, [1-9]\d* exchanges/g)).to.have.length(2)
      if (line.endsWith('predict.ts')) expect(await readFile(join(OUT, 'mask.png'))).to.have.length.above(100)
      if (line.startsWith('python3')) expect(stdout).to.match(/^sam-tiny.*, round 2, schema [0-9a-f]{12}\n.*\(4, 128\)/)
    })
  }

  // What the Python package relies on, checked where there is none.
  it('exports an adapter in the format of safetensors', async () => {
    const file = await readFile(join(OUT, 'adapter.safetensors'))
    const { head: { __metadata__: meta, ...tensors }, start } = readHead(file)
    expect(meta).to.include({ format: 'pt', round: '2' })
    let next = 0
    const inOrder = Object.values(tensors).sort((a, b) => a.data_offsets[0] - b.data_offsets[0])
    for (const { dtype, shape, data_offsets: [begin, end] } of inOrder) {
      expect([dtype, begin, end]).to.deep.equal(['F32', next, next + 4 * shape.reduce((product, side) => product * side, 1)])
      for (let at = start + begin; at < start + end; at += 4) expect(Number.isFinite(file.readFloatLE(at))).to.equal(true)
      next = end
    }
    expect(next).to.equal(file.length - start)
  })
})
