import { parentPort, workerData } from 'node:worker_threads'
import { drawSample } from '../scenes/sample.ts'
import type { StreamOptions } from './batch-stream.ts'
import { toTaskBatch } from './batch.ts'

/** Worker thread of BatchStream: draws one batch for each message that it gets, in order. */
const { seed, batch, first, side, lowResSide } = workerData as StreamOptions
let step = first
parentPort?.on('message', () => {
  const samples = Array.from({ length: batch }, (_, i) => drawSample(seed, step * batch + i, side))
  const made = toTaskBatch(samples, lowResSide)
  step++
  parentPort?.postMessage(made, Object.values(made).map(({ buffer }) => buffer as ArrayBuffer))
})
