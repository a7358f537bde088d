import { onStopSignal } from '../common/stop-signals.ts'
import { InputError } from '../errors.ts'

/** @throws InputError for what is no port of a command that answers on one */
export function requirePort (port: number): void {
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) throw new InputError(`--port ${port} is no port: choose 0 to 65535`)
}

/** Until the command is told to stop; then the server has stopped, too. */
export async function answerUntilStopped (server: { stop: () => Promise<void> }): Promise<void> {
  let letGo = (): void => {}
  try {
    await new Promise<void>((resolve) => { letGo = onStopSignal(resolve) })
    await server.stop()
  } finally {
    letGo()
  }
}
