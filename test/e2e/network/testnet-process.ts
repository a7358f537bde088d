import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { reportSchema, type Report } from '../../../scripts/testnet/report/report.ts'

const TESTNET = fileURLToPath(new URL('../../../dist/scripts/testnet/index.js', import.meta.url))
export const LIMIT_MS = 900_000

interface Ended { readonly code: number | null, readonly stdout: string, readonly stderr: string }

/** `npm run testnet` in a process of its own, in a folder of its own. */
export class TestnetProcess {
  readonly out: string
  #child: ChildProcess | undefined

  private constructor (out: string) {
    this.out = out
  }

  static async open (): Promise<TestnetProcess> {
    return new TestnetProcess(await mkdtemp(join(tmpdir(), 'testnet-e2e-')))
  }

  start (...args: string[]): { ended: Promise<Ended>, said: (words: string) => Promise<void> } {
    const running = spawn(process.execPath, [TESTNET, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = running
    const text = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      running[name].setEncoding('utf8').on('data', (chunk: string) => {
        text[name] += chunk
      })
    }
    const ended = once(running, 'close').then(([code]) => ({ code: code as number | null, ...text }))
    const said = async (words: string): Promise<void> => {
      while (!text.stdout.includes(words) && running.exitCode == null) await Promise.race([once(running.stdout, 'data'), ended])
      if (!text.stdout.includes(words)) throw new Error(`the testnet ended without saying "${words}": ${text.stderr}`)
    }
    return { ended, said }
  }

  /** Runs to its end: exit code 0, and every check of what came out holds. */
  async holds (...args: string[]): Promise<{ report: Report, stderr: string }> {
    return await this.holdsBut(undefined, ...args)
  }

  /** The same, but that on a crowded machine this one check may fail. */
  async holdsBut (words: string | undefined, ...args: string[]): Promise<{ report: Report, stderr: string }> {
    const { code, stdout, stderr } = await this.start('--out', this.out, ...args, '--json').ended
    expect(stdout, stderr).to.not.equal('')
    const report = reportSchema.parse(JSON.parse(stdout))
    const failed = report.checks.filter(({ ok, kind }) => !ok && kind === 'result')
    expect(failed.filter(({ name }) => words == null || !name.includes(words))).to.deep.equal([])
    expect(code, stderr).to.equal(failed.length === 0 ? 0 : 1)
    return { report, stderr }
  }

  interrupt (): void {
    this.#child?.kill('SIGINT')
  }

  /** Daemons that run on a home below the folder. */
  async daemons (): Promise<number[]> {
    const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid)
    return pids.filter((pid) => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
        return args.includes('start') && args.some((arg) => arg.startsWith(this.out))
      } catch {
        return false
      }
    })
  }

  async close (): Promise<void> {
    const child = this.#child
    if (child != null && child.exitCode == null && child.signalCode == null) child.kill('SIGKILL')
    for (const pid of await this.daemons()) process.kill(pid, 'SIGKILL')
    await rm(this.out, { recursive: true, force: true })
  }
}
