import { expect } from 'chai'
import { heldHeap } from './held-bytes.ts'
import { seeded } from './site.ts'
import { bytesBelow, checkLedgers, checkSettled, checkSum, checkTogether } from './year/checks.ts'
import { EVENTS, MONTHS, schedule, WEEKS, Year } from './year/year.ts'

/** Another year: YEAR_SEED=7 npx mocha test/sim/year.spec.ts */
const SEED = Number(process.env['YEAR_SEED'] ?? 5)
/** By now every kind of object has been made once. */
const WARM = 3
const MOST_HEAP_GROWTH = 20 * 2 ** 20
/** Of a home with an adapter of 64 numbers, in a year: books, ledger and notes (docs/studies.md). */
const MOST_HOME = 2 ** 20

describe('a year of a federation, on real homes and a clock that is set; no sockets, DHT or trainer process', function () {
  this.timeout(1_800_000)
  let year: Year

  beforeEach(() => { year = new Year(SEED) })
  afterEach(async () => { await year.end() })

  it('12 amendments, members that come, go, lose disks, restore and change keys: Σw·x, ledgers, memory and homes hold', async () => {
    await year.begin()
    const months = schedule(seeded(SEED))
    const heap: number[] = []
    let matched = 0
    for (let month = 0; month < MONTHS; month++) {
      await year.month(month, months[month]!)
      const what = `month ${month + 1} (${months[month]!.join()})`
      checkSum(year, what)
      checkTogether(year, WEEKS * (month + 1), what)
      await checkSettled(year, year.lost, what)
      matched = Math.max(matched, await checkLedgers(year, what))
      heap.push(heldHeap())
      for (const { name, paths } of year.up) {
        const sizes = await bytesBelow(paths.home)
        const bytes = Object.values(sizes).reduce((sum, each) => sum + each, 0)
        expect(bytes, `${what}: home of ${name}: ${JSON.stringify(sizes)}`).to.be.below(MOST_HOME)
      }
    }
    await year.amendOnceMore()
    expect(EVENTS.filter((each) => !year.happened.some((done) => done.startsWith(each))), 'never happened').to.deep.equal([])
    expect(year.amendments).to.be.at.least(12)
    expect(matched).to.be.above(200)
    expect(heap.at(-1)! - heap[WARM]!, heap.join()).to.be.below(MOST_HEAP_GROWTH)
  })
})
