import { cp } from 'node:fs/promises'
import { Sites } from './sites.ts'

// Nobody reaches it: the test ends them.
const ROUNDS = 10_000
const TWICE = /runs twice at the same time/
const HERE = /another process uses the key of this site/

describe('a home and its copy that run at the same time', function () {
  this.timeout(900_000)
  let sites: Sites

  afterEach(async () => { await sites.remove() })

  function start (name: string, bootstrap: readonly string[] = []): void {
    const manners = { delayMs: 200 }
    const daemon = sites.daemon(name, { manners, bootstrap: [...bootstrap], aloneRounds: ROUNDS, foundWithinMs: 1_000 })
    sites.start(daemon).catch(() => {})
  }

  async function warned (name: string, what: RegExp): Promise<void> {
    await sites.statusOf(name, ({ warnings }) => warnings.some((each) => what.test(each)))
  }

  async function begin (first: readonly string[]): Promise<readonly string[]> {
    sites = await Sites.create(['a', 'b', 'c'], { rounds: ROUNDS })
    await cp(sites.paths('c').home, sites.paths('copy').home, { recursive: true })
    start('a')
    const { addresses } = await sites.statusOf('a', (status) => status.addresses.length > 0)
    for (const name of first) start(name, addresses)
    return addresses
  }

  async function allNotice (): Promise<void> {
    for (const name of ['a', 'b']) await warned(name, TWICE)
    for (const name of ['c', 'copy']) await warned(name, HERE)
  }

  it('are noticed by every other site and by both, when both start at once', async () => {
    await begin(['b', 'c', 'copy'])
    await allNotice()
  })

  it('are noticed when the copy comes later', async () => {
    const addresses = await begin(['b', 'c'])
    await sites.statusOf('c', ({ exchanges }) => exchanges > 0)
    start('copy', addresses)
    await allNotice()
  })
})
