import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { consilium, start, type Running } from './cli.ts'

const ROOT = join(import.meta.dirname, '../..')
const UNIT = readFileSync(join(ROOT, 'deploy/systemd/consilium.service'), 'utf8')
const POLL_MS = 100
/** Shorter than the unit's two minutes. */
const WATCHDOG_MS = 4_000

/** What systemd does by its protocol, in a test that needs no systemd: hears what the site says, and ends it where it falls silent. */
describe('a site as a service', function () {
  this.timeout(600_000)
  const heard: { readonly line: string, readonly at: number }[] = []
  let folder: string
  let receiver: ChildProcess | undefined
  let site: Running | undefined

  before(async function () {
    if (['perl', 'systemd-notify'].some((name) => spawnSync(name, ['--version']).error != null)) {
      console.log('      skipped: perl or systemd-notify is missing')
      this.skip()
    }
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    receiver = spawn('perl', [join(ROOT, 'test/fixtures/receive-datagrams.pl'), join(folder, 'notify')], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const lines = createInterface({ input: receiver.stdout! })
    lines.on('line', (line) => { heard.push({ line, at: Date.now() }) })
    await once(lines, 'line')
    const { code, stderr } = await consilium(['federation', 'create', '--home', join(folder, 'home'), '--name', 'x', '--rounds', '2'])
    expect(code, stderr).to.equal(0)
  })

  after(async () => {
    site?.child.kill('SIGKILL')
    await site?.ended
    if (receiver == null) return
    receiver.kill()
    await rm(folder, { recursive: true })
  })

  /** The index after the first line from there on that says this. */
  async function hear (words: RegExp, from: number): Promise<number> {
    for (;;) {
      const at = heard.findIndex(({ line }, i) => i >= from && words.test(line))
      if (at >= 0) return at + 1
      if (site!.child.exitCode != null) throw new Error(site!.out.stderr)
      await sleep(POLL_MS)
    }
  }

  /** Starts it and waits until it is ready, and has said once more that it lives. */
  async function ready (): Promise<void> {
    const from = heard.length
    const data = join(ROOT, 'samples/colin27/hospital-a')
    site = start(['start', '--home', join(folder, 'home'), '--data', data, '--listen', '/ip4/127.0.0.1/tcp/0', '--threads', '1'], {
      env: { NOTIFY_SOCKET: join(folder, 'notify'), WATCHDOG_USEC: String(WATCHDOG_MS * 1_000) }
    })
    await hear(/^STATUS=.*WATCHDOG=1/, await hear(/^READY=1\|STATUS=.+\|WATCHDOG=1$/, from))
  }

  /** As systemd: after so much silence. */
  async function fire (): Promise<void> {
    const last = (): number => heard.findLast(({ line }) => line.includes('WATCHDOG=1'))!.at
    while (Date.now() - last() < WATCHDOG_MS) await sleep(POLL_MS)
    site!.child.kill('SIGABRT')
    site!.child.kill('SIGKILL')
  }

  it('is ready, is ended and started again where it hangs, and stops in order when it is told to', async () => {
    await ready()
    // Nothing of it turns any more.
    site!.child.kill('SIGSTOP')
    await fire()
    const { code } = await site!.ended
    expect([code, site!.child.signalCode]).to.deep.equal([null, 'SIGKILL'])
    expect(UNIT).to.match(/^Restart=on-failure$/m).and.to.match(/^WatchdogSec=/m)
    await ready()
    const from = heard.length
    site!.child.kill('SIGTERM')
    expect((await site!.ended).code, site!.out.stderr).to.equal(0)
    await hear(/^STOPPING=1$/, from)
    expect(site!.child.signalCode).to.equal(null)
  })
})
