import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { expect } from 'chai'
import { createSchema } from '../../../src/adapter/schema.ts'
import { AdapterStore, type BestOfRounds } from '../../../src/home/adapter-store.ts'
import { sitePaths, type SitePaths } from '../../../src/home/paths.ts'
import { adapterOfRound, parseRound } from '../../../src/home/round-adapter.ts'
import { BestRound } from '../../../src/rounds/best-round.ts'

describe('the best round', () => {
  let kept: BestOfRounds[]
  let told: number[]
  let gone: Set<number>

  beforeEach(() => { [kept, told, gone] = [[], [], new Set()] })

  const bestOf = (sites: number, best?: BestOfRounds): BestRound => new BestRound({
    best,
    keep: async (found) => {
      if (gone.has(found.round)) return false
      kept.push(found)
      return true
    },
    sites: () => sites,
    maxImages: 100,
    onBest: ({ round }) => { told.push(round) },
    onFailure: (error) => { throw error }
  })

  it('is that with the highest mean over sites, by their validation images, once half of them have scored it', async () => {
    const best = bestOf(4)
    best.heard('a', { round: 1, dice: 0.9, images: 10 })
    await best.settled()
    expect(kept, 'one of four').to.deep.equal([])
    best.heard('b', { round: 1, dice: 0.6, images: 20 })
    await best.settled()
    expect(kept.at(-1)).to.deep.include({ round: 1, sites: 2, images: 30 })
    expect(kept.at(-1)!.dice).to.be.closeTo(0.7, 1e-12)
    for (const [site, dice] of [['a', 0.8], ['b', 0.5]] as const) best.heard(site, { round: 2, dice, images: 10 })
    await best.settled()
    expect(told, 'round 2 is worse').to.deep.equal([1])
    for (const [site, dice] of [['a', 0.8], ['b', 0.85]] as const) best.heard(site, { round: 3, dice, images: 10 })
    await best.settled()
    expect(told).to.deep.equal([1, 3])
  })

  it('learns more of the round that it has, and one site counts for no more than the federation lets it', async () => {
    const best = bestOf(2)
    best.heard('a', { round: 1, dice: 0.5, images: 100 })
    await best.settled()
    best.heard('b', { round: 1, dice: 1, images: 1_000_000 })
    best.heard('b', { round: 1, dice: 1, images: 1_000_000 })
    await best.settled()
    expect(kept).to.deep.equal([{ round: 1, dice: 0.5, sites: 1, images: 100 }, { round: 1, dice: 0.75, sites: 2, images: 200 }])
    expect(told).to.deep.equal([1])
  })

  it('goes on from before a restart, and is none whose adapter this site does not have any more', async () => {
    const best = bestOf(1, { round: 4, dice: 0.7, sites: 3, images: 9 })
    gone.add(6)
    for (const [round, dice] of [[5, 0.6], [6, 0.9], [7, 0.8]] as const) best.heard('a', { round, dice, images: 1 })
    await best.settled()
    expect(told).to.deep.equal([7])
  })

  describe('in a home', () => {
    const schema = createSchema({ model: 'fake', baseHash: '0'.repeat(64), tensors: [{ name: 'lora.a', shape: [2], role: 'lora' }] })
    let paths: SitePaths

    beforeEach(async () => { paths = sitePaths(await mkdtemp(`${tmpdir()}/consilium-`)) })
    afterEach(async () => { await rm(paths.home, { recursive: true }) })

    it('outlives the adapters of rounds that keepRounds lets go, and is found by its name', async () => {
      const store = new AdapterStore({ paths, schema, now: () => 0, config: { keepRounds: 2 } })
      const best = { round: 1, dice: 0.5, sites: 2, images: 6 }
      await store.saveRound({ values: Float32Array.of(1, 1), round: 1, weight: 1 })
      expect(await store.loadBest()).to.equal(undefined)
      expect(await store.keepBest({ ...best, round: 9 })).to.equal(false)
      expect(await store.keepBest(best)).to.equal(true)
      const bytes = await readFile(paths.bestAdapter)
      for (const round of [2, 3, 4]) await store.saveRound({ values: Float32Array.of(round, round), round, weight: 1 })
      // It is still said of the same file, though the round's own is gone.
      expect(await store.keepBest({ ...best, sites: 3 })).to.equal(true)
      expect(await store.loadBest()).to.deep.equal({ ...best, sites: 3 })
      expect(bytes.equals(await readFile(await adapterOfRound(paths, 'best')))).to.equal(true)
      expect(await adapterOfRound(paths, 4)).to.contain('round-0004')
      const error = await adapterOfRound(paths, 1).then(() => '', ({ message }: Error) => message)
      expect(error).to.equal('the adapter of round 1 is not kept here; rounds 3, 4 are (the setting keepRounds says how many)')
    })

    it('is said to be unknown where it is, as is what names no round', async () => {
      const error = await adapterOfRound(paths, 'best').then(() => '', ({ message }: Error) => message)
      expect(error).to.contain('no best round is known here yet')
      expect([parseRound('best'), parseRound('last'), parseRound('12')]).to.deep.equal(['best', 'last', 12])
      for (const text of ['', '0', '-1', '1.5', 'first']) expect(() => parseRound(text), text).to.throw('must be best, last or the number')
    })
  })
})
