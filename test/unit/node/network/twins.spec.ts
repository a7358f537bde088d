import type { Connection } from '@libp2p/interface'
import { expect } from 'chai'
import { Twins } from '../../../../src/node/network/twins.ts'

class FakeStream extends EventTarget {
  readonly #echoes: boolean

  constructor (echoes: boolean) {
    super()
    this.#echoes = echoes
  }

  send (): void { if (this.#echoes) queueMicrotask(() => { this.dispatchEvent(new Event('message')) }) }
  async close (): Promise<void> { await Promise.resolve() }
  abort (): void { this.dispatchEvent(new Event('close')) }
}

interface Line { peer?: string, echoes?: boolean, status?: Connection['status'] }

function connection ({ peer = 'c', echoes = true, status = 'open' }: Line = {}): Connection {
  const newStream = async (): Promise<FakeStream> => await Promise.resolve(new FakeStream(echoes))
  return { remotePeer: { toString: () => peer }, status, newStream } as unknown as Connection
}

describe('twins', () => {
  let found: string[]
  let told: [Connection, number][]
  let twins: Twins

  beforeEach(() => {
    found = []
    told = []
    twins = new Twins({
      tell: async (line, instance) => { await Promise.resolve(told.push([line, instance])) },
      onTwin: (peer) => { found.push(peer) }
    }, 50)
  })

  /** All that was asked has been answered, or will not be: the patience of these tests, and another one begun after it. */
  async function settled (): Promise<void> {
    for (let i = 0; i < 2; i++) await new Promise((resolve) => { AbortSignal.timeout(50).addEventListener('abort', resolve) })
  }

  it('are open connections of one peer that said different numbers and both echo; each is told, and again at a review', async () => {
    const [one, two] = [connection(), connection()]
    twins.met(one, 1)
    twins.met(two, 2)
    await settled()
    expect(found).to.deep.equal(['c'])
    expect(told).to.deep.equal([[one, 2], [two, 1]])
    twins.review()
    await settled()
    expect(found).to.deep.equal(['c', 'c'])
  })

  it('are not two connections of one process, two peers, software that does not say, or a connection that a restart left', async () => {
    twins.met(connection(), 1)
    twins.met(connection(), 1)
    twins.met(connection({ peer: 'd' }), 2)
    twins.met(connection(), 0)
    twins.met(connection({ peer: 'e', echoes: false }), 3)
    twins.met(connection({ peer: 'e' }), 4)
    const closing = { peer: 'f', status: 'open' as Connection['status'] }
    const line = connection(closing)
    twins.met(line, 5)
    Object.assign(line, { status: 'closed' })
    twins.met(connection({ peer: 'f' }), 6)
    twins.review()
    await settled()
    expect(found).to.deep.equal([])
    expect(told).to.deep.equal([])
  })

  it('are asked no more after the end', async () => {
    twins.stop()
    twins.met(connection(), 1)
    twins.met(connection(), 2)
    await settled()
    expect(found).to.deep.equal([])
  })
})
