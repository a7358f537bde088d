import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { verifyLedger } from '../../../../src/audit/verify.ts'
import { seededRandom } from '../../../../src/common/random.ts'
import { Desk, refusal } from './fixtures.ts'

const TRIALS = 200

type Random = () => number
/** Changes one of the files, all of which are given; returns undefined when the draw changed nothing. */
type Attack = (files: Map<string, Buffer>, random: Random) => string | undefined

const below = (random: Random, n: number): number => Math.floor(random() * n)
const pick = (random: Random, names: readonly string[]): string => names[below(random, names.length)]!
const ledgerFiles = (files: Map<string, Buffer>): string[] => [...files.keys()].filter((name) => name.startsWith('ledger-')).sort()
const linesOf = (bytes: Buffer): string[] => bytes.toString('utf8').split('\n').slice(0, -1)
const joined = (lines: readonly string[]): Buffer => Buffer.from(lines.map((line) => line + '\n').join(''))

const attacks: Record<string, Attack> = {
  'a flipped bit, in the ledger or its head': (files, random) => {
    const name = pick(random, [...files.keys()])
    const bytes = Buffer.from(files.get(name)!)
    const at = below(random, bytes.length)
    bytes[at]! ^= 1 << below(random, 8)
    files.set(name, bytes)
    return `bit of byte ${at} in ${name}`
  },
  'a deleted entry or byte range': (files, random) => {
    const name = pick(random, ledgerFiles(files))
    const bytes = files.get(name)!
    const lines = linesOf(bytes)
    const [begin, length] = [below(random, bytes.length), 1 + below(random, 50)]
    const whole = random() < 0.5
    if (whole) lines.splice(below(random, lines.length), 1)
    files.set(name, whole ? joined(lines) : Buffer.concat([bytes.subarray(0, begin), bytes.subarray(begin + length)]))
    return name
  },
  'an inserted entry or bytes': (files, random) => {
    const name = pick(random, ledgerFiles(files))
    const bytes = files.get(name)!
    const lines = linesOf(bytes)
    const at = below(random, bytes.length + 1)
    const whole = random() < 0.5
    if (whole) lines.splice(below(random, lines.length + 1), 0, lines[below(random, lines.length)]!)
    files.set(name, whole ? joined(lines) : Buffer.concat([bytes.subarray(0, at), Buffer.from([below(random, 256)]), bytes.subarray(at)]))
    return name
  },
  'two entries or files in each other\'s place': (files, random) => {
    const names = ledgerFiles(files)
    const [one, other] = [pick(random, names), pick(random, names)]
    if (random() < 0.3) {
      const [x, y] = [files.get(one)!, files.get(other)!]
      files.set(one, y)
      files.set(other, x)
      return one === other ? undefined : `${one} and ${other}`
    }
    const lines = linesOf(files.get(one)!)
    const [i, j] = [below(random, lines.length), below(random, lines.length)]
    const line = lines[i]!
    lines[i] = lines[j]!
    lines[j] = line
    files.set(one, joined(lines))
    return i === j ? undefined : `${one}: ${i}, ${j}`
  },
  'a truncation: of bytes, entries or files': (files, random) => {
    const names = ledgerFiles(files)
    const last = below(random, names.length)
    const name = names[last]!
    const bytes = files.get(name)!
    const kept = random() < 0.3 ? 0 : below(random, bytes.length)
    for (const later of names.slice(last + 1)) files.delete(later)
    if (kept === 0) files.delete(name)
    else files.set(name, random() < 0.5 ? bytes.subarray(0, kept) : bytes.subarray(0, bytes.lastIndexOf('\n', kept) + 1))
    return `${name} at ${kept}`
  }
}

describe('tampering with an audit ledger', () => {
  let desk: Desk
  const genuine = new Map<string, Buffer>()

  before(async () => {
    desk = await Desk.create()
    const ledger = await desk.open({ segmentBytes: 2_000 })
    for (let i = 0; i < 40; i++) {
      ledger.append(refusal(`entry ${i} – ü`))
      if (i % 3 === 0) await ledger.flush()
    }
    ledger.append({ kind: 'stop', reason: 'done' })
    await ledger.close()
    for (const name of await readdir(desk.folder)) genuine.set(name, await readFile(join(desk.folder, name)))
    expect(genuine.size).to.be.greaterThan(4)
    expect(await verifyLedger(desk.folder, desk.expected)).to.include({ ok: true, count: 42 })
    await cp(desk.folder, join(desk.root, 'genuine'), { recursive: true })
  })

  after(async () => { await desk.remove() })

  // 5 × 200 = 1,000 random trials, issue 6 (4).
  for (const [seed, [name, attack]] of Object.entries(attacks).entries()) {
    it(`finds ${name}, every time in ${TRIALS} trials`, async () => {
      const random = seededRandom(1 + seed)
      const folder = join(desk.root, `attack-${seed}`)
      for (let trial = 0; trial < TRIALS;) {
        const files = new Map(genuine)
        const what = attack(files, random)
        const same = files.size === genuine.size && [...files].every(([each, bytes]) => bytes.equals(genuine.get(each)!))
        if (what == null || same) continue
        trial++
        await rm(folder, { recursive: true, force: true })
        await cp(join(desk.root, 'genuine'), folder, { recursive: true })
        for (const each of genuine.keys()) {
          const bytes = files.get(each)
          if (bytes == null) await rm(join(folder, each))
          else if (!bytes.equals(genuine.get(each)!)) await writeFile(join(folder, each), bytes)
        }
        const verdict = await verifyLedger(folder, desk.expected)
        expect(verdict.ok, what).to.equal(false)
        expect(verdict.problems[0], what).to.be.a('string')
      }
    }).timeout(60_000)
  }
})
