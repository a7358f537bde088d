import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { RandomAccessReader } from 'yauzl'

const PIECE = 2 ** 20

type Done = (error: Error | null, bytesRead?: number) => void

/**
 * A file for the zip library that answers positions beyond the file's end with an error: its own reader throws at those where nobody
 * can catch it.
 */
export class FileReader extends RandomAccessReader {
  constructor (readonly handle: FileHandle, readonly size: number) {
    super()
  }

  override _readStreamForRange (start: number, end: number): Readable {
    if (!this.#holds(start, end - start)) {
      return new Readable({
        read () {
          this.destroy(new Error('it points beyond the end of the file'))
        }
      })
    }
    return Readable.from(this.#pieces(start, end), { objectMode: false })
  }

  override read (buffer: Buffer, offset: number, length: number, position: number, done: Done): void {
    if (!this.#holds(position, length)) {
      done(new Error('it points beyond the end of the file'))
      return
    }
    this.handle.read(buffer, offset, length, position).then(({ bytesRead }) => {
      done(null, bytesRead)
    }, (error: unknown) => {
      done(error as Error)
    })
  }

  // The library counts its readers and closes a file once too often when a stream is read to its end: the owner of the handle closes it.
  ref (): void {}

  unref (): void {}

  /** A ReadStream of the handle would close it when it is destroyed. */
  async * #pieces (start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end;) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE, end - at))
      const { bytesRead } = await this.handle.read(piece, 0, piece.length, at)
      if (bytesRead === 0) throw new Error('the file ends early')
      yield piece.subarray(0, bytesRead)
      at += bytesRead
    }
  }

  #holds (position: number, length: number): boolean {
    return Number.isSafeInteger(position) && position >= 0 && length >= 0 && position + length <= this.size
  }
}
