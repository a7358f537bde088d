import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { EntryContent } from '../../../src/audit/entry.ts'
import { openPrivacyGuard } from '../../../src/node/privacy-guard.ts'
import { mechanismOf, type Mechanism } from '../../../src/privacy/mechanism.ts'
import type { PrivacyGuard } from '../../../src/rounds/privacy-guard.ts'
import type { PrivacySettings } from '../../../src/settings/privacy.ts'

const ROUNDS = 4
const training = { rounds: ROUNDS, stepsPerRound: 10 }
const site: PrivacySettings = { unit: 'site', epsilon: 8, delta: 1e-5, clip: 0.5 }
const patient: PrivacySettings = { ...site, unit: 'patient', rate: 0.2 }

describe('the privacy guard', () => {
  let folder: string
  let said: Map<string, string>
  let audited: EntryContent[]

  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'consilium-')), 'privacy')
    said = new Map()
    audited = []
  })
  afterEach(async () => { await rm(join(folder, '..'), { recursive: true }) })

  async function guard (privacy: PrivacySettings, trained = 0): Promise<PrivacyGuard> {
    const notices = {
      warn: (key: string, sentence: string) => { said.set(key, sentence) },
      over: (key: string) => { said.delete(key) }
    }
    const mechanism: Mechanism = mechanismOf({ privacy, training })!
    const audit = { record: (entry: EntryContent) => { audited.push(entry) } }
    return await openPrivacyGuard({ mechanism, training, folder, federation: 'f', trained, notices, audit, now: Date.now })
  }

  for (const privacy of [site, patient]) {
    it(`with unit ${privacy.unit} pays for all rounds and no more, over restarts too, and tells the ledger of every release`, async () => {
      let own = await guard(privacy)
      for (let round = 1; round <= ROUNDS; round++) {
        expect(own.isSpent, `round ${round}`).to.equal(false)
        expect(await own.spend({ round, steps: 10 })).not.to.equal(undefined)
        own = await guard(privacy, 10 * round)
      }
      expect(own.isSpent).to.equal(true)
      expect(said.get('privacy'), 'all rounds are done').to.equal(undefined)
      expect(await own.spend({ round: 5, steps: 10 })).to.equal(undefined)
      expect(audited.map((entry) => entry.kind === 'release' && entry.round)).to.deep.equal([1, 2, 3, 4])
      const [first, , , last] = audited.map((entry) => entry.kind === 'release' ? entry.epsilon : NaN)
      expect(first).to.be.below(last!)
      expect(last).to.be.closeTo(8, 1e-6)
    })
  }

  it('says it where rounds are left when all is spent', async () => {
    const { noise } = mechanismOf({ privacy: site, training })!
    const own = await guard({ ...site, noise: noise * 0.8 })
    for (let round = 1; !own.isSpent; round++) await own.spend({ round, steps: 10 })
    expect(audited.length).to.be.below(ROUNDS)
    expect(said.get('privacy')).to.match(/spent \d\.\d+ of its epsilon 8, and another round would be more.* goes on with everything else/)
  })

  it('clips and noises a landing of a site, each with noise of its own, and leaves that of patients to the trainer', async () => {
    const own = await guard(site)
    const { noise } = mechanismOf({ privacy: site, training })!
    const delta = new Float32Array(10_000).fill(1)
    const hidden = [await own.spend({ round: 1, steps: 10 }), await own.spend({ round: 2, steps: 10 })]
    const [one, other] = hidden.map((each) => each!.hide!(delta))
    const deviation = Math.sqrt(one!.reduce((sum, value) => sum + value * value, 0) / delta.length)
    expect(deviation).to.be.closeTo(noise * 0.5, 0.05 * noise)
    expect(one!.some((value, i) => value === other![i])).to.equal(false)
    await rm(folder, { recursive: true })
    expect((await (await guard(patient)).spend({ round: 1, steps: 10 }))!.hide).to.equal(undefined)
  })

  it('lets nothing out where the price cannot be written, and says so', async () => {
    const own = await guard(site)
    await rm(folder, { recursive: true })
    await writeFile(folder, '')
    expect(await own.spend({ round: 1, steps: 10 })).to.equal(undefined)
    expect(said.get('privacy')).to.match(/could not be written .* nothing of it is let out/)
    expect(audited).to.deep.equal([])
  })

  it('lets nothing out of a home whose ledger does not hold', async () => {
    const own = await guard(site, 10)
    expect(own.isSpent).to.equal(true)
    expect(said.get('privacy')).to.match(/does not hold \(it is missing, and this home has trained\).*privacy reset --i-know/)
    expect(await own.spend({ round: 1, steps: 10 })).to.equal(undefined)
  })

  it('ends the site where the federation wants that', async () => {
    expect((await guard(site)).endsWhenSpent).to.equal(false)
    expect((await guard({ ...site, onExhausted: 'leave' })).endsWhenSpent).to.equal(true)
  })
})
