import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { readFloatTensors } from '../../../src/adapter/safetensors.ts'
import { Sites, type FederationOptions } from './sites.ts'
import { Tap } from './tap.ts'

const SEALED = { mode: 'sealed' } as const
const STEPS = { a: 0.0625, b: 0.125, c: 0.25 }
const NAMES = ['a', 'b', 'c'] as const
type Name = typeof NAMES[number]

describe('daemons that seal what they train', function () {
  this.timeout(240_000)
  let sites: Sites
  const taps = new Map<Name, Tap>()

  afterEach(async () => { await sites.remove() })

  async function adapterOf (name: Name): Promise<number[]> {
    const { tensors } = readFloatTensors(await readFile(sites.paths(name).adapter))
    return [...tensors.get('lora.a')!.data]
  }

  async function groupsOf (name: Name): Promise<{ outcome: string, members?: string[] }[]> {
    const { audit } = sites.paths(name)
    const text = await Promise.all((await readdir(audit)).filter((file) => file.endsWith('.jsonl')).map(async (file) =>
      await readFile(join(audit, file), 'utf8')))
    const lines = text.join('').split('\n').filter((line) => line !== '')
    const entries = lines.map((line) => JSON.parse(line) as { kind: string, outcome: string })
    return entries.filter(({ kind }) => kind === 'group')
  }

  /**
   * All three to their end; `stopped` is stopped once after its first round, and started again. It trains faster than the others, and waits
   * for a group with them.
   */
  async function run (options: FederationOptions, stopped?: Name): Promise<void> {
    sites = await Sites.create(NAMES, { codec: 'f32', ...options })
    const bootstrap: string[] = []
    const start = async (name: Name): Promise<void> => {
      taps.set(name, new Tap())
      const make = (): ReturnType<Sites['daemon']> => sites.daemon(name, {
        manners: { step: STEPS[name], delayMs: stopped == null || name === stopped ? 300 : 1_500 },
        bootstrap,
        waitFor: 3,
        tap: taps.get(name)!.wrap
      })
      const daemon = make()
      const running = daemon.run()
      if (name === stopped) {
        await sites.statusOf(name, ({ round, phase }) => round >= 2 && phase === 'exchange')
        daemon.requestStop()
        await running
        await make().run()
      } else await running
    }
    const first = start('a')
    bootstrap.push(...(await sites.statusOf('a', ({ addresses }) => addresses.length > 0)).addresses)
    await Promise.all([first, start('b'), start('c')])
  }

  /** The bytes of what a site would send in its first round if nothing were sealed. */
  function needle (name: Name): Buffer {
    return Buffer.from(Float32Array.from({ length: 8 }, (_, i) => i / 8 + STEPS[name]).buffer)
  }

  function seen (): Name[] {
    return NAMES.filter((name) => taps.get(name)!.bytes().includes(needle(name)))
  }

  /** What groups carried is in the mean of the sites once, and nothing else; returns how many steps of each site that were. */
  async function checkMean (): Promise<Record<Name, number>> {
    const sums = Array.from({ length: 8 }, () => 0)
    const arrivals = { a: 0, b: 0, c: 0 }
    let mean = 0
    // Of what a site tells as lost a group may have carried some whose outcome it did not hear before its end.
    let unheard = [0]
    for (const name of NAMES) {
      for (const [i, value] of (await adapterOf(name)).entries()) sums[i]! += value / 3
      const { steps: { trained, arrived, lost } } = await sites.summary(name)
      // On a crowded machine no group may carry the last round's before the end: it is told as lost.
      expect([trained, arrived + lost], name).to.deep.equal([3, 3])
      arrivals[name] = arrived
      mean += arrived * STEPS[name] / 3
      unheard = unheard.flatMap((each) => Array.from({ length: lost + 1 }, (_, steps) => each + steps * STEPS[name] / 3))
    }
    const moved = sums.map((value, i) => value - i / 8)
    const nearest = unheard.map((each) => mean + each).sort((a, b) => Math.abs(a - moved[0]!) - Math.abs(b - moved[0]!))[0]!
    for (const each of moved) expect(each).to.be.closeTo(nearest, 1e-4)
    return arrivals
  }

  it('send nothing that shows one of them, and what they trained arrives', async () => {
    await run({ rounds: 3, secure: SEALED })
    expect(seen()).to.deep.equal([])
    const arrivals = await checkMean()
    for (const name of NAMES) {
      expect(arrivals[name], name).to.be.at.least(1)
      const groups = await groupsOf(name)
      const committed = groups.filter(({ outcome }) => outcome === 'committed')
      expect(committed, name).to.have.length.within(1, 3)
      for (const { members } of committed) expect(members, name).to.have.length(3)
    }
  })

  it('would show it where nothing is sealed', async () => {
    await run({ rounds: 1 })
    expect(seen()).to.not.deep.equal([])
  })

  it('go on from their disk when one was stopped between training and its group', async () => {
    await run({ rounds: 3, secure: SEALED }, 'b')
    const arrivals = await checkMean()
    for (const name of NAMES) expect(arrivals[name], name).to.be.at.least(1)
  })
})
