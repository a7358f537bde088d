import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { isThere, writeJson } from '../../../src/home/files.ts'
import {
  AMPLITUDE_LEVELS, BANK_CHANNELS, BANK_ENTRIES, frequenciesIn, MOMENT_CHANNELS, toMomentLevel
} from '../../../src/settings/publications.ts'
import type { PublicationKind } from '../../../src/settings/publication-kinds.ts'
import type { Policy } from '../../../src/settings/site/policy.ts'
import { FAKE_TRAINING, Sites } from './sites.ts'
import { Tap } from './tap.ts'

const EPISODE = { weight: 1, window: 1, ratio: 1, innerRate: 0, contrast: 0, temperature: 0.05, ring: 0.01, group: 5 }
const ALIGN = { target: 'cyclic', by: 'adversarial', weight: 1, warmupRounds: 0 } as const
const CONSENT: Policy = { publish: ['amplitude-bank'] }
const TO_MOMENTS = { target: 'moments', by: 'adversarial', weight: 1, warmupRounds: 0 } as const
const SIZE = BANK_ENTRIES * BANK_CHANNELS * frequenciesIn(EPISODE.window)
const BANK = Array.from({ length: SIZE }, (_, i) => AMPLITUDE_LEVELS[(i * 37 + 11) % 256]!)

/** As many as the fake trainer's adapter has. */
const CORE = [0.125, 0.25, 0.375, -0.5, 0.625, 0.75, -0.875, 0.0625]
const MOMENTS = Array.from({ length: 2 * MOMENT_CHANNELS }, (_, i) => toMomentLevel((i * 37 + 11) % 61 / 4))

/** By kind: what the trainer hands out, and what training has by which its rule is. */
const MADE = {
  'amplitude-bank': { shows: BANK, terms: { episode: EPISODE } },
  'core-adapter': { shows: CORE, terms: { align: ALIGN } },
  moments: { shows: MOMENTS, terms: { align: TO_MOMENTS } }
} as const

function numbersOf (kind: PublicationKind): Buffer {
  return Buffer.from(Float32Array.from(MADE[kind].shows).buffer)
}

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
    const { shows, terms } = MADE[kind]
    sites = await Sites.create(['a', 'b'], {
      // What is made in a round may be there for one of the next.
      rounds: kind === 'core-adapter' ? 4 : 2,
      coolDownSeconds: 2,
      // A document that aligns with what it lets nobody show is refused.
      training: { ...FAKE_TRAINING, ...(shares || kind === 'amplitude-bank' ? terms : {}) },
      ...(shares ? { method: { sharing: [kind] } } : {})
    })
    await writeJson(sites.paths('a').policy, policy)
    const tap = new Tap()
    const diary = join(sites.folder, 'diary')
    const first = sites.daemon('a', { manners: { shows, delayMs: 300 }, tap: tap.wrap }).run()
    const { addresses } = await sites.statusOf('a', (status) => status.addresses.length > 0)
    await Promise.all([first, sites.daemon('b', { manners: { diary, delayMs: 300 }, bootstrap: addresses }).run()])
    const { audit } = sites.paths('a')
    const ledger = await Promise.all((await readdir(audit)).map(async (file) => await readFile(join(audit, file), 'utf8')))
    return { sent: tap.bytes(), ledger: ledger.join(''), diary: await readFile(diary, 'utf8') }
  }

  it('leaves by both consents, is written in the ledger, trains the others, and is deleted there at the end', async () => {
    const { sent, ledger, diary } = await run({ shares: true, policy: CONSENT })
    expect(sent.includes(numbersOf('amplitude-bank'))).to.equal(true)
    expect(ledger).to.match(new RegExp(`"count":${SIZE},"digest":"[0-9a-f]{64}","kind":"publication"`))
    expect(diary).to.include('received 1')
    expect(await isThere(sites.paths('b').received)).to.equal(false)
  })

  it('leaves of its training by both consents', async () => {
    const { sent, ledger, diary } = await run({ kind: 'core-adapter', shares: true, policy: { publish: ['core-adapter'] } })
    expect(sent.includes(numbersOf('core-adapter'))).to.equal(true)
    expect(ledger).to.match(/"count":8,"digest":"[0-9a-f]{64}","kind":"publication"/)
    expect(diary).to.include('received 1')
  })

  for (const kind of ['amplitude-bank', 'core-adapter', 'moments'] as const) {
    for (const [what, shares, policy] of [
      ['the federation does not say it', false, { publish: [kind] }],
      ['the site\'s policy does not say it', true, {}]
    ] as const satisfies [string, boolean, Policy][]) {
      it(`does not leave as ${kind} where ${what}`, async () => {
        const { sent, ledger, diary } = await run({ kind, shares, policy })
        expect(sent.length).to.be.above(1_000)
        expect(sent.includes(numbersOf(kind).subarray(0, 16))).to.equal(false)
        expect(ledger).to.not.include('"kind":"publication"')
        expect(diary).to.not.include('received 1')
      })
    }
  }
})
