import { fork } from 'node:child_process'
import pMap from 'p-map'
import { jobHash, type Job } from './jobs.ts'
import { openBase, type RunRecord } from './run-job.ts'
import type { RunStore } from './run-store.ts'

/** What a worker is sent, once. */
export interface WorkerTask { readonly job: Job, readonly threads: number }

/** What it answers: rounds as they are done, then the record or why there is none. */
export type WorkerMessage =
  | { readonly round: number }
  | { readonly note: string }
  | { readonly record: RunRecord }
  | { readonly failure: string }

export interface RunAllOptions {
  /** Module that does one job in a process of its own; it knows the data sets. */
  readonly worker: string
  readonly store: RunStore
  /** Processes at once, and threads of each. */
  readonly workers: number
  readonly threads: number
  /** `rounds` of a job that runs are done; all of them and a record when it has ended. */
  readonly onProgress: (job: Job, rounds: number, record?: RunRecord) => void
  /** Told what a job says of itself on the way. */
  readonly onNote?: (job: Job, text: string) => void
  /** Ends all processes; finished runs are kept. */
  readonly signal: AbortSignal
}

/** Runs what the store does not have yet; records in the order of the jobs. @throws the signal's reason when it comes. */
export async function runAll (jobs: readonly Job[], options: RunAllOptions): Promise<RunRecord[]> {
  const { store, workers, threads, onProgress, signal } = options
  const base = await openBase()
  return await pMap(jobs, async (job) => {
    signal.throwIfAborted()
    const hash = jobHash(job, base)
    const known = await store.find(hash)
    const record = known ?? await runApart({ job, threads }, (rounds) => { onProgress(job, rounds) }, options)
    if (known == null) await store.save(hash, record)
    onProgress(job, job.rounds, record)
    return record
  }, { concurrency: workers })
}

/** One job in a process of its own. */
async function runApart (
  task: WorkerTask,
  onRound: (round: number) => void,
  { worker, signal, onNote }: Pick<RunAllOptions, 'worker' | 'signal' | 'onNote'>
): Promise<RunRecord> {
  const child = fork(worker, { signal, serialization: 'advanced' })
  const { promise, resolve, reject } = Promise.withResolvers<RunRecord>()
  child.on('error', reject)
  child.on('exit', (code, by) => {
    reject(new Error(`the run of ${task.job.method} on ${task.job.data} ended early (${by ?? `exit code ${code}`})`))
  })
  child.on('message', (message: WorkerMessage) => {
    if ('round' in message) onRound(message.round)
    else if ('note' in message) onNote?.(task.job, message.note)
    else if ('record' in message) resolve(message.record)
    else reject(new Error(message.failure))
  })
  child.send(task)
  return await promise
}
