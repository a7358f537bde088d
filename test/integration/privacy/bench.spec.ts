import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { Finding, Attacked } from '../../../bench/privacy/rows.ts'

const BENCH = fileURLToPath(new URL('../../../bench/privacy/index.ts', import.meta.url))

describe('bench:privacy', function () {
  this.timeout(600_000)
  let out: string

  before(async () => { out = await mkdtemp(join(tmpdir(), 'privacy-')) })
  after(async () => { await rm(out, { recursive: true }) })

  it('attacks the smallest site behind every defence, and writes what it finds', async () => {
    const args = ['--import', 'tsx', BENCH, '--preset', 'smoke', '--out', out]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let [text, said] = ['', '']
    child.stdout.on('data', (bytes: Buffer) => { text += bytes.toString() })
    child.stderr.on('data', (bytes: Buffer) => { said += bytes.toString() })
    const [code] = await once(child, 'close') as [number | null]
    expect(code, said).to.equal(0)
    const { attacked: [found], findings } = JSON.parse(await readFile(join(out, 'report.json'), 'utf8')) as {
      attacked: Attacked[],
      findings: Finding[]
    }
    const { rows, guess, gradient } = found!
    expect(rows.map(({ defence }) => defence)).to.deep.equal(['plain', 'sealed-3', 'sealed-5', 'site-8', 'patient-8'])
    for (const { defence, advantage, auc, dice, inversion: { psnr, ssim } } of rows) {
      expect([advantage.mean, auc.mean, dice, psnr, ssim].every(Number.isFinite), defence).to.equal(true)
      expect(text).to.include(`| ${rows[0]!.title} |`)
    }
    expect(gradient.psnr, 'the attack moves').not.to.equal(guess.psnr)
    expect(findings.map(({ name }) => name)).to.deep.equal(['site', 'patient'].map((unit) =>
      `fundus-phantom: DP of ${unit}s, ε 8 keeps the advantage below its bound`))
    expect(await readFile(join(out, 'report.html'), 'utf8')).to.include('What does a member learn?').and.not.include('<img')
  })
})
