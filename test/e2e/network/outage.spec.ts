import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { Summary } from '../../../src/node/summary.ts'
import type { SiteStatus } from '../../../src/rounds/status.ts'
import { ROOT } from '../../unit/documents/markdown.ts'
import { consiliumJson } from '../cli.ts'

const CLI = join(ROOT, 'dist/src/cli/index.js')
const NAMES = ['north', 'east', 'south'] as const
type Name = typeof NAMES[number]
const ROUNDS = 12
const POLL_MS = 500
/** On a crowded machine anything may take long. */
const PATIENCE_MS = 900_000
/** From the return of the lines to exchanges of all: twice the pause between two dials, and what a crowded machine takes for the rest. */
const RESUME_MS = 180_000
const TAG = `out${process.pid}`
const space = (name: string): string => `${TAG}-${name}`
const ip = (...args: string[]): void => { execFileSync('ip', args, { stdio: 'ignore' }) }

function canMakeNamespaces (): boolean {
  try {
    ip('netns', 'add', space('probe'))
    ip('netns', 'delete', space('probe'))
    return true
  } catch {
    return false
  }
}

/** One host a name on one bridge: 10.98.0.1 and so on. */
function connect (): void {
  ip('netns', 'add', space('hub'))
  ip('-n', space('hub'), 'link', 'add', 'br0', 'type', 'bridge')
  ip('-n', space('hub'), 'link', 'set', 'br0', 'up')
  for (const [i, name] of NAMES.entries()) {
    ip('netns', 'add', space(name))
    ip('-n', space(name), 'link', 'set', 'lo', 'up')
    ip('link', 'add', 'eth0', 'netns', space(name), 'type', 'veth', 'peer', 'name', `to-${name}`, 'netns', space('hub'))
    ip('-n', space(name), 'address', 'add', `10.98.0.${i + 1}/24`, 'dev', 'eth0')
    ip('-n', space('hub'), 'link', 'set', `to-${name}`, 'master', 'br0')
    for (const [host, link] of [[name, 'eth0'], ['hub', `to-${name}`]] as const) ip('-n', space(host), 'link', 'set', link, 'up')
  }
}

/** Every line at once: packets vanish, and nobody is told. */
function setLines (up: boolean): void {
  for (const name of NAMES) ip('-n', space('hub'), 'link', 'set', `to-${name}`, up ? 'up' : 'down')
}

describe('an outage of every line', function () {
  this.timeout(4 * PATIENCE_MS)
  let folder: string
  const running = new Map<Name, { child: ChildProcess, err: () => string }>()
  const home = (name: Name): string => join(folder, name)

  before(async function () {
    if (!canMakeNamespaces()) this.skip()
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    connect()
  })

  after(async () => {
    for (const { child } of running.values()) {
      if (child.exitCode != null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    if (folder == null) return
    for (const name of [...NAMES, 'hub']) ip('netns', 'delete', space(name))
    await rm(folder, { recursive: true })
  })

  function start (name: Name): void {
    const index = NAMES.indexOf(name)
    const child = spawn('ip', [
      'netns', 'exec', space(name), process.execPath, CLI, 'start', '--home', home(name), '--name', name,
      '--data', join(ROOT, 'samples/colin27', `hospital-${'abc'[index]}`), '--threads', '1', '--wait-for', '3',
      '--listen', `/ip4/10.98.0.${index + 1}/tcp/4001`
    ])
    let text = ''
    child.stderr.on('data', (chunk: Buffer) => { text += chunk.toString() })
    running.set(name, { child, err: () => text })
  }

  /** Over the control port, which only that site's own host reaches. */
  async function statusOf (name: Name): Promise<SiteStatus | undefined> {
    try {
      const child = spawn('ip', ['netns', 'exec', space(name), process.execPath, CLI, 'status', '--json', '--home', home(name)])
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => { text += chunk.toString() })
      await once(child, 'close')
      return JSON.parse(text) as SiteStatus
    } catch {
      return undefined
    }
  }

  /** `orEnded`: a site that has finished well counts, too. */
  async function until (what: string, holds: (status: SiteStatus) => boolean, orEnded = false): Promise<void> {
    const end = Date.now() + PATIENCE_MS
    for (const name of NAMES) {
      for (;;) {
        const status = await statusOf(name)
        if (status != null && holds(status)) break
        const { child, err } = running.get(name)!
        if (orEnded && child.exitCode === 0) break
        if (child.exitCode != null || Date.now() > end) {
          throw new Error(`${name}: waited in vain until ${what}: ${JSON.stringify(status)} ${err().slice(-3_000)}`)
        }
        await sleep(POLL_MS)
      }
    }
  }

  it('pauses every site before its rounds are over, and none ends; when the lines are back all go on to one end', async () => {
    const settings = join(folder, 'settings.json')
    await writeFile(settings, JSON.stringify({ training: { stepsPerRound: 2 } }))
    const draft = ['--name', 'Three', '--rounds', String(ROUNDS), '--settings', settings]
    await consiliumJson(['federation', 'create', '--home', home('north'), ...draft])
    for (const name of ['east', 'south'] as const) {
      const { peerId } = await consiliumJson<{ peerId: string }>(['init', '--home', home(name)])
      const invite = ['invite', peerId, '--home', home('north'), '--name', name, '--bootstrap', '/ip4/10.98.0.1/tcp/4001']
      const { invitation } = await consiliumJson<{ invitation: string }>(invite)
      await consiliumJson(['join', invitation, '--home', home(name)])
    }
    for (const name of NAMES) start(name)
    await until('it has exchanged', ({ exchanges }) => exchanges > 0)
    setLines(false)
    await until('it pauses', ({ phase, warnings }) => phase === 'waiting' && /training pauses/.test(warnings.join()))
    const cut = new Map<Name, SiteStatus>()
    await until('it answers', (status) => {
      cut.set(status.name as Name, status)
      return true
    })
    for (const [name, { round }] of cut) expect(round, name).to.be.within(1, ROUNDS)

    setLines(true)
    const backAt = Date.now()
    await until('it exchanges again', ({ exchanges, name }) => exchanges > cut.get(name as Name)!.exchanges, true)
    expect(Date.now() - backAt, 'milliseconds until all exchange again').to.be.below(RESUME_MS)
    await Promise.all([...running.values()].map(async ({ child }) => { if (child.exitCode == null) await once(child, 'exit') }))
    for (const name of NAMES) {
      const { child, err } = running.get(name)!
      expect(child.exitCode, err().slice(-3_000)).to.equal(0)
      const { rounds, exchanges, exchangesByRound, steps } = JSON.parse(await readFile(join(home(name), 'summary.json'), 'utf8')) as Summary
      expect(rounds, name).to.equal(ROUNDS)
      expect(exchanges, name).to.be.above(cut.get(name)!.exchanges)
      expect(exchangesByRound.at(-1), `${name}: ${exchangesByRound.join()}`).to.be.at.least(1)
      expect(steps.lost, name).to.equal(0)
    }
  })
})
