import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { Departure } from '../../../src/audit/lineage.ts'
import type { LedgerEntry } from '../../../src/audit/entry.ts'
import { fetchControl } from '../../../src/node/control/client.ts'
import type { SiteStatus } from '../../../src/rounds/status.ts'
import { readSides } from '../../../src/site-model/sides.ts'
import { png } from '../../unit/dataset/fixtures.ts'
import { consilium, consiliumJson, start, type Running } from '../cli.ts'

const SIDE = 64
const PICTURES = 4
const PATIENCE_MS = 300_000
const POLL_MS = 200
const PATIENTS = ['Quillon', 'Zebedee', 'Wystan', 'Yolande', 'Xanthe']

interface Withdrawn {
  readonly subject: string
  readonly at: string
  readonly images: number
  readonly side: string | null
  readonly rounds: ReadonlyArray<readonly [number, number]>
  readonly departures: readonly Departure[]
}

async function hospital (data: string): Promise<void> {
  for (const name of ['images', 'masks']) await mkdir(join(data, name), { recursive: true })
  for (const patient of PATIENTS) {
    for (let i = 0; i < PICTURES; i++) {
      const isDisc = (x: number, y: number): boolean => Math.hypot(x - 20 - i, y - 24 - i) < 9
      const picture = await png(SIDE, SIDE, (x, y) => isDisc(x, y) ? 220 : 90 + (x * 7 + y) % 17)
      await writeFile(join(data, 'images', `${patient}_0${i}.png`), picture)
      await writeFile(join(data, 'masks', `${patient}_0${i}.png`), await png(SIDE, SIDE, (x, y) => isDisc(x, y) ? 255 : 0))
    }
  }
}

describe('a subject is withdrawn at a site that trains with another', function () {
  this.timeout(4 * PATIENCE_MS)
  let folder: string
  const running: Running[] = []
  const at = (name: string): string => join(folder, name)

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    for (const name of ['a', 'b']) await hospital(at(`data-${name}`))
  })
  after(async () => {
    for (const { child, ended } of running) {
      child.kill('SIGKILL')
      await ended
    }
    await rm(folder, { recursive: true })
  })

  function launch (name: string, ...args: string[]): Running {
    const listen = ['--listen', '/ip4/127.0.0.1/tcp/0', '--threads', '1']
    running.push(start(['start', '--home', at(name), '--data', at(`data-${name}`), ...listen, ...args]))
    return running.at(-1)!
  }

  async function until (name: string, what: string, holds: (status: SiteStatus) => boolean): Promise<SiteStatus> {
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(POLL_MS)) {
      const status = await fetchControl<SiteStatus>(at(name), '/status').catch(() => undefined)
      if (status != null && holds(status)) return status
    }
    throw new Error(`${name}: waited in vain until ${what}: ${running.map(({ out }) => out.stderr).join('\n')}`)
  }

  async function roundsOf (subject: string): Promise<Withdrawn['rounds']> {
    const { withdrawn } = await consiliumJson<{ withdrawn: { subject: string, rounds: Withdrawn['rounds'] }[] }>(
      ['data', 'withdrawn', '--home', at('a')]
    )
    return withdrawn.find((each) => each.subject === subject)!.rounds
  }

  /** What of a home, or of what was printed, has a text in it. */
  async function holding (text: string): Promise<string[]> {
    const names = (await readdir(at('a'), { recursive: true })).filter((name) => !name.startsWith('peers'))
    const found = await Promise.all(names.map(async (name) => {
      const path = join(at('a'), name)
      const isFile = await stat(path).then((each) => each.isFile(), () => false)
      return isFile && (await readFile(path).catch(() => Buffer.alloc(0))).includes(text) ? [name] : []
    }))
    return [...found.flat(), ...running.filter(({ out }) => `${out.stdout}${out.stderr}`.includes(text)).map(() => 'output')]
  }

  it('is trained on and validated with no more, its lineage is told, and nothing says its name', async () => {
    await writeFile(at('settings.json'), '{ "training": { "stepsPerRound": 1, "batchSize": 4 } }')
    const create = ['federation', 'create', '--home', at('a'), '--name', 'two', '--rounds', '100000', '--image-size', String(SIDE)]
    await consiliumJson([...create, '--settings', at('settings.json')])
    const { peerId } = await consiliumJson<{ peerId: string }>(['init', '--home', at('b')])
    launch('a')
    const { addresses: [address] } = await until('a', 'it listens', ({ addresses }) => addresses.length > 0)
    const invite = ['invite', peerId, '--home', at('a'), '--bootstrap', address!]
    const { invitation } = await consiliumJson<{ invitation: string }>(invite)
    await consiliumJson(['join', invitation, '--home', at('b')])
    launch('b')
    const { images: before } = await until('a', 'it exchanges', ({ exchanges, round }) => exchanges > 1 && round > 1)
    const { known } = await readSides(join(at('a'), 'private'))
    const trained = [...known!].filter(([, side]) => side === 'train').map(([name]) => name)
    expect(trained).to.have.length(PATIENTS.length - 1)

    const [name] = trained
    // Of a method that makes them; this one does not.
    await writeFile(join(at('a'), 'private', 'pseudo-masks.safetensors'), 'made of pixels')
    const piped = await consilium(['data', 'withdraw', '-', '--home', at('a'), '--json'], { input: `${name}\n` })
    expect(piped.code, piped.stderr).to.equal(0)
    const withdrawn = JSON.parse(piped.stdout) as Withdrawn
    expect(withdrawn).to.include({ images: PICTURES, side: 'train' })
    expect(await readdir(join(at('a'), 'private'))).to.not.include('pseudo-masks.safetensors')
    expect(withdrawn.rounds[0]![0]).to.equal(1)
    const exchanges = withdrawn.departures.filter(({ kind, outcome }) => kind === 'exchange' && outcome === 'committed')
    expect(exchanges.length).to.be.above(0)
    for (const { partner, round, t } of exchanges) {
      expect(partner).to.equal(peerId)
      expect(round).to.be.at.least(1)
      expect(t <= withdrawn.at).to.equal(true)
    }

    const after = await until('a', 'its images are fewer', ({ images }) => images?.all === before!.all - PICTURES)
    const [[, last]] = await roundsOf(withdrawn.subject) as [[number, number]]
    await until('a', 'it goes on, with the other', ({ round, exchanges: more }) => round > after.round + 2 && more > after.exchanges)
    expect((await roundsOf(withdrawn.subject)).at(-1)).to.deep.equal([1, last])
    expect(last).to.be.at.most(after.round)

    // The same once more tells the same.
    const again = await consiliumJson<Withdrawn>(['data', 'withdraw', name!, '--home', at('a')])
    expect(again).to.include({ subject: withdrawn.subject, at: withdrawn.at })
    expect(again.departures.length).to.be.at.least(withdrawn.departures.length)

    const ledger = await consiliumJson<LedgerEntry[]>(['audit', 'show', '--home', at('a')])
    const entries = ledger.filter(({ kind }) => kind === 'withdrawal')
    expect(entries.map((each) => ({ ...each, seq: 0, t: '', prev: '' }))).to.deep.equal([
      { kind: 'withdrawal', subject: withdrawn.subject, event: 'withdrawn', at: withdrawn.at, seq: 0, t: '', prev: '' }
    ])
    expect((await consiliumJson<{ ok: boolean }>(['audit', 'verify', '--home', at('a')])).ok).to.equal(true)
    expect(await holding(name!)).to.deep.equal(['private/split.json'])

    await consiliumJson(['data', 'readmit', withdrawn.subject, '--home', at('a')])
    await until('a', 'all images are back', ({ images }) => images?.all === before!.all)
    const unknown = await consilium(['data', 'withdraw', 'Nemo', '--home', at('a')])
    expect([unknown.code, unknown.stderr]).to.deep.equal([
      1, `consilium: ${at('data-a')} has no images of that subject: write it as "consilium data check" lists it\n`
    ])
  })
})
