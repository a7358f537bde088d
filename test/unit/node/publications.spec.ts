import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { createSchema } from '../../../src/adapter/schema.ts'
import { ReceivedStore } from '../../../src/home/received-store.ts'
import { namesIn } from '../../../src/home/files.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { writeWithdrawals } from '../../../src/home/withdrawals.ts'
import { Publications, type PublicationsInit } from '../../../src/node/publications.ts'
import { publicationDigest, type Shown } from '../../../src/protocol/publication/talk.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import { Notices } from '../../../src/rounds/notices.ts'
import type { MethodSettings } from '../../../src/settings/method.ts'
import { AMPLITUDE_LEVELS } from '../../../src/settings/publications.ts'
import type { PublicationKind } from '../../../src/settings/publication-kinds.ts'
import type { Policy } from '../../../src/settings/site/policy.ts'

const KIND = 'amplitude-bank'
const SHARING: MethodSettings = { sharing: [KIND] }
const CONSENT: Policy = { publish: [KIND] }
const EPISODE = { weight: 1, window: 0, ratio: 1, innerRate: 0, contrast: 0, temperature: 0.05, ring: 0.01, group: 5 }
const VALUES = AMPLITUDE_LEVELS.slice(0, 12)
const [PEER, OTHER] = ['QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N', 'QmbLHAnMoJPWSCR5Zhtx6BHJX9KiKNN6tpvbUcqanj75Nb'] as const
/** Between the two. */
const SELF = 'QmZ'
const schema = createSchema({ model: 'm', baseHash: '0'.repeat(64), tensors: [{ name: 'lora.a', shape: [2], role: 'lora' }] })

describe('what a site shows', () => {
  let home: string
  let isWithheld = false
  const written: unknown[] = []
  let notices: Notices

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'consilium-shows-'))
    isWithheld = false
    written.length = 0
  })
  afterEach(async () => { await rm(home, { recursive: true }) })

  async function open (method: MethodSettings | undefined, policy: Policy): Promise<Publications | undefined> {
    const logger = createLogger('silent')
    notices = new Notices(logger)
    const site = {
      federation: { id: 'f', document: { method, training: { episode: EPISODE }, averaging: { normBound: 5 } } },
      peerId: SELF,
      policy,
      paths: sitePaths(home),
      logger,
      notices
    } as unknown as PublicationsInit['site']
    return await Publications.open({ site, schema, audit: { record: (entry) => { written.push(entry) } }, isWithheld: () => isWithheld })
  }

  /** A site that shows these numbers. */
  function showing (values: Float32Array): Parameters<Publications['gather']>[0] {
    const shown: Shown = { kind: KIND, round: 0, digest: publicationDigest(values), values }
    return { ask: (_, isNew) => Promise.resolve({ items: [shown], got: isNew(shown) ? [shown] : [] }) }
  }

  const { signal } = new AbortController()
  const everybody = (): boolean => true

  it('is nothing without the federation\'s consent, and neither asked for, taken nor named without the site\'s', async () => {
    expect(await open(undefined, CONSENT)).to.equal(undefined)
    const site = (await open(SHARING, {}))!
    expect(site.lacking).to.deep.equal([])
    await site.show(KIND, 1, VALUES)
    expect(site.shown()).to.deep.equal([])
    expect(site.view).to.deep.equal([{ kind: KIND, consents: false, shows: false, received: [], without: [] }])
  })

  it('passes the gate, leaves while exchanges do, and is in the ledger for each that had it', async () => {
    const site = (await open(SHARING, CONSENT))!
    expect(site.lacking).to.deep.equal([KIND])
    await site.show(KIND, 1, VALUES)
    const [shown] = site.shown()
    expect(shown).to.deep.include({ kind: KIND, round: 1, values: VALUES })
    site.sent({ ...shown!, partner: PEER })
    expect(written).to.deep.equal([{ kind: 'publication', what: KIND, round: 1, count: 12, digest: shown!.digest, peer: PEER }])
    isWithheld = true
    expect(site.shown()).to.deep.equal([])
    isWithheld = false
    await site.show(KIND, 2, Float32Array.from(VALUES, (value) => value + 0.001))
    expect(site.shown(), 'what is none of the levels takes the place of nothing').to.deep.equal([])
  })

  it('neither passes the gate nor is kept where one consent is missing, and the site is told so', async () => {
    const site = (await open(SHARING, {}))!
    await site.show(KIND, 1, VALUES)
    expect(await namesIn(sitePaths(home).shown)).to.deep.equal([])
    expect(notices.list.join(' ')).to.match(/lacks a consent/)
  })

  it('leaves no more while the consent is gone that it passed the gate with', async () => {
    const policy: { publish: PublicationKind[] } = { publish: [KIND] }
    const site = (await open(SHARING, policy))!
    await site.show(KIND, 1, VALUES)
    policy.publish = []
    expect([site.shown(), site.lacking]).to.deep.equal([[], []])
    policy.publish = [KIND]
    expect(site.shown()[0]).to.deep.include({ kind: KIND, values: VALUES })
  })

  it('leaves no more, and is not made anew, where it was made with images of somebody who was withdrawn', async () => {
    const { privateStore } = sitePaths(home)
    for (const shown of [false, true]) {
      await (await open(SHARING, CONSENT))!.show(KIND, 0, VALUES)
      const withdrawn = [{ id: '1'.repeat(16), at: '2026-01-01T00:00:00.000Z', shown }]
      await writeWithdrawals(privateStore, { key: '0'.repeat(16), withdrawn })
      const site = (await open(SHARING, CONSENT))!
      expect([site.shown().length, site.lacking]).to.deep.equal([shown ? 0 : 1, []])
      expect(notices.list.some((notice) => /images that were withdrawn/.test(notice))).to.equal(shown)
    }
  })

  it('is made once: after a restart it is the same, and gone with the consent', async () => {
    await (await open(SHARING, CONSENT))!.show(KIND, 0, VALUES)
    const restarted = (await open(SHARING, CONSENT))!
    expect(restarted.lacking).to.deep.equal([])
    expect(restarted.shown()[0]?.values).to.deep.equal(VALUES)
    expect((await open(SHARING, {}))!.shown()).to.deep.equal([])
  })

  it('is kept of the others over a restart, of members alone, and deleted at the end', async () => {
    const site = (await open(SHARING, {}))!
    await site.gather(showing(VALUES), [PEER, OTHER], signal)
    const restarted = (await open(SHARING, {}))!
    expect(restarted.received(everybody), 'from the one after this site on').to.deep.equal([
      { kind: KIND, peer: OTHER, values: VALUES },
      { kind: KIND, peer: PEER, values: VALUES }
    ])
    expect(restarted.received((peer) => peer === PEER)).to.have.length(1)
    await restarted.end()
    expect(restarted.received(everybody)).to.deep.equal([])
    expect(await new ReceivedStore(sitePaths(home).received, schema.hash).load()).to.deep.equal([])
  })

  it('is not used where its numbers are none that the federation\'s document lets be', async () => {
    const site = (await open(SHARING, {}))!
    await site.gather(showing(new Float32Array(12).fill(0.123)), [PEER], signal)
    await site.gather(showing(VALUES.slice(1)), [OTHER], signal)
    expect(site.received(everybody)).to.deep.equal([])
  })

  describe('of its training', () => {
    const CORE = { sharing: ['core-adapter'] } as const satisfies MethodSettings
    const AGREES: Policy = { publish: ['core-adapter'] }

    it('is made anew with each round, as many numbers as the adapter has, and is there again after a restart', async () => {
      const site = (await open(CORE, AGREES))!
      expect([site.lacking, site.renewed]).to.deep.equal([[], ['core-adapter']])
      for (const round of [1, 2]) await site.show('core-adapter', round, Float32Array.of(round, 0.5))
      expect(site.shown()).to.have.length(1)
      const restarted = (await open(CORE, AGREES))!
      expect(restarted.shown()[0]).to.deep.include({ kind: 'core-adapter', round: 2, values: Float32Array.of(2, 0.5) })
      expect((await open(CORE, {}))!.renewed).to.deep.equal([])
    })

    it('does not leave where it is longer than the federation lets adapters be, or of another length', async () => {
      const site = (await open(CORE, AGREES))!
      for (const values of [Float32Array.of(4, 4), Float32Array.of(1), Float32Array.of(1, NaN)]) {
        await site.show('core-adapter', 1, Float32Array.of(1, 1))
        await site.show('core-adapter', 2, values)
        expect(site.shown()).to.deep.equal([])
      }
    })
  })
})
