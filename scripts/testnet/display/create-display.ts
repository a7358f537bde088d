import type { Display } from './display.ts'
import { LiveTable } from './live-table.ts'
import { PlainLines } from './plain-lines.ts'

/** A live table on a terminal, plain lines elsewhere; with --json everything goes to stderr. */
export function createDisplay ({ json, now = Date.now }: { json: boolean, now?: () => number }): Display {
  const stream = json ? process.stderr : process.stdout
  const clock = startClock(now)
  return stream.isTTY ? new LiveTable(stream, clock) : new PlainLines((line) => { stream.write(line + '\n') }, clock)
}

/** mm:ss since now. */
function startClock (now: () => number): () => string {
  const start = now()
  return () => {
    const seconds = Math.floor((now() - start) / 1000)
    return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`
  }
}
