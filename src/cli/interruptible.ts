import { InputError } from '../errors.ts'

/** Ctrl-C, a service manager, a terminal that was closed. */
export const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The first Ctrl-C stops the work with `message` before anything half done is kept, a second one kills. */
export async function interruptible (message: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController()
  const stop = (): void => { controller.abort(new InputError(message)) }
  for (const name of STOP_SIGNALS) process.once(name, stop)
  try {
    await work(controller.signal)
  } finally {
    for (const name of STOP_SIGNALS) process.removeListener(name, stop)
  }
}
