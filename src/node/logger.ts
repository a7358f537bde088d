import pino, { type Logger } from 'pino'

export type { Logger }

/** JSON lines on stderr. Never pass pixels, file names, patient ids or private parameters (DESIGN §15). */
export function createLogger (level: string): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: false }))
}
