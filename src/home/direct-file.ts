import { constants, open, rm, type FileHandle } from 'node:fs/promises'

/** What goes past the page cache does so in whole blocks. */
const BLOCK_BYTES = 4_096
/** Bytes go to the disk in pieces of this size: few calls, while the next piece comes. */
const STAGED_BYTES = 4_194_304
const PAGE_BYTES = 65_536

export interface DirectFileInit {
  readonly mode?: number
  /** Whole blocks at the beginning, for what is known last. */
  readonly reserved?: number
  /** Holds whole blocks; where it does not lie at a multiple of the disk's own, the page cache is used. */
  readonly staged?: Uint8Array
}

/**
 * A new file that is written past the page cache where the file system can: fresh memory for pages that nobody reads costs more than
 * all the rest of writing them.
 */
export class DirectFile {
  readonly #path: string
  readonly #staged: Uint8Array
  #file: FileHandle
  /** Where the staged bytes go, and how many there are. */
  #written: number
  #waiting = 0
  #isClosed = false

  private constructor (path: string, file: FileHandle, { reserved, staged }: { reserved: number, staged: Uint8Array }) {
    this.#path = path
    this.#file = file
    this.#staged = staged
    this.#written = reserved
  }

  static async create (path: string, { mode = 0o600, reserved = 0, staged }: DirectFileInit = {}): Promise<DirectFile> {
    const file = await openDirect(path, mode)
    return new DirectFile(path, file, { reserved, staged: staged ?? alignedBuffer() })
  }

  /** What is reserved, and all that was appended. */
  get length (): number {
    return this.#written + this.#waiting
  }

  /** `bytes` may be changed when it resolves. */
  async append (bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + this.#staged.length - this.#waiting)
      this.#staged.set(part, this.#waiting)
      this.#waiting += part.length
      at += part.length
      if (this.#waiting === this.#staged.length) await this.#flush()
    }
  }

  /** On disk when it resolves, with `first` where it was reserved; the file is closed. */
  async finish (first?: Uint8Array): Promise<void> {
    await this.#flush()
    if (first != null) {
      this.#staged.set(first)
      await this.#write(first.length, 0)
    }
    await this.#file.truncate(this.#written)
    await this.#file.datasync()
    await this.close()
  }

  /** Safe to call again. */
  async close (): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#file.close()
    if (this.#staged.length === STAGED_BYTES) idle.push(this.#staged)
  }

  async #flush (): Promise<void> {
    const whole = Math.ceil(this.#waiting / BLOCK_BYTES) * BLOCK_BYTES
    this.#staged.fill(0, this.#waiting, whole)
    await this.#write(whole, this.#written)
    this.#written += this.#waiting
    this.#waiting = 0
  }

  async #write (count: number, position: number): Promise<void> {
    const bytes = this.#staged.subarray(0, count)
    try {
      await writeAll(this.#file, bytes, position)
    } catch (error) {
      if (!isInvalid(error)) throw error
      // Not a file system for that after all, or one with larger blocks.
      await this.#file.close()
      this.#file = await open(this.#path, 'r+')
      await writeAll(this.#file, bytes, position)
    }
  }
}

async function openDirect (path: string, mode: number): Promise<FileHandle> {
  const { O_CREAT, O_EXCL, O_WRONLY, O_DIRECT = 0 } = constants as typeof constants & { O_DIRECT?: number }
  try {
    return await open(path, O_CREAT | O_EXCL | O_WRONLY | O_DIRECT, mode)
  } catch (error) {
    if (!isInvalid(error)) throw error
    await rm(path, { force: true })
    return await open(path, 'wx', mode)
  }
}

const idle: Uint8Array[] = []

/**
 * The only memory whose address is known to be a multiple of a disk's block; where a limit on addresses forbids it, any, which then
 * goes through the page cache.
 */
function alignedBuffer (): Uint8Array {
  const used = idle.pop()
  if (used != null) return used
  try {
    return new Uint8Array(new WebAssembly.Memory({ initial: STAGED_BYTES / PAGE_BYTES }).buffer)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return new Uint8Array(STAGED_BYTES)
  }
}

async function writeAll (file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

function isInvalid (error: unknown): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === 'EINVAL'
}
