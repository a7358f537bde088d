import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { isThere, writeJson } from '../../../src/home/files.ts'
import { AMPLITUDE_LEVELS, BANK_CHANNELS, BANK_ENTRIES, frequenciesIn } from '../../../src/settings/publications.ts'
import type { PublicationKind } from '../../../src/settings/publication-kinds.ts'
import type { Policy } from '../../../src/settings/site/policy.ts'
import { FAKE_TRAINING, Sites } from './sites.ts'
import { Tap } from './tap.ts'

const EPISODE = { weight: 1, window: 1, ratio: 1, innerRate: 0, contrast: 0, temperature: 0.05, ring: 0.01, group: 5 }
const ALIGN = { target: 'cyclic', by: 'adversarial', weight: 1, warmupRounds: 0 } as const
const CONSENT: Policy = { publish: ['amplitude-bank'] }
const SIZE = BANK_ENTRIES * BANK_CHANNELS * frequenciesIn(EPISODE.window)
const SHOWS = Array.from({ length: SIZE }, (_, i) => AMPLITUDE_LEVELS[(i * 37 + 11) % 256]!)
const BYTES = Buffer.from(Float32Array.from(SHOWS).buffer)

/** As many as the fake trainer's adapter has. */
const CORE = [0.125, 0.25, 0.375, -0.5, 0.625, 0.75, -0.875, 0.0625]

interface Run {
  readonly kind?: PublicationKind
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
  async function run ({ kind = 'amplitude-bank', shares, policy }: Run): Promise<Outcome> {
    const isCore = kind === 'core-adapter'
    sites = await Sites.create(['a', 'b'], {
      // What is made in a round may be there for one of the next.
      rounds: isCore ? 4 : 2,
      coolDownSeconds: 2,
      training: { ...FAKE_TRAINING, ...(isCore ? { align: ALIGN } : { episode: EPISODE }) },
      ...(shares ? { method: { sharing: [kind] } } : {})
    })
    await writeJson(sites.paths('a').policy, policy)
    const tap = new Tap()
    const diary = join(sites.folder, 'diary')
    const first = sites.daemon('a', { manners: { shows: isCore ? CORE : SHOWS, delayMs: 300 }, tap: tap.wrap }).run()
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

  for (const leaves of [true, false]) {
    const [what, policy]: [string, Policy] = leaves ? ['with both consents', { publish: ['core-adapter'] }] : ['without its own', {}]
    it(`${leaves ? 'leaves' : 'does not leave'} of its training ${what}`, async () => {
      const { sent, ledger, diary } = await run({ kind: 'core-adapter', shares: true, policy })
      expect(sent.includes(Buffer.from(Float32Array.from(CORE).buffer))).to.equal(leaves)
      expect(/"count":8,"digest":"[0-9a-f]{64}","kind":"publication"/.test(ledger)).to.equal(leaves)
      expect(diary.includes('received 1')).to.equal(leaves)
    })
  }

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
