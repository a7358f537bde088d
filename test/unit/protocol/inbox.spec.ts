import type { Stream } from '@libp2p/interface'
import { expect } from 'chai'
import { encode } from 'it-length-prefixed'
import { Inbox } from '../../../src/protocol/shared/inbox.ts'

/**
 * What libp2p's streams do: resume() hands on what accumulated and then lets the muxer send again, even when a listener has paused
 * meanwhile.
 */
class MuxedStream extends EventTarget {
  readStatus = 'readable'
  status = 'open'
  remoteWriteStatus = 'writable'
  readBufferLength = 0
  maxReadBufferLength = 0
  /** The window is shut: the partner sends no more. */
  isHeld = false
  readonly #held: Uint8Array[] = []

  deliver (data: Uint8Array): void {
    if (this.readStatus === 'paused') this.#held.push(data)
    else this.dispatchEvent(Object.assign(new Event('message'), { data }))
  }

  pause (): void {
    if (this.readStatus === 'paused') return
    this.readStatus = 'paused'
    this.isHeld = true
  }

  resume (): void {
    if (this.readStatus === 'readable') return
    this.readStatus = 'readable'
    for (const data of this.#held.splice(0)) this.deliver(data)
    this.isHeld = false
  }
}

const BYTES = 262_144

async function microtasks (): Promise<void> {
  await new Promise((resolve) => { setImmediate(resolve) })
}

describe('inbox', () => {
  it('keeps the partner held back when more than its limit comes out of the stream\'s own buffer at once', async () => {
    const stream = new MuxedStream()
    const inbox = new Inbox(stream as unknown as Stream)
    const message = encode.single(new Uint8Array(BYTES)).subarray()
    const take = (count: number): void => {
      for (let i = 0; i < count; i++) expect(inbox.take(BYTES)).to.have.length(BYTES)
    }
    for (let i = 0; i < 17; i++) stream.deliver(message)
    await microtasks()
    expect(stream.isHeld).to.equal(true)
    for (let i = 0; i < 20; i++) stream.deliver(message)
    take(15)
    await microtasks()
    expect(stream.readStatus).to.equal('paused')
    expect(stream.isHeld).to.equal(true)
    take(22)
    await microtasks()
    expect(stream.isHeld).to.equal(false)
  })
})
