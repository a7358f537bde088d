import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { PrivacyLedger } from '../../../src/audit/privacy/privacy-ledger.ts'

const WRITER = fileURLToPath(new URL('../../fixtures/killed-ledger.ts', import.meta.url))
const federation = 'ab'.repeat(32)
const release = { unit: 'site', noise: 2, rate: 1, steps: 1, clip: 1, trained: 16 } as const
/** Far more writes than there are. */
const MOST = 200

describe('the privacy ledger under SIGKILL', function () {
  this.timeout(300_000)
  let home: string

  beforeEach(async () => { home = await mkdtemp(join(tmpdir(), 'consilium-')) })
  afterEach(async () => { await rm(home, { recursive: true }) })

  async function kept (folder: string, trained: number): Promise<PrivacyLedger> {
    const ledger = await PrivacyLedger.open({ folder, federation, trained, now: Date.now })
    if ('damaged' in ledger) throw new Error(ledger.damaged)
    return ledger
  }

  const spent = ({ account }: PrivacyLedger): number => account.spent.reduce((sum, { steps }) => sum + steps, 0)

  /** A process of its own; how many releases it let out before it was killed at its write `at`, if it came to that. */
  async function write (folder: string, at: number, what: 'take' | 'reset'): Promise<{ released: number, killed: boolean }> {
    const child = spawn(process.execPath, ['--import', 'tsx', WRITER, folder, federation, String(at), what], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    let released = 0
    child.stdout.on('data', (bytes: Buffer) => { released += bytes.length })
    const [code, signal] = await once(child, 'close') as [number | null, string | null]
    expect([0, 'SIGKILL']).to.include(signal ?? code)
    return { released, killed: signal != null }
  }

  /** Two at a time, at write after write, until one comes through; how many were killed. */
  async function atEachWrite (kill: (at: number) => Promise<boolean>): Promise<number> {
    for (let at = 0; at < MOST; at += 2) {
      const [one, next] = await Promise.all([kill(at), kill(at + 1)])
      if (!next) return at + Number(one)
    }
    throw new Error('it never comes through')
  }

  it('has on disk whatever was let out, at whichever write the system kills the process', async () => {
    const kills = await atEachWrite(async (at) => {
      const folder = join(home, String(at))
      await mkdir(folder)
      const { released, killed } = await write(folder, at, 'take')
      const after = await kept(folder, released * release.trained)
      expect(spent(after), `write ${at}`).to.be.within(released, killed ? released + 1 : released)
      await after.spend({ ...release, round: 9 })
      expect(spent(await kept(folder, 0))).to.equal(spent(after))
      return killed
    })
    // Line and budget of two releases, and the first budget.
    expect(kills).to.be.at.least(5)
  })

  it('forgets nothing where a reset is killed and done again', async () => {
    const kills = await atEachWrite(async (at) => {
      const folder = join(home, String(at))
      const before = await kept(folder, 0)
      for (const round of [1, 2, 3]) await before.spend({ ...release, round })
      const { killed } = await write(folder, at, 'reset')
      if (killed) await PrivacyLedger.reset({ folder, federation, now: Date.now })
      const after = await kept(folder, 48)
      expect(spent(after), `write ${at}`).to.equal(3)
      await after.spend({ ...release, round: 4 })
      expect(spent(await kept(folder, 64))).to.equal(4)
      return killed
    })
    expect(kills).to.be.at.least(3)
  })
})
