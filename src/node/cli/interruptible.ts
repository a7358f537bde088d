import { InputError } from '../../errors.ts'

/** The first Ctrl-C stops the work with `message` before anything half done is kept, a second one kills. */
export async function interruptible (message: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController()
  const stop = (): void => { controller.abort(new InputError(message)) }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const name of signals) process.once(name, stop)
  try {
    await work(controller.signal)
  } finally {
    for (const name of signals) process.removeListener(name, stop)
  }
}
