import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { readFloatTensors } from '../../../../src/adapter/safetensors.ts'
import { Sites } from '../sites.ts'
import { Liar } from './liar.ts'

const HONEST = ['a', 'b', 'c'] as const
const LIARS = ['x', 'y', 'z'] as const
const ROUNDS = 12

describe('taking over by being ahead', function () {
  this.timeout(240_000)
  let sites: Sites
  let liars: Liar[] = []

  afterEach(async () => {
    await Promise.all(liars.map(async (each) => { await each.close() }))
    liars = []
    await sites.remove()
  })

  /** Honest sites, with as many liars that claim a later round and send what is far off. */
  async function attack (claimed: number): Promise<void> {
    sites = await Sites.create([...HONEST, ...LIARS], { rounds: ROUNDS, coolDownSeconds: 20 })
    liars.push(await Liar.open(sites, LIARS[0], { values: new Float32Array(8).fill(3_000), round: claimed }))
    const { addresses } = liars[0]!.network
    for (const name of LIARS.slice(1)) {
      liars.push(await Liar.open(sites, name, { values: new Float32Array(8).fill(3_000), round: claimed, bootstrap: addresses }))
    }
    for (const each of liars) each.announce(() => ({ round: claimed }))
    await Promise.all(HONEST.map(async (name) => {
      await sites.daemon(name, { bootstrap: [...addresses], manners: { delayMs: 250, step: 0.1 } }).run()
    }))
  }

  async function normOf (name: string): Promise<number> {
    const { tensors } = readFloatTensors(await readFile(sites.paths(name).adapter))
    return Math.hypot(...[...tensors.values()].flatMap(({ data }) => [...data]))
  }

  for (const claimed of [ROUNDS, 500_000]) {
    it(`three of six in round ${claimed}: every honest site trains all its rounds, and its adapter is its own`, async () => {
      await attack(claimed)
      for (const name of HONEST) {
        const { rounds, steps, exchanges } = await sites.summary(name)
        expect([rounds, steps.trained], name).to.deep.equal([ROUNDS, ROUNDS])
        expect(exchanges, name).to.be.above(0)
        expect(await normOf(name), name).to.be.below(20)
      }
    })
  }
})
