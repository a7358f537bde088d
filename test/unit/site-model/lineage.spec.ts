import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { Lineage, type Side } from '../../../src/site-model/withdrawals/lineage.ts'

const NOBODY = new Set<string>()

describe('the rounds that images of a subject took part in', () => {
  let folder: string
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  const present = (...ids: string[]): Map<string, Side> => new Map(ids.map((id) => [id, 'train']))

  it('are those in which a phase began with it, over restarts, whoever comes and goes', async () => {
    const presence = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.uniqueArray(fc.constantFrom('a', 'b', 'c'))), { maxLength: 12 })
    await fc.assert(fc.asyncProperty(presence, async (visits) => {
      await rm(join(folder, 'lineage.json'), { force: true })
      const truth = new Map<string, Set<number>>()
      let round = 0
      for (const [step, ids] of visits) {
        round += step - 1
        for (const id of ids) truth.set(id, (truth.get(id) ?? new Set()).add(round))
        await (await Lineage.open(folder)).note(round, present(...ids), NOBODY)
      }
      const lineage = await Lineage.open(folder)
      for (const id of ['a', 'b', 'c']) {
        const rounds = lineage.of(id)?.rounds ?? []
        const noted = truth.get(id) ?? new Set()
        for (const each of noted) expect(rounds.some(([first, last]) => first <= each && each <= last)).to.equal(true)
        for (const [first, last] of rounds) expect([noted.has(first), first <= last]).to.deep.equal([true, true])
      }
    }), { numRuns: 50 })
  })

  it('end with the last one before it left, and begin anew with the one in which it came back', async () => {
    const lineage = await Lineage.open(folder)
    for (const round of [1, 2, 3]) await lineage.note(round, present('a', 'b'), NOBODY)
    await lineage.note(3, present('a'), NOBODY)
    for (const round of [4, 5]) await lineage.note(round, present('a'), NOBODY)
    await lineage.note(6, present('a', 'b'), NOBODY)
    await lineage.note(7, present('a', 'b'), NOBODY)
    expect(lineage.of('b')).to.deep.equal({ side: 'train', rounds: [[1, 3], [6, 7]], assumed: false })
    expect(lineage.of('a')?.rounds).to.deep.equal([[1, 7]])
    expect(lineage.of('c')).to.equal(undefined)
  })

  it('of a home that trained before they were kept are said to begin with the first, and so are those of a damaged file', async () => {
    const lineage = await Lineage.open(folder)
    await lineage.note(9, present('a', 'new'), new Set(['a']))
    expect(lineage.of('a')).to.deep.equal({ side: 'train', rounds: [[1, 9]], assumed: true })
    expect(lineage.of('new')).to.deep.equal({ side: 'train', rounds: [[9, 9]], assumed: false })
    const path = join(folder, 'lineage.json')
    await writeFile(path, (await readFile(path, 'utf8')).replace('9', '8'))
    const damaged = await Lineage.open(folder)
    expect(damaged.warnings[0]).to.match(/lineage\.json is damaged/)
    await damaged.note(9, present('new'), new Set(['new']))
    expect(damaged.of('new')).to.deep.equal({ side: 'train', rounds: [[1, 9]], assumed: true })
  })
})
