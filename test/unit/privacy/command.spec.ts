import { mkdtemp, rm, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { PrivacyLedger } from '../../../src/audit/privacy/privacy-ledger.ts'
import { program } from '../../../src/cli/program.ts'
import { createFederation } from '../../../src/site-model/create-federation.ts'
import { planOf } from '../../../src/privacy/plan.ts'
import { planned } from '../../../src/privacy/plan-settings.ts'
import { defaultsOf } from '../../../src/settings/setting.ts'

describe('consilium privacy', function () {
  this.timeout(60_000)
  let home: string

  beforeEach(async () => { home = await mkdtemp(join(tmpdir(), 'consilium-')) })
  afterEach(async () => {
    await rm(home, { recursive: true })
    process.exitCode = undefined
  })

  /** What the command prints as JSON. */
  async function said (...args: readonly string[]): Promise<Record<string, unknown>> {
    const write = process.stdout.write.bind(process.stdout)
    let text = ''
    process.stdout.write = ((part: string) => { text += part }) as never
    try {
      await program(['privacy', ...args, '--json', ...args[0] === 'plan' ? [] : ['--home', home]]).parseAsync()
    } finally {
      process.stdout.write = write
    }
    return JSON.parse(text) as Record<string, unknown>
  }

  for (const unit of ['site', 'patient'] as const) {
    it(`of unit ${unit} plans settings that a federation can be created with, and shows what is spent of them`, async () => {
      const { settings, noise, epsilon } = planOf(planned.parse({ ...defaultsOf(planned), unit, rounds: 4, epsilon: 8 }))
      expect(await said('plan', '--unit', unit, '--rounds', '4', '--epsilon', '8')).to.deep.include({ noise, epsilon, settings })
      const { id } = await createFederation({ home, name: 'a', rounds: 4, settings: settings as never })
      expect(await said('show')).to.deep.include({ unit, epsilon: 8, spent: 0, releases: 0 })
      const ledger = await PrivacyLedger.open({ folder: join(home, 'privacy'), federation: id, trained: 0, now: Date.now })
      const price = unit === 'site' ? { rate: 1, steps: 4 } : { rate: 0.1, steps: 64 }
      await (ledger as PrivacyLedger).spend({ unit, noise, clip: 1, round: 4, trained: 64, ...price })
      expect((await said('show'))['spent']).to.be.closeTo(8, 1e-6)
      await unlink(join(home, 'privacy/ledger.jsonl'))
      expect((await said('show'))['damaged']).to.equal('entry 1 is missing or was changed')
      expect(process.exitCode).to.equal(1)
      await said('reset', '--i-know')
      const { spent, resets } = await said('show')
      expect(spent).to.be.closeTo(8, 1e-6)
      expect(resets).to.deep.equal(['entry 1 is missing or was changed'])
    })
  }

  it('resets nothing for whoever does not know', async () => {
    await createFederation({ home, name: 'a', rounds: 4 })
    const failure: unknown = await said('reset').catch((error: unknown) => error)
    expect((failure as Error).message).to.include('say --i-know')
    expect(await said('show')).to.deep.equal({ unit: 'none' })
  })

  it('creates no federation whose promise cannot be kept', async () => {
    const privacy = { unit: 'site', epsilon: 1e-4, delta: 1e-12, clip: 1 } as const
    const settings = { privacy, averaging: { weighting: 'uniform' } } as const
    const failure: unknown = await createFederation({ home, name: 'a', rounds: 100_000, settings }).catch((error: unknown) => error)
    expect((failure as Error).message).to.match(/no noise keeps 100000 rounds within epsilon 0\.0001/)
  })
})
