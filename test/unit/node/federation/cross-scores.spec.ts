import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { KnownScores } from '../../../../src/federation/cross-scores/known-scores.ts'
import { scoreMatrices } from '../../../../src/federation/cross-scores/matrix.ts'
import { leaveRow, ScoreBook } from '../../../../src/federation/cross-scores/score-book.ts'
import { signRow, type ScoreRow } from '../../../../src/federation/cross-scores/score-row.ts'
import { whyUntold } from '../../../../src/federation/cross-scores/why-untold.ts'
import type { Federation } from '../../../../src/federation/document.ts'
import { signRevocation, Standing } from '../../../../src/federation/membership/statements.ts'
import { sitePaths } from '../../../../src/home/paths.ts'
import { certify, federationOf, people, type Person } from '../membership/federations.ts'

const DICE = { tumour: { mean: 0.8, low: 0.7, high: 0.9, patients: 5 } }
const TEN = Array.from({ length: 10 }, (_, i) => `2026-06-01T00:00:0${i}.000Z`)
const digestOf = (n: number): string => n.toString(16).padStart(64, '0')

describe('cross-site scores', () => {
  let founder: Person
  let member: Person
  let stranger: Person
  let federation: Federation
  let rows: ScoreRow[]

  async function row (by: Person, over: Partial<ScoreRow> = {}): Promise<ScoreRow> {
    const certificate = by === founder ? {} : { certificate: await certify(federation, by === stranger ? stranger : founder, by.peerId) }
    const { signature: _, version: __, kind: ___, ...rest } = { ...over } as ScoreRow
    const init = { made: TEN[0]!, adapter: digestOf(1), round: 3, own: false, dice: DICE, credential: { ...certificate, handovers: [] } }
    return await signRow({ ...init, ...rest, federation: rest.federation ?? federation.id, site: by.peerId }, by.key)
  }

  const known = (): KnownScores => new KnownScores(() => federation)
  const fault = async (value: unknown): Promise<string> =>
    await known().learn([value]).then((news) => `${news.length} new`, (error: Error) => `${error.name}: ${error.message}`)

  before(async () => {
    [founder, member, stranger] = await people(3) as [Person, Person, Person]
    federation = await federationOf([founder])
    rows = [
      await row(founder, { own: true }), await row(founder, { own: true, made: TEN[1]!, round: 4 }),
      await row(member), await row(member, { adapter: digestOf(2), own: true }), await row(member, { made: TEN[0]!, round: 5 })
    ]
  })

  it('are the same wherever they meet, in whatever order and how often they come', async () => {
    const wanted = known()
    await wanted.learn(rows)
    expect(wanted.all.map(({ round }) => round)).to.have.length(3)
    await fc.assert(fc.asyncProperty(
      fc.shuffledSubarray([0, 1, 2, 3, 4, 0, 1, 2, 3, 4].map((of, i) => [of, i] as const), { minLength: 10 }), async (order) => {
        const site = known()
        for (const [each] of order) await site.learn([rows[each]!])
        expect(site.all).to.deep.equal(wanted.all)
        expect(site.digest).to.deep.equal(wanted.digest)
      }), { numRuns: 20 })
  })

  it('are refused where any field was altered, and of another federation', async () => {
    const sound = await row(member)
    expect(await fault(sound)).to.equal('1 new')
    const dice = { tumour: { ...DICE.tumour, mean: 0.81 } }
    for (const over of [{ dice }, { adapter: digestOf(3) }, { round: 4 }, { own: true }, { site: founder.peerId }, { made: TEN[2]! }]) {
      expect(await fault({ ...sound, ...over }), JSON.stringify(over)).to.match(/^ProtocolError: a row of scores that 12D3.* did not sign$/)
    }
    expect(await fault({ ...sound, credential: { handovers: [] } })).to.match(/did not sign$/)
    expect(await fault(await row(member, { federation: digestOf(9) }))).to.match(/^ProtocolError: .* of another federation$/)
    expect(await fault(await row(member, { dice: { tumour: { ...DICE.tumour, patients: 4 } } })), 'four patients').to.match(/malformed$/)
    expect(await fault({ ...sound, note: 'x' })).to.match(/malformed$/)
  })

  it('count from members alone, and no more once their site is revoked', async () => {
    expect(await fault(await row(stranger))).to.equal('0 new')
    const standing = new Standing(federation)
    const sites = (): string[] => scoreMatrices(rows, [founder.peerId], standing)[0]!.sites.map(({ peerId }) => peerId)
    expect(sites()).to.have.members([founder.peerId, member.peerId])
    await standing.learn([await signRevocation(federation.id, member.peerId, founder.key)])
    expect(sites()).to.deep.equal([founder.peerId])
  })

  it('stay at the site without its policy, and where privacy is promised', () => {
    const privacy = { unit: 'patient', epsilon: 8, delta: 1e-5 } as never
    expect(whyUntold({}, {})).to.match(/does not say "crossScores"/)
    expect(whyUntold({ privacy }, { crossScores: true })).to.match(/promises differential privacy/)
    expect(whyUntold({}, { crossScores: true })).to.equal(undefined)
  })

  it('are a matrix of whose images by whose adapter', async () => {
    const site = known()
    await site.learn(rows)
    const [matrix, ...more] = scoreMatrices(site.all, [founder.peerId], new Standing(federation))
    expect(more).to.deep.equal([])
    expect(matrix!.class).to.equal('tumour')
    const names = matrix!.adapters.map(({ adapter, of }) => [adapter, of?.peerId])
    expect(names).to.deep.equal([[digestOf(2), member.peerId], [digestOf(1), founder.peerId]])
    const at = matrix!.sites.findIndex(({ peerId }) => peerId === founder.peerId)
    expect(matrix!.cells[at]).to.deep.equal([undefined, DICE.tumour])
    expect(matrix!.cells[1 - at]).to.deep.equal([DICE.tumour, DICE.tumour])
  })

  it('are kept of the newest of a site, however many it tells', async () => {
    const site = known()
    for (let i = 0; i < 40; i++) {
      const made = new Date(Date.parse(TEN[0]!) + (i === 39 ? -1 : i) * 1_000).toISOString()
      await site.learn([await row(member, { adapter: digestOf(i), made })])
    }
    expect(site.all.map(({ adapter }) => adapter)).to.deep.equal(Array.from({ length: 32 }, (_, i) => digestOf(7 + i)))
  })

  it('wait for the daemon, which tells them once and keeps them over a restart and damage', async () => {
    const home = await mkdtemp(join(tmpdir(), 'consilium-'))
    const paths = sitePaths(home)
    await leaveRow(paths, rows[2]!)
    expect(await ScoreBook.read(paths, federation)).to.deep.equal([rows[2]])
    const told: unknown[] = []
    const book = await ScoreBook.open(paths, () => federation)
    book.onOwn = (own) => { told.push(...own) }
    await book.tend()
    await book.tend()
    expect(told).to.deep.equal([rows[2]])
    expect((await ScoreBook.open(paths, () => federation)).digest).to.deep.equal(book.digest)
    await writeFile(paths.scores, 'damaged')
    expect(await ScoreBook.read(paths, federation)).to.deep.equal([])
    await rm(home, { recursive: true })
  })
})
