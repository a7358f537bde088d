import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { marked, type Tokens } from 'marked'
import { fetchControl } from '../../../src/node/control/client.ts'
import type { Summary } from '../../../src/node/summary.ts'
import type { SiteStatus } from '../../../src/rounds/status.ts'
import { ROOT } from '../../unit/documents/markdown.ts'

const run = promisify(execFile)
const CLI = join(ROOT, 'dist/src/cli/index.js')
const FOUNDER = 'north'
const OTHERS = ['east', 'south'] as const
const SITES = [FOUNDER, ...OTHERS] as const
type Site = typeof SITES[number]
const DATA: Record<Site, string> = { north: 'hospital-a', east: 'hospital-b', south: 'hospital-c' }
const POLL_MS = 300
/** On a crowded machine anything may take long, but something moves. */
const STALL_MS = 600_000

interface Line { readonly command: string, readonly aside: string }

/** The blocks of steps 1 to 3, a line of each with the words beside it. */
function blocksOfReadme (): Line[][] {
  const text = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const steps = text.slice(text.indexOf('## First steps'), text.indexOf('\n4. Afterwards'))
  const inside = (token: Tokens.Generic): Tokens.Generic[] =>
    [token, ...[...token['items'] as Tokens.Generic[] ?? [], ...token.tokens as Tokens.Generic[] ?? []].flatMap(inside)]
  const blocks = marked.lexer(steps).flatMap((token) => inside(token as Tokens.Generic)).filter(({ type }) => type === 'code')
  return blocks.map(({ text: code }) => (code as string).split('\n').map((line) => {
    const [command = '', ...aside] = line.trim().split(/ {2,}/)
    return { command, aside: aside.join(' ') }
  }))
}

describe('the first steps of README.md, by three sites as they are written', function () {
  this.timeout(0)
  const [look, found, join3] = blocksOfReadme() as [Line[], Line[], Line[]]
  let folder: string
  let children: Map<Site, { child: ChildProcess, err: () => string }>

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    children = new Map()
    for (const site of SITES) await mkdir(join(folder, site))
  })
  afterEach(async () => {
    for (const { child } of children.values()) {
      if (child.exitCode != null || child.signalCode != null) continue
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    await rm(folder, { recursive: true })
  })

  const envOf = (site: Site): NodeJS.ProcessEnv => ({ ...process.env, HOME: join(folder, site), CONSILIUM_THREADS: '1' })
  const homeOf = (site: Site): string => join(folder, site, '.consilium')

  /** The rule: this machine's folders stand for theirs, loopback and a free port for every interface and 4001. */
  function here (site: Site, command: string, filled: Readonly<Record<string, string>> = {}): string[] {
    const data = join(ROOT, 'samples/colin27', DATA[site])
    const rewritten: Record<string, string> = { '/data/prostate': data, '/ip4/0.0.0.0/tcp/4001': '/ip4/127.0.0.1/tcp/0', ...filled }
    const words = command.match(/"[^"]*"|\S+/g) ?? []
    expect(words.shift()).to.equal('consilium')
    return words.map((word) => word.replaceAll('"', '')).map((word) => rewritten[word] ?? word)
  }

  async function type (site: Site, { command }: Line, filled?: Record<string, string>): Promise<string> {
    const args = [CLI, ...here(site, command, filled)]
    return (await run(process.execPath, args, { cwd: join(folder, site), env: envOf(site) })).stdout.trim()
  }

  function start (site: Site, { command }: Line, filled?: Record<string, string>): void {
    const child = spawn(process.execPath, [CLI, ...here(site, command, filled)], { cwd: folder, env: envOf(site) })
    let text = ''
    child.stderr.on('data', (chunk: Buffer) => { text += chunk.toString() })
    children.set(site, { child, err: () => text })
  }

  /** What answers until it is stopped; resolves with its first line. */
  async function open (site: Site, { command }: Line): Promise<string> {
    const child = spawn(process.execPath, [CLI, ...here(site, command)], { cwd: folder, env: envOf(site) })
    const [said] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]) as [unknown]
    child.kill('SIGINT')
    if (child.exitCode == null && child.signalCode == null) await once(child, 'exit')
    return String(said)
  }

  /** Until it holds for all of them; fails when nothing has moved anywhere for long. */
  async function until (what: string, sites: readonly Site[], holds: (status: SiteStatus) => boolean): Promise<void> {
    const moved = { what: '', at: Date.now() }
    for (;;) {
      const all = await statuses(sites)
      if (all.every((status) => status != null && holds(status))) return
      note(moved, all, what)
      await sleep(POLL_MS)
    }
  }

  async function statuses (sites: readonly Site[]): Promise<(SiteStatus | undefined)[]> {
    return await Promise.all(sites.map(async (site) => await fetchControl<SiteStatus>(homeOf(site), '/status').catch(() => undefined)))
  }

  function note (moved: { what: string, at: number }, all: readonly (SiteStatus | undefined)[], goal: string): void {
    const now = JSON.stringify(all.map((status) => [status?.round, status?.phase, status?.progress, status?.exchanges]))
    for (const [site, { child, err }] of children) {
      if ((child.exitCode ?? 0) !== 0) throw new Error(`${site} ended with ${child.exitCode}: ${err().slice(-2_000)}`)
    }
    if (now !== moved.what) Object.assign(moved, { what: now, at: Date.now() })
    if (Date.now() - moved.at > STALL_MS) throw new Error(`nothing moves, waiting until ${goal}: ${now}`)
  }

  async function end (): Promise<void> {
    const moved = { what: '', at: Date.now() }
    while ([...children.values()].some(({ child }) => child.exitCode == null)) {
      note(moved, await statuses(SITES), 'all have finished')
      await sleep(POLL_MS)
    }
  }

  /** Every round of every site had an exchange, and all are of one federation. */
  async function expectOneFederation (rounds: number): Promise<void> {
    const summaries = await Promise.all(SITES.map(async (site) =>
      JSON.parse(await readFile(join(homeOf(site), 'summary.json'), 'utf8')) as Summary))
    expect(new Set(summaries.map(({ federation }) => federation)).size).to.equal(1)
    for (const { rounds: done, exchangesByRound, steps } of summaries) {
      expect(done).to.equal(rounds)
      expect(exchangesByRound).to.have.length(rounds)
      expect(Math.min(...exchangesByRound), exchangesByRound.join()).to.be.at.least(1)
      expect(steps.lost).to.equal(0)
    }
  }

  const lineWith = (lines: readonly Line[], words: string): Line => lines.find(({ command }) => command.includes(words))!
  const isFounders = ({ aside, command }: Line): boolean => aside.startsWith('the founder') || command.includes('federation show')

  it('holds the lines that this test goes by', () => {
    expect(look.map(({ command }) => command)).to.deep.equal(['consilium data check /data/prostate'])
    expect(found.filter((line) => !isFounders(line)).map(({ command, aside }) => [command.split(' ')[1], aside.slice(0, 8)]))
      .to.deep.equal([['model', 'only for'], ['init', 'every ot']])
    expect(join3.map(({ command }) => command.split(' ')[1])).to.deep.equal(['join', 'start', 'status', 'page'])
  })

  it('in their order: nobody trains before all are there, and every round has exchanges', async () => {
    for (const site of SITES) expect(await type(site, look[0]!)).not.to.equal('')
    const peerIds = new Map<Site, string>()
    const invitations = new Map<Site, string>()
    for (const line of found.filter(({ aside }) => !aside.startsWith('only for'))) {
      if (line.command.startsWith('consilium init')) for (const site of OTHERS) peerIds.set(site, await type(site, line))
      else if (line.command.startsWith('consilium invite')) {
        for (const site of OTHERS) invitations.set(site, await type(FOUNDER, line, { PEER_ID: peerIds.get(site)! }))
      } else if (line.command.startsWith('consilium start')) {
        start(FOUNDER, line)
        await until('the founder waits', [FOUNDER], ({ phase }) => phase === 'waiting')
      } else expect(await type(FOUNDER, line)).not.to.equal('')
    }
    for (const site of OTHERS) {
      await until('those who are there wait', [...children.keys()], ({ phase, exchanges }) => phase === 'waiting' && exchanges === 0)
      for (const line of join3) {
        if (line.command.startsWith('consilium start')) {
          start(site, line)
          await until(`${site} is up`, [site], ({ phase }) => phase !== 'starting')
        } else if (line.command === 'consilium page') expect(await open(site, line)).to.match(/^open http:\/\/127\.0\.0\.1:/)
        else expect(await type(site, line, { INVITATION: invitations.get(site)! })).not.to.equal('')
      }
    }
    await end()
    await expectOneFederation(20)
  })

  it('with the founder last, whom the invitation names: the same, in fewer rounds', async () => {
    const port = await freePort()
    const address = `/ip4/127.0.0.1/tcp/${port}`
    await type(FOUNDER, lineWith(found, 'federation create'), { 20: '4' })
    for (const site of OTHERS.toReversed()) {
      const peerId = await type(site, lineWith(found, 'init'))
      const invite = lineWith(found, 'invite')
      const withAddress = { ...invite, command: `${invite.command} --bootstrap ${address}` }
      await type(site, join3[0]!, { INVITATION: await type(FOUNDER, withAddress, { PEER_ID: peerId }) })
      start(site, join3[1]!)
    }
    await until('the others wait', OTHERS, ({ phase }) => phase === 'waiting')
    start(FOUNDER, lineWith(found, 'start'), { '/ip4/0.0.0.0/tcp/4001': address })
    await end()
    await expectOneFederation(4)
  })
})

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
