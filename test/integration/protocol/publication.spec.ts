import { expect } from 'chai'
import { decodeHave, encodeAsk, encodeGet, MAX_PUBLICATION_BYTES } from '../../../src/protocol/publication/messages.ts'
import { publicationDigest, type PublicationPort, type Shown } from '../../../src/protocol/publication/talk.ts'
import { Frames } from '../../../src/protocol/shared/frames.ts'
import { connect, startBareNode, startShower, stopAll } from './nodes.ts'

const SCHEMA = 'ab'.repeat(32)
const COUNT = 100_000
const LONG_MS = 40_000

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

  it('stay here where they are asked for by a kind that was not named', async () => {
    const asker = await startBareNode()
    const shower = await startShower(port([shown('looks', 1)]))
    await connect(asker, shower.node)
    const failed = new Promise<string>((resolve) => {
      shower.service.addEventListener('failure', ({ detail: { error } }) => { resolve(error.message) })
    })
    const sent: unknown[] = []
    shower.service.addEventListener('sent', ({ detail }) => { sent.push(detail) })
    const frames = new Frames(await asker.dialProtocol(shower.node.getMultiaddrs(), shower.service.protocol))
    await frames.write(encodeAsk(SCHEMA), { ms: LONG_MS, what: 'room' })
    const named = decodeHave(await frames.read(MAX_PUBLICATION_BYTES, { ms: LONG_MS, what: 'list' }))
    expect(named.map(({ kind }) => kind)).to.deep.equal(['looks'])
    await frames.write(encodeGet('cores'), { ms: LONG_MS, what: 'room' })
    expect(await failureOf(frames.read(4 * COUNT, { ms: LONG_MS, what: 'chunk' }))).to.not.equal('none')
    expect(await failed).to.match(/asks for cores, which this site does not show/)
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
