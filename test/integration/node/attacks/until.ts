import { setTimeout as sleep } from 'node:timers/promises'

const PATIENCE_MS = 120_000
const POLL_MS = 100

/** On a crowded machine anything may take long. */
export async function until (what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !holds(); await sleep(POLL_MS)) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`)
  }
}
