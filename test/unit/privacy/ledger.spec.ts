import fs from 'node:fs'
import { appendFile, cp, mkdtemp, open, readFile, rm, stat, truncate, unlink, writeFile, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { PrivacyLedger, readPrivacyLedger, type Damaged } from '../../../src/audit/privacy/privacy-ledger.ts'

const federation = 'ab'.repeat(32)
const release = { unit: 'site', noise: 2, rate: 1, steps: 1, clip: 1, trained: 16 } as const
const NEVER = new Promise<never>(() => {})

/** The process dies at one of its writes: that one happens or not, and nothing after it does. */
class Death {
  #writes = 0
  readonly #at: number
  readonly #happens: boolean
  readonly #restore: (() => void)[] = []
  readonly #held = new Set<FileHandle>()
  readonly #died = Promise.withResolvers<void>()

  constructor (at: number, happens: boolean) {
    this.#at = at
    this.#happens = happens
  }

  async begin (folder: string): Promise<void> {
    const probe = await open(folder)
    const handles = Object.getPrototypeOf(probe) as Record<string, (this: FileHandle, ...args: unknown[]) => Promise<unknown>>
    await probe.close()
    const strike = async (work: () => Promise<unknown>): Promise<unknown> => await this.#strike(work)
    for (const name of ['write', 'truncate']) {
      const original = handles[name]!
      const held = this.#held
      handles[name] = async function (this: FileHandle, ...args) {
        held.add(this)
        return await strike(async () => await original.apply(this, args))
      }
      this.#restore.push(() => { handles[name] = original })
    }
    const { rename } = fs
    fs.rename = ((from, to, done) => {
      strike(async () => { await promisify(rename)(from, to) }).then(() => { done(null) }, done)
    }) as typeof fs.rename
    this.#restore.push(() => { fs.rename = rename })
  }

  /** What the dead process held is closed, as the system does it. */
  async end (): Promise<void> {
    for (const restore of this.#restore) restore()
    for (const handle of this.#held) await handle.close()
  }

  get isDead (): boolean {
    return this.#writes > this.#at
  }

  /** Never, where there are not so many writes. */
  get died (): Promise<void> {
    return this.#died.promise
  }

  async #strike (work: () => Promise<unknown>): Promise<unknown> {
    const nth = this.#writes++
    if (nth < this.#at) return await work()
    if (nth === this.#at && this.#happens) await work()
    this.#died.resolve()
    return await NEVER
  }
}

describe('the privacy ledger', () => {
  let home: string
  let folder: string
  const lines = (): string => join(folder, 'ledger.jsonl')
  const budget = (): string => join(folder, 'budget.json')
  const take = async (trained = 0): Promise<PrivacyLedger | Damaged> =>
    await PrivacyLedger.open({ folder, federation, trained, now: Date.now })
  const steps = ({ account: { spent } }: PrivacyLedger): number => spent.reduce((sum, each) => sum + each.steps, 0)

  async function holding (trained = 0): Promise<PrivacyLedger> {
    const ledger = await take(trained)
    if ('damaged' in ledger) throw new Error(ledger.damaged)
    return ledger
  }

  async function filled (releases: number): Promise<void> {
    const ledger = await holding()
    for (let round = 1; round <= releases; round++) await ledger.spend({ ...release, round })
  }

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'consilium-'))
    folder = join(home, 'privacy')
  })
  afterEach(async () => { await rm(home, { recursive: true }) })

  it('goes on where it ended, for this user alone', async () => {
    await filled(2)
    const ledger = await holding(32)
    await ledger.spend({ ...release, round: 3, noise: 3 })
    expect((await holding(48)).account).to.deep.equal({
      spent: [{ unit: 'site', noise: 2, rate: 1, steps: 2 }, { unit: 'site', noise: 3, rate: 1, steps: 1 }],
      releases: 3,
      trained: 48,
      resets: []
    })
    for (const path of [folder, lines(), budget()]) expect((await stat(path)).mode & 0o077).to.equal(0)
  })

  it('never forgets what may have been let out, at whichever write the process dies', async () => {
    let survived = false
    for (let at = 0; !survived; at++) {
      for (const happens of [false, true]) {
        const { released, isDead } = await die(at, happens)
        survived = !isDead
        const after = await holding(released * release.trained)
        expect(steps(after), `write ${at} ${happens ? 'happens' : 'does not'}`).to.be.within(released, released + 1)
        await after.spend({ ...release, round: 9 })
        expect(steps(await holding())).to.equal(steps(after))
      }
    }
  })

  /** A ledger with one release takes two more, as far as it comes. What a dead process holds stays held: the next looks at a copy. */
  async function die (at: number, happens: boolean): Promise<{ readonly released: number, readonly isDead: boolean }> {
    folder = join(home, `${at}-${happens}`)
    await filled(1)
    let released = 1
    const death = new Death(at, happens)
    await death.begin(home)
    const life = (async () => {
      const ledger = await holding(release.trained)
      for (const round of [2, 3]) {
        await ledger.spend({ ...release, round })
        released++
      }
    })()
    await Promise.race([life, death.died])
    await death.end()
    await cp(folder, `${folder}-copy`, { recursive: true })
    folder = `${folder}-copy`
    return { released, isDead: death.isDead }
  }

  it('writes over what a crash left of a line', async () => {
    await filled(1)
    await appendFile(lines(), '{"kind":"release","clip":1,"hash')
    await (await holding(16)).spend({ ...release, round: 2 })
    expect((await holding(32)).account.releases).to.equal(2)
  })

  const damages: readonly (readonly [string, RegExp, () => Promise<unknown>])[] = [
    ['without its lines', /entry 2 is missing/, async () => { await unlink(lines()) }],
    ['without its budget', /budget\.json is missing/, async () => { await unlink(budget()) }],
    ['without both, in a home that has trained', /it is missing/, async () => { await rm(folder, { recursive: true }) }],
    ['cut short', /entry 2 is missing/, async () => { await truncate(lines(), (await stat(lines())).size - 3) }],
    ['with a smaller price', /was changed/, async () => {
      await writeFile(lines(), (await readFile(lines(), 'utf8')).replace('"noise":2', '"noise":9'))
    }],
    ['with a damaged budget', /budget\.json is damaged/, async () => {
      await writeFile(budget(), (await readFile(budget(), 'utf8')).replace('"count": 2', '"count": 1'))
    }],
    ['of a home that came from a backup', /came from a backup/, async () => { await PrivacyLedger.doubt(folder, 'it came from a backup') }],
    ['of less training than the adapter holds', /holds 32 steps of training, and the ledger knows of 16/, async () => {
      await rm(folder, { recursive: true })
      await filled(1)
    }]
  ]
  for (const [what, sentence, damage] of damages) {
    it(`${what} does not hold, until a person gives it up; what can be read of it counts on`, async () => {
      await filled(2)
      await damage()
      const ledger = await take(32)
      expect('damaged' in ledger && ledger.damaged).to.match(sentence)
      await PrivacyLedger.reset({ folder, federation, now: Date.now })
      const after = await holding(32)
      expect(steps(after)).to.be.within(what.startsWith('without both') ? 0 : 1, 2)
      expect(after.account.resets).to.have.length(1)
      await after.spend({ ...release, round: 3 })
      expect(steps(await holding(48))).to.equal(steps(after))
    })
  }

  it('is of one federation', async () => {
    await filled(1)
    const other = await readPrivacyLedger({ folder, federation: 'cd'.repeat(32), trained: 0 })
    expect('damaged' in other && other.damaged).to.match(/another federation/)
  })
})
