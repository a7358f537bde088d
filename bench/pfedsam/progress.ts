import { SingleBar } from 'cli-progress'
import type { Job } from '../../src/experiment/jobs.ts'
import { duration, estimateSeconds } from './estimate.ts'

/** Shows how far all jobs are until it is stopped. */
export interface ProgressView {
  /** `rounds` of a job are done; `known` when it was not run but found. */
  update (job: Job, rounds: number, known?: boolean): void
  ended (line: string): void
  stop (): void
}

/** A bar with the time left on a terminal, a line per run elsewhere. */
export function progressView (jobs: readonly Job[], workers: number, stream: NodeJS.WriteStream): ProgressView {
  const clock = new Remaining(jobs, workers)
  if (!stream.isTTY) {
    return {
      update: (job, rounds, known) => { clock.update(job, rounds, known) },
      ended: (line) => { stream.write(`${line}, ${clock.left()} left\n`) },
      stop: () => {}
    }
  }
  const bar = new SingleBar({ stream, format: 'pfedsam {bar} {percentage} %  {left} left  {line}', hideCursor: true })
  bar.start(100, 0, { left: clock.left(), line: '' })
  return {
    update: (job, rounds, known) => {
      clock.update(job, rounds, known)
      bar.update(Math.round(100 * clock.share()), { left: clock.left() })
    },
    ended: (line) => {
      bar.update({ line })
    },
    stop: () => {
      bar.stop()
    }
  }
}

/** Time left, from the estimates and from how fast the work went so far. */
export class Remaining {
  readonly #began = performance.now()
  readonly #workers: number
  readonly #done = new Map<Job, number>()
  readonly #total: number
  /** Estimated seconds of runs that were found instead of run. */
  #found = 0

  constructor (jobs: readonly Job[], workers: number) {
    this.#workers = workers
    this.#total = jobs.reduce((sum, job) => sum + estimateSeconds(job), 0)
  }

  update (job: Job, rounds: number, known = false): void {
    const seconds = estimateSeconds(job) * rounds / job.rounds
    if (known) this.#found += seconds - (this.#done.get(job) ?? 0)
    this.#done.set(job, seconds)
  }

  share (): number {
    return this.#sum() / this.#total
  }

  left (now = performance.now()): string {
    const work = this.#sum() - this.#found
    const speed = work > 0 ? work / ((now - this.#began) / 1_000) : this.#workers
    return duration((this.#total - this.#sum()) / speed)
  }

  #sum (): number {
    return [...this.#done.values()].reduce((sum, each) => sum + each, 0)
  }
}
