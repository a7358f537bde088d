/** Ctrl-C, a service manager, a terminal that was closed. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** A terminal or service manager signals all processes of a command, and one of them may hand it on to another. */
const SAME_MS = 100

/**
 * The first signal to stop calls `stop`, a second one ends the process at once; resolves to what lets go of the signals. The listener
 * stays on between the two: a file that is written aside (write-file-atomic) would otherwise take the signal for its own and end the
 * process in the middle of stopping.
 */
export function onStopSignal (stop: () => void): () => void {
  let signals = 0
  let last = -Infinity
  const onSignal = (): void => {
    const before = last
    last = performance.now()
    if (last - before < SAME_MS) return
    signals++
    if (signals > 1) process.exit(1)
    stop()
  }
  for (const name of STOP_SIGNALS) process.on(name, onSignal)
  return () => { for (const name of STOP_SIGNALS) process.off(name, onSignal) }
}
