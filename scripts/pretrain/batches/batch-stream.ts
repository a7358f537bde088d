import { once } from 'node:events'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { TaskBatch } from './batch.ts'

export interface StreamOptions {
  readonly seed: number
  /** Images per batch. */
  readonly batch: number
  /** Step whose batch comes first; step k holds the samples k·batch … (k+1)·batch − 1 of the stream `seed`. */
  readonly first: number
  /** Sides of image and low-resolution masks, in pixels. */
  readonly side: number
  readonly lowResSide: number
}

const AHEAD = 3

/** Batches drawn in a worker thread while the engine trains on the ones before. */
export class BatchStream {
  readonly #worker: Worker
  readonly #ready: TaskBatch[] = []
  #failure: Error | undefined

  constructor (options: StreamOptions) {
    this.#worker = new Worker(new URL(`./batch-worker${extname(import.meta.filename)}`, import.meta.url), { workerData: options })
    this.#worker.on('message', (batch: TaskBatch) => { this.#ready.push(batch) })
    this.#worker.on('error', (error: Error) => { this.#failure = error })
    for (let i = 0; i < AHEAD; i++) this.#worker.postMessage('more')
  }

  /** The next step's batch; rejects when the worker has failed. */
  async next (): Promise<TaskBatch> {
    while (this.#ready.length === 0) {
      if (this.#failure != null) throw this.#failure
      await once(this.#worker, 'message')
    }
    this.#worker.postMessage('more')
    return this.#ready.shift()!
  }

  async close (): Promise<void> {
    await this.#worker.terminate()
  }
}
