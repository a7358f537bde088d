const BUDGET_MS = 4

/** Resolves in a later turn of the event loop, so that timers and sockets come first. */
async function nextTurn (): Promise<void> {
  await new Promise<void>((resolve) => { setImmediate(resolve) })
}

/**
 * Between slices of arithmetic that are not a generator's: resolves at once, or after a turn of the event loop when the last one is
 * some milliseconds ago.
 */
export function breather (): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (performance.now() - since < BUDGET_MS) return undefined
    return nextTurn().then(() => { since = performance.now() })
  }
}

/** Drives such a generator to its end at once: where nothing else waits. */
export function drained<T> (slices: Iterator<void, T>): T {
  for (;;) {
    const step = slices.next()
    if (step.done === true) return step.value
  }
}

/** Drives a generator that yields between slices of arithmetic, and lets the event loop turn every few milliseconds. */
export async function runInSlices<T> (slices: Iterator<void, T>, { signal }: { signal?: AbortSignal } = {}): Promise<T> {
  let since = performance.now()
  for (;;) {
    const step = slices.next()
    if (step.done === true) return step.value
    if (performance.now() - since < BUDGET_MS) continue
    await nextTurn()
    signal?.throwIfAborted()
    since = performance.now()
  }
}
