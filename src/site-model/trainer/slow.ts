type Progress = (progress: { step: number, steps: number }) => void

interface Time {
  /** Milliseconds. */
  readonly now: () => number
  /** Blocks the thread, as a slow machine's step would. */
  readonly block: (ms: number) => void
}

const realTime: Time = {
  now: () => performance.now(),
  block: (ms) => { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms) }
}

/**
 * Test fault: after every step waits until it took `factor` times as long. A phase's first step counts like the one before it, since
 * what came in between was no step. The others lie in src/node/test-faults, behind the wall between daemon and trainer.
 */
export function slowedDown (onProgress: Progress, factor: number, { now, block }: Time = realTime): Progress {
  let stepMs = 0
  let since = now()
  return (progress) => {
    if (progress.step > 1) stepMs = now() - since
    block((factor - 1) * stepMs)
    since = now()
    onProgress(progress)
  }
}
