import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect } from 'chai'
import { ROOT } from '../documents/markdown.ts'

describe('what is said of the packages', function () {
  this.timeout(60_000)
  let folder: string

  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  async function audit (answer: string): Promise<{ status: number | null, stdout: string }> {
    await writeFile(join(folder, 'npm'), `#!/bin/sh\ncat <<'END'\n${answer}\nEND\n`)
    await chmod(join(folder, 'npm'), 0o755)
    const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` }
    return spawnSync(process.execPath, [join(ROOT, 'scripts/audit-packages.js')], { encoding: 'utf8', env })
  }

  it('fails the check where an advisory is high, not where it is low, and says where nobody answers', async () => {
    const answer = (severity: string): string =>
      JSON.stringify({ vulnerabilities: { a: { name: 'a', severity, range: '<2' } }, metadata: { dependencies: { prod: 9 } } })
    const high = 'a <2: high\n9 packages, 1 with advisories that are high or critical\n'
    expect(await audit(answer('high'))).to.include({ status: 1, stdout: high })
    expect(await audit(answer('low'))).to.include({ status: 0, stdout: '9 packages, 0 with advisories that are high or critical\n' })
    for (const none of ['', '{"error":{"summary":"audit endpoint returned an error"}}']) {
      const { status, stdout } = await audit(none)
      expect(status).to.equal(0)
      expect(stdout).to.match(/^no audit: /)
    }
  })

  it('is a CycloneDX list that has every dependency as it is pinned', () => {
    const { stdout } = spawnSync('npm', ['run', '--silent', 'sbom'], { cwd: ROOT, encoding: 'utf8' })
    const list = JSON.parse(stdout) as { bomFormat: string, components: { purl: string }[] }
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
    expect(list.bomFormat).to.equal('CycloneDX')
    const purls = list.components.map(({ purl }) => decodeURIComponent(purl))
    expect(purls).to.include.members(Object.entries(dependencies).map(([name, version]) => `pkg:npm/${name}@${version}`))
  })
})
