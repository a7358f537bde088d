import { expect } from 'chai'
import { publicationDigest, type PublicationPort, type Shown } from '../../../src/protocol/publication/talk.ts'
import { connect, startShower, stopAll } from './nodes.ts'

const SCHEMA = 'ab'.repeat(32)
const COUNT = 100_000

function shown (kind: string, fill: number): Shown {
  const values = new Float32Array(COUNT).map((_, i) => fill + i)
  return { kind, round: 2, digest: publicationDigest(values), values }
}

function port (list: readonly Shown[], over: Partial<PublicationPort> = {}): PublicationPort {
  return { schemaHash: SCHEMA, most: COUNT, shown: () => list, countOf: (kind) => kind === 'looks' ? COUNT : undefined, ...over }
}

type Shower = Awaited<ReturnType<typeof startShower>>

async function both (a: PublicationPort, b: PublicationPort, now?: () => number): Promise<[Shower, Shower]> {
  const sites: [Shower, Shower] = [await startShower(a), await startShower(b, now)]
  await connect(sites[0].node, sites[1].node)
  return sites
}

async function failureOf (work: Promise<unknown>): Promise<string> {
  return await work.then(() => 'none', (error: Error) => error.name)
}

describe('publications between libp2p nodes', function () {
  this.timeout(60_000)
  afterEach(stopAll)

  it('are named, and their numbers pulled, of the kinds alone that the asker wants and has not', async () => {
    const [looks, cores] = [shown('looks', 1), shown('cores', 2)]
    const [a, b] = await both(port([]), port([looks, cores]))
    const sent: string[] = []
    b.service.addEventListener('sent', ({ detail: { kind, partner } }) => { sent.push(`${kind} ${partner}`) })
    const first = await a.service.ask(b.node.peerId, () => true)
    expect(first.items.map(({ kind, round }) => [kind, round])).to.deep.equal([['looks', 2], ['cores', 2]])
    expect(first.got).to.deep.equal([looks])
    const second = await a.service.ask(b.node.peerId, ({ digest }) => digest !== looks.digest)
    expect(second.got).to.deep.equal([])
    expect(sent).to.deep.equal([`looks ${a.node.peerId.toString()}`])
  })

  it('are nothing where none may leave, and nothing to a site of another model', async () => {
    const [a, b] = await both(port([shown('looks', 1)]), port([]))
    expect((await a.service.ask(b.node.peerId, () => true)).items).to.deep.equal([])
    const c = await startShower(port([], { schemaHash: 'cd'.repeat(32) }))
    await connect(c.node, a.node)
    expect((await c.service.ask(a.node.peerId, () => true)).items).to.deep.equal([])
  })

  it('stay here where a consent ends between their name and their numbers', async () => {
    let asked = 0
    const [a, b] = await both(port([]), port([], { shown: () => asked++ === 0 ? [shown('looks', 1)] : [] }))
    const sent: unknown[] = []
    b.service.addEventListener('sent', ({ detail }) => { sent.push(detail) })
    expect(await failureOf(a.service.ask(b.node.peerId, () => true))).to.be.oneOf(['UnreachableError', 'ProtocolError'])
    expect(sent).to.deep.equal([])
  })

  it('are had twice a minute by a peer, no oftener', async () => {
    let ms = 0
    const [a, b] = await both(port([]), port([shown('looks', 1)]), () => ms)
    const ask = async (): Promise<string> => await failureOf(a.service.ask(b.node.peerId, () => true))
    expect([await ask(), await ask()]).to.deep.equal(['none', 'none'])
    expect(await ask()).to.not.equal('none')
    ms = 60_000
    expect(await ask()).to.equal('none')
  })

  it('of another count or digest than was said are not taken', async () => {
    const lie = { ...shown('looks', 1), digest: 'ef'.repeat(32) }
    const few = { ...shown('looks', 1), values: new Float32Array(3) }
    for (const list of [[lie], [few]]) {
      const [a, b] = await both(port([]), port(list))
      expect(await failureOf(a.service.ask(b.node.peerId, () => true))).to.be.oneOf(['ProtocolError', 'TimeoutError', 'UnreachableError'])
      await stopAll()
    }
  })
})
