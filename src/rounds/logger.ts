import { createWriteStream } from 'node:fs'
import pino, { type Logger } from 'pino'
import { printable } from '../common/printable.ts'

export type { Logger }

/**
 * JSON lines on stderr. Never pass pixels, file names, patient ids or private parameters (docs/spec/network.md#logging).
 * @example
 * ```ts
 * import { createLogger } from 'consilium'
 *
 * createLogger('warn').info('nobody reads this')
 * ```
 */
export function createLogger (level: string): Logger {
  // Not pino's own: where its terminal was closed that one tries the last line again for ever, and the process with it.
  const stream = createWriteStream('', { fd: 2, autoClose: false })
  stream.on('error', () => { /* nobody is left to tell */ })
  // JSON leaves C1 and bidirectional characters as they are.
  const write = (line: string): void => { stream.write(printable(line)) }
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write })
}
