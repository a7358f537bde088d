import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { growSplit, type Sides, type Slice } from '../../../src/dataset/index.ts'
import { keepSides, readSides } from '../../../src/site-model/sides.ts'
import { slice as emptySlice } from './fixtures.ts'

const slice = (name: string, index: number): Slice => ({ ...emptySlice(name, index), mask: new Uint8Array(64).fill(1) })
const patients = (names: readonly string[], shows?: (name: string) => number[]): Slice[] => names.flatMap((name) =>
  [0, 1].map((index) => ({ ...slice(name, index), ...shows == null ? {} : { shows: shows(name) } })))
const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `p${i}`)
const subjects = (slices: readonly Slice[]): string[] => [...new Set(slices.map(({ subject }) => subject))]
const sitesOf = fc.uniqueArray(fc.integer({ min: 0, max: 60 }).map((i) => `p${i}`), { minLength: 2, maxLength: 20 })

describe('a split that grows', () => {
  it('never moves a patient when others come or go', () => {
    fc.assert(fc.property(fc.array(sitesOf, { minLength: 2, maxLength: 5 }), fc.integer(), (visits, seed) => {
      let known: Sides = new Map()
      const seen = new Map<string, string>()
      for (const names of visits) {
        const { train, validation, sides } = growSplit(patients(names), { seed, known })
        for (const [side, some] of [['train', train], ['validation', validation]] as const) {
          for (const subject of subjects(some)) {
            expect(seen.get(subject) ?? side, subject).to.equal(side)
            seen.set(subject, side)
          }
        }
        expect(subjects([...train, ...validation])).to.have.members(names)
        known = sides
      }
    }))
  })

  it('has something on both sides, at first and when newcomers are all there is', () => {
    fc.assert(fc.property(sitesOf, fc.integer(), (names, seed) => {
      const first = growSplit(patients(names), { seed })
      expect([first.train.length, first.validation.length].includes(0)).to.equal(false)
      // Whoever was validated with has left.
      const stayed = subjects(first.train)
      const after = growSplit(patients([...stayed, 'new']), { seed, known: first.sides })
      expect(subjects(after.validation)).to.deep.equal(['new'])
    }))
  })

  it('101 instead of 100 patients: nobody who was trained on is validated with', () => {
    for (let seed = 0; seed < 20; seed++) {
      const before = growSplit(patients(numbered(100)), { seed })
      const after = growSplit(patients(numbered(101)), { seed, known: before.sides })
      const trained = new Set(subjects(before.train))
      expect(subjects(after.validation).filter((name) => trained.has(name))).to.deep.equal([])
      // Without the file, as after a lost home, the draw of the same seed moves one at most.
      const anew = growSplit(patients(numbered(101)), { seed })
      expect(subjects(anew.validation).filter((name) => trained.has(name)).length).to.be.at.most(1)
    }
  })

  it('draws anew for another only subject of the same name, such as that of another site, and not for one who is away', () => {
    const scan = (site: string): Slice[] => Array.from({ length: 40 }, (_, i) => ({ ...slice('colin', i), id: `${site}_${i}` }))
    const own = growSplit(scan('a'), { seed: 1 })
    const other = growSplit(scan('b').slice(20), { seed: 1, known: own.sides })
    expect(other.validation).to.deep.equal(growSplit(scan('b').slice(20), { seed: 1 }).validation)
    const meanwhile = growSplit(patients(['x', 'y']), { seed: 1, known: own.sides })
    expect(growSplit(scan('a'), { seed: 1, known: meanwhile.sides }).validation).to.deep.equal(own.validation)
  })

  it('holds out a fifth of the first patients, and a fifth of many newcomers', () => {
    const first = growSplit(patients(numbered(10)), { seed: 4 })
    expect(subjects(first.validation)).to.have.length(2)
    const later = growSplit(patients(numbered(1010)), { seed: 4, known: first.sides })
    expect(subjects(later.validation).length).to.be.within(165, 240)
  })

  it('gives a newcomer of a class that one side lacks to that side', () => {
    const before = growSplit(patients(numbered(10), () => [0]), { seed: 2 })
    const rare = patients([...numbered(10), 'r1', 'r2', 'r3'], (name) => name.startsWith('r') ? [0, 1] : [0])
    const { train, validation, sides } = growSplit(rare, { seed: 2, known: before.sides })
    for (const side of [train, validation]) expect(side.some(({ shows }) => shows?.includes(1))).to.equal(true)
    for (const [name, side] of before.sides) expect(sides.get(name)).to.equal(side)
  })

  it('keeps the slab of an only patient when slices of it and other patients come', () => {
    const stack = (from: number, to: number): Slice[] => Array.from({ length: to - from }, (_, i) => slice('a', from + i))
    const before = growSplit(stack(0, 48), { seed: 7 })
    const after = growSplit([...stack(0, 60), ...patients(numbered(4))], { seed: 7, known: before.sides })
    const own = (slices: readonly Slice[]): number[] => slices.filter(({ subject }) => subject === 'a').map(({ index }) => index)
    expect(own(after.validation)).to.deep.equal(own(before.validation))
    expect(own(after.train).filter((index) => index < 48)).to.deep.equal(own(before.train))
    expect(own(after.train)).to.include.members([50, 59])
  })

  it('draws the first split of a home that trained before as that software drew it', () => {
    const names = Array.from({ length: 12 }, (_, i) => `case_${i}`)
    const held = (seed: number): string[] => subjects(growSplit(patients(names), { seed, asBefore: true }).validation)
    // Computed by commit ee75cf8.
    expect(held(1)).to.deep.equal(['case_3', 'case_7', 'case_9'])
    expect(held(2)).to.deep.equal(['case_11', 'case_4', 'case_9'])
  })
})

describe('the sides that a home keeps', () => {
  let folder: string
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  it('come back as they were, whatever a patient is called', async () => {
    const name = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'Ö', ''))
    const place = fc.tuple(fc.integer(), fc.string())
    const places = { first: place, last: place, before: place, after: place }
    const slab = fc.record(places, { requiredKeys: ['first', 'last'], noNullPrototype: true })
    const side = fc.oneof(fc.constantFrom('train' as const, 'validation' as const), slab)
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(name, side)), fc.nat(), async (entries, images) => {
      await keepSides(folder, { known: new Map(entries), images, data: '/data' })
      expect(await readSides(folder)).to.deep.equal({ known: new Map(entries), images, data: '/data' })
    }), { numRuns: 30 })
  })

  it('are none in a new home, and drawn as before in one that has trained', async () => {
    expect(await readSides(folder)).to.deep.equal({ asBefore: false })
    await writeFile(join(folder, 'shown.json'), '{}')
    expect(await readSides(folder)).to.deep.equal({ asBefore: true })
  })

  it('damaged, they are one sentence', async () => {
    for (const text of ['{', '{"sides": [["p1", "both"]]}', '{"sides": [["p1", {"first": 1}]]}']) {
      await writeFile(join(folder, 'split.json'), text)
      const error = await readSides(folder).then(() => undefined, (thrown: unknown) => thrown as Error)
      expect(error?.message).to.match(/split\.json.*is damaged: restore it from a backup/)
    }
  })
})
