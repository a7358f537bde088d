/** Child process: runs the job it is sent, tells of its rounds, and ends with the record. */
import type { WorkerMessage, WorkerTask } from '../../src/experiment/run-all.ts'
import { runJob } from '../../src/experiment/run-job.ts'
import { loadSites } from './sites.ts'

/** The last message must be out before the process ends. */
function end (message: WorkerMessage): void {
  process.send?.(message, () => { process.exit(0) })
}

// Whoever started this is gone.
process.on('disconnect', () => { process.exit(1) })
// Ctrl-C goes to the whole group of processes: the parent decides.
process.on('SIGINT', () => {})

process.once('message', ({ job, threads }: WorkerTask) => {
  runJob(job, {
    source: loadSites,
    threads,
    onProgress: (round) => { process.send?.({ round } satisfies WorkerMessage) },
    onNote: (note) => { process.send?.({ note } satisfies WorkerMessage) }
  }).then(
    (record) => { end({ record }) },
    (error: unknown) => { end({ failure: error instanceof Error ? error.stack ?? error.message : String(error) }) }
  )
})
