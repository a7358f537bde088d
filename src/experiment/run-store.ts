import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeWhole } from '../common/write-whole.ts'
import type { RunRecord } from './run-job.ts'

/** Finished runs by the hash of their settings: one file each, written aside and renamed. */
export class RunStore {
  readonly #folder: string

  constructor (folder: string) {
    this.#folder = folder
  }

  async find (hash: string): Promise<RunRecord | undefined> {
    try {
      return JSON.parse(await readFile(this.#path(hash), 'utf8')) as RunRecord
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  async save (hash: string, record: RunRecord): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    await writeWhole(this.#path(hash), `${JSON.stringify(record)}\n`)
  }

  #path (hash: string): string {
    return join(this.#folder, `${hash}.json`)
  }
}
