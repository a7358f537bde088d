import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks'

const RESOLUTION_MS = 5

/** How late the daemon's event loop runs its timers: the proof that no arithmetic blocks the network. */
export class EventLoopMonitor {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })

  start (): void {
    this.#histogram.enable()
  }

  stop (): void {
    this.#histogram.disable()
  }

  /** 99th percentile of the lateness in ms; 0 before the first sample. */
  get p99Ms (): number {
    if (this.#histogram.count === 0) return 0
    // The histogram holds the whole interval between two ticks of its timer.
    return Math.max(0, Math.round((this.#histogram.percentile(99) / 1e6 - RESOLUTION_MS) * 10) / 10)
  }
}
