import { onStopSignal } from '../common/stop-signals.ts'
import { InputError } from '../errors.ts'

/** The first Ctrl-C stops the work with `message` before anything half done is kept, a second one ends the process. */
export async function interruptible (message: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController()
  const letGo = onStopSignal(() => { controller.abort(new InputError(message)) })
  try {
    await work(controller.signal)
  } finally {
    letGo()
  }
}
