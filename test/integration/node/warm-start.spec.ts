import { expect } from 'chai'
import { tensorsDigest } from '../../../src/adapter/tensors-digest.ts'
import { writeStartAdapter } from '../../../src/home/start-adapter.ts'
import { Sites } from './sites.ts'

const numbersOf = (first: number): Map<string, { shape: number[], data: Float32Array }> =>
  new Map([['lora.a', { shape: [2, 4], data: Float32Array.from({ length: 8 }, (_, i) => i === 0 ? first : i / 8) }]])

describe('a daemon whose federation starts from an adapter', function () {
  this.timeout(240_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  async function reasonOf (): Promise<string> {
    return await sites.daemon('a').run().then(() => 'it ran', (error: Error) => `${error.name}: ${error.message}`)
  }

  it('runs from these numbers', async () => {
    sites = await Sites.create(['a'], { rounds: 1, coolDownSeconds: 1, start: { adapter: tensorsDigest(numbersOf(0)) } })
    await writeStartAdapter(sites.paths('a').startAdapter, numbersOf(0))
    expect(await reasonOf()).to.equal('it ran')
  })

  it('ends before it trains where the trainer begins with others', async () => {
    sites = await Sites.create(['a'], { start: { adapter: tensorsDigest(numbersOf(1)) } })
    await writeStartAdapter(sites.paths('a').startAdapter, numbersOf(1))
    expect(await reasonOf()).to.match(/^InputError: the trainer holds the adapter [0-9a-f]{12}, and the federation starts from /)
    expect((await sites.summary('a').catch(() => undefined)), 'no round').to.equal(undefined)
  })
})
