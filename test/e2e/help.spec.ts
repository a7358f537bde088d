import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { ROOT } from '../unit/documents/markdown.ts'

const run = promisify(execFile)
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }

/** Of those that are programs of this project: what Node is told to run, without the build before it. */
const programs = Object.entries(scripts).flatMap(([name, line]): [string, string[]][] => {
  const words = /node ((?:--[\w-]+(?: tsx)? )*(?:dist\/)?(?:bench|scripts)\/\S+\/index\.[jt]s)$/.exec(line)?.[1]?.split(' ')
  return words == null ? [] : [[name, words]]
})

describe('--help of every bench and script', function () {
  this.timeout(120_000)

  it('is looked for in all of them', () => {
    expect(programs.map(([name]) => name)).to.include.members(['bench:flood', 'bench:sam', 'digests', 'reference', 'sample', 'testnet'])
    const named = Object.keys(scripts).filter((name) => /^(airgapped|bench:|digests|reference|sample|pretrain|setup:|testnet)/.test(name))
    expect(programs.map(([name]) => name)).to.have.members(named)
  })

  for (const [name, words] of programs) {
    it(`npm run ${name} -- --help says what it takes, and does nothing`, async () => {
      const { stdout } = await run(process.execPath, [...words, '--help'], { cwd: ROOT })
      expect(stdout).to.include(`npm run ${name}`)
    })
  }
})
