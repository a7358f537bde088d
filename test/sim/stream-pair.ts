import type { Stream } from '@libp2p/interface'

/**
 * What becomes of one message: it arrives, or both ends are reset instead, or only the sender's end is and the message arrives when
 * `arriveLate` is called.
 */
export type Delivery = () => boolean | 'late'

interface Piece { readonly data: Iterable<Uint8Array> & { readonly byteLength: number } }

/** One end of a stream in memory, with as much of libp2p's Stream as the protocols use. Messages arrive in later microtasks, in order. */
class End extends EventTarget {
  readonly status: string = 'open'
  readStatus = 'readable'
  remoteWriteStatus = 'writable'
  maxReadBufferLength = 0
  readonly writeBufferLength = 0
  other!: End
  /** Bytes that came from the other end. */
  received = 0
  readonly #waiting: Piece[] = []
  #late: Piece | undefined
  readonly #delivers: Delivery
  #isWritable = true

  constructor (delivers: Delivery) {
    super()
    this.#delivers = delivers
  }

  get readBufferLength (): number {
    return this.#waiting.reduce((sum, { data }) => sum + data.byteLength, 0)
  }

  send (data: Uint8Array | Piece['data']): boolean {
    if (!this.#isWritable) throw new Error(`cannot write to a stream that is ${this.status}`)
    const list = data instanceof Uint8Array ? Object.assign([data], { byteLength: data.byteLength }) : data
    queueMicrotask(() => {
      if (this.status !== 'open' || this.other.status !== 'open') return
      const delivery = this.#delivers()
      if (delivery === true) this.other.#arrive({ data: list })
      else if (delivery === false) this.reset(new Error('lost'))
      else {
        this.other.#late = { data: list }
        this.#end('reset', new Error('lost'))
      }
    })
    return true
  }

  abort (error: Error): void {
    this.reset(error)
  }

  async close (): Promise<void> {
    if (!this.#isWritable) return
    this.#isWritable = false
    queueMicrotask(() => {
      this.other.remoteWriteStatus = 'closed'
      this.other.dispatchEvent(new Event('remoteCloseWrite'))
      if (!this.other.#isWritable) for (const end of [this, this.other]) end.#end('closed')
    })
  }

  pause (): void {
    this.readStatus = 'paused'
  }

  resume (): void {
    this.readStatus = 'readable'
    for (const piece of this.#waiting.splice(0)) this.#dispatch(piece)
  }

  reset (error: Error): void {
    this.#end('reset', error)
    if (this.other.#late == null) this.other.#end('reset', error)
  }

  arriveLate (): void {
    if (this.#late == null || this.status !== 'open') return
    this.#arrive(this.#late)
    this.#late = undefined
    queueMicrotask(() => { this.#end('reset', new Error('lost')) })
  }

  #arrive (piece: Piece): void {
    this.received += piece.data.byteLength
    if (this.readStatus === 'paused') this.#waiting.push(piece)
    else this.#dispatch(piece)
  }

  #dispatch (piece: Piece): void {
    this.dispatchEvent(Object.assign(new Event('message'), piece))
  }

  #end (status: string, error?: Error): void {
    if (this.status !== 'open') return
    Object.assign(this, { status })
    this.#isWritable = false
    this.dispatchEvent(Object.assign(new Event('close'), { error }))
  }
}

/** Lets a late message of the other end arrive at this one, which is reset after it. */
export function arriveLate (stream: Stream): void {
  (stream as unknown as End).arriveLate()
}

/** Both ends of a stream in memory; `delivers` is asked about every message of the first and of the second end. */
export function streamPair (delivers: readonly [Delivery, Delivery] = [() => true, () => true]): [Stream, Stream] {
  const [one, other] = [new End(delivers[0]), new End(delivers[1])]
  one.other = other
  other.other = one
  return [one, other] as unknown as [Stream, Stream]
}
