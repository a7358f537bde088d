import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { LedgerEntry } from '../../../src/audit/entry.ts'
import { fetchControl } from '../../../src/node/control/client.ts'
import { FAULTS_VARIABLE, type TestFaultsInput } from '../../../src/node/test-faults/settings.ts'
import type { SiteStatus } from '../../../src/rounds/status.ts'
import { consiliumJson, logged, start, type Running } from '../cli.ts'

// Enough that the others are still training when it is back, however slow the machine.
const ROUNDS = 2000
const AWAY = 10
/** The round from which nobody is let near south. */
const APART = 3
const STEPS = 2
const POLL_MS = 100
const PATIENCE_MS = 300_000
const NAMES = ['north', 'east', 'south'] as const
type Name = typeof NAMES[number]

describe('a site that was away for ten rounds', function () {
  this.timeout(2 * PATIENCE_MS)
  let folder: string
  const running = new Map<Name, Running>()
  const peerIds = new Map<Name, string>()
  const home = (name: Name): string => join(folder, name)

  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })

  after(async () => {
    for (const name of running.keys()) await kill(name)
    await rm(folder, { recursive: true })
  })

  function run (name: Name, faults?: TestFaultsInput): void {
    const data = `samples/colin27/hospital-${'abc'[NAMES.indexOf(name)]}`
    const args = ['start', '--home', home(name), '--data', data, '--name', name, '--threads', '1', '--listen', '/ip4/127.0.0.1/tcp/0']
    running.set(name, start(args, { env: faults == null ? {} : { [FAULTS_VARIABLE]: JSON.stringify(faults) } }))
  }

  async function kill (name: Name): Promise<void> {
    const { child, ended } = running.get(name)!
    child.kill('SIGKILL')
    await ended
  }

  async function until (name: Name, what: string, holds: (status: SiteStatus) => boolean): Promise<SiteStatus> {
    const end = Date.now() + PATIENCE_MS
    while (Date.now() < end && running.get(name)!.child.exitCode == null) {
      const status = await fetchControl<SiteStatus>(home(name), '/status').catch(() => undefined)
      if (status != null && holds(status)) return status
      await sleep(POLL_MS)
    }
    throw new Error(`${name}: waited in vain until ${what}\n${logged(running.get(name)!.out.stderr).slice(-20).join('\n')}`)
  }

  /** Steps of south that arrived, as the ledgers of the others have it. */
  async function arrivedByLedger (name: Name): Promise<number> {
    const entries = await consiliumJson<LedgerEntry[]>(['audit', 'show', '--home', home(name)])
    return Math.max(0, ...entries.map((entry) =>
      entry.kind === 'exchange' && entry.partner === peerIds.get('south') ? entry.partnerSteps ?? 0 : 0))
  }

  async function found (): Promise<void> {
    const settings = join(folder, 'settings.json')
    await writeFile(settings, JSON.stringify({ training: { stepsPerRound: STEPS } }))
    const draft = ['--name', 'Three towns', '--rounds', String(ROUNDS), '--settings', settings]
    await consiliumJson(['federation', 'create', '--home', home('north'), ...draft])
    peerIds.set('north', (await consiliumJson<{ peerId: string }>(['id', '--home', home('north')])).peerId)
    run('north')
    const { addresses } = await until('north', 'it listens', (status) => status.addresses.length > 0)
    for (const name of ['east', 'south'] as const) {
      const { peerId } = await consiliumJson<{ peerId: string }>(['init', '--home', home(name)])
      peerIds.set(name, peerId)
      const invite = ['invite', peerId, '--home', home('north'), '--name', name, '--bootstrap', addresses[0]!]
      const { invitation } = await consiliumJson<{ invitation: string }>(invite)
      await consiliumJson(['join', invitation, '--home', home(name)])
    }
  }

  it('comes back after SIGKILL, and what it had trained and nobody else had arrives', async () => {
    await found()
    run('east')
    const apart = [{ peers: [peerIds.get('north')!, peerIds.get('east')!], from: APART, to: ROUNDS }]
    run('south', { apart })
    const alone = await until('south', 'it trained two rounds that nobody has', ({ round, steps }) =>
      round >= APART + 2 && steps != null && steps.trained >= steps.arrived + 2 * STEPS)
    await kill('south')
    const { trained } = alone.steps!
    // One exchange may have been cut in the middle: a partner counts it, and this site is in doubt of it.
    for (const name of ['north', 'east'] as const) expect(await arrivedByLedger(name)).to.be.at.most(trained - STEPS)

    await until('north', `it is ${AWAY} rounds on`, ({ round }) => round >= alone.round + AWAY)
    run('south')
    const back = await until('south', 'its steps arrived', ({ steps }) => (steps?.arrived ?? 0) >= trained)
    expect(back.steps!.lost).to.equal(0)
    expect(logged(running.get('south')!.out.stderr).join('\n')).to.match(/with what it had trained itself on top, and goes on in round/)
    // A ledger is written a little later.
    const byOthers = async (): Promise<number> => Math.max(...await Promise.all((['north', 'east'] as const).map(arrivedByLedger)))
    for (const end = Date.now() + PATIENCE_MS; await byOthers() < trained && Date.now() < end;) await sleep(POLL_MS)
    expect(await byOthers()).to.be.at.least(trained)
  })
})
