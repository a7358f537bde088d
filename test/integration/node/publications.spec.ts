import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { isThere, writeJson } from '../../../src/home/files.ts'
import { AMPLITUDE_LEVELS, BANK_CHANNELS, BANK_ENTRIES, frequenciesIn } from '../../../src/settings/publications.ts'
import type { Policy } from '../../../src/settings/site/policy.ts'
import { FAKE_TRAINING, Sites } from './sites.ts'
import { Tap } from './tap.ts'

const EPISODE = { weight: 1, window: 1, ratio: 1, innerRate: 0, contrast: 0, temperature: 0.05, ring: 0.01, group: 5 }
const CONSENT: Policy = { publish: ['amplitude-bank'] }
const SIZE = BANK_ENTRIES * BANK_CHANNELS * frequenciesIn(EPISODE.window)
const SHOWS = Array.from({ length: SIZE }, (_, i) => AMPLITUDE_LEVELS[(i * 37 + 11) % 256]!)
const BYTES = Buffer.from(Float32Array.from(SHOWS).buffer)

interface Run {
  /** What a's document and policy say. */
  readonly shares: boolean
  readonly policy: Policy
}

interface Outcome {
  readonly sent: Buffer
  readonly ledger: string
  readonly diary: string
}

describe('what a daemon shows beside its adapter', function () {
  this.timeout(240_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  /** Site a, whose trainer hands numbers out whatever the consents, beside b, which shows none. */
  async function run ({ shares, policy }: Run): Promise<Outcome> {
    sites = await Sites.create(['a', 'b'], {
      rounds: 2,
      coolDownSeconds: 2,
      training: { ...FAKE_TRAINING, episode: EPISODE },
      ...(shares ? { method: { sharing: ['amplitude-bank'] } } : {})
    })
    await writeJson(sites.paths('a').policy, policy)
    const tap = new Tap()
    const diary = join(sites.folder, 'diary')
    const first = sites.daemon('a', { manners: { shows: SHOWS, delayMs: 300 }, tap: tap.wrap }).run()
    const { addresses } = await sites.statusOf('a', (status) => status.addresses.length > 0)
    await Promise.all([first, sites.daemon('b', { manners: { diary, delayMs: 300 }, bootstrap: addresses }).run()])
    const { audit } = sites.paths('a')
    const ledger = await Promise.all((await readdir(audit)).map(async (file) => await readFile(join(audit, file), 'utf8')))
    return { sent: tap.bytes(), ledger: ledger.join(''), diary: await readFile(diary, 'utf8') }
  }

  it('leaves by both consents, is written in the ledger, trains the others, and is deleted there at the end', async () => {
    const { sent, ledger, diary } = await run({ shares: true, policy: CONSENT })
    expect(sent.includes(BYTES)).to.equal(true)
    expect(ledger).to.match(new RegExp(`"count":${SIZE},"digest":"[0-9a-f]{64}","kind":"publication"`))
    expect(diary).to.include('received 1')
    expect(await isThere(sites.paths('b').received)).to.equal(false)
  })

  for (const [what, shares, policy] of [
    ['the federation does not say it', false, CONSENT],
    ['the site\'s policy does not say it', true, {}]
  ] as const) {
    it(`does not leave where ${what}`, async () => {
      const { sent, ledger, diary } = await run({ shares, policy })
      expect(sent.length).to.be.above(1_000)
      expect(sent.includes(BYTES.subarray(0, 16))).to.equal(false)
      expect(ledger).to.not.include('"kind":"publication"')
      expect(diary).to.not.include('received 1')
    })
  }
})
