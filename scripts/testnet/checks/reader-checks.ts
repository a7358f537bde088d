import type { ReaderReport, ReportCheck } from '../report/report.ts'

/** A reader that began to read late is as near as the last adapter of one of the others. */
const MAX_DISTANCE = 0.1

/** What hospitals without labels are promised, and the others of them. */
export function readerChecks (readers: readonly ReaderReport[], rounds: number): ReportCheck[] {
  return readers.flatMap(({ name, exitCode, rounds: read, reads, hasDice, masks, distance, stepsTaken }): ReportCheck[] => [
    {
      name: `${name}, without labels, ended with the common model and masks of its images`,
      ok: exitCode === 0 && read === rounds && !hasDice && masks > 0 && distance != null && distance <= MAX_DISTANCE,
      detail: exitCode !== 0
        ? `exit code ${exitCode}`
        : `round ${read} of ${rounds} by ${reads} reads, ${masks} masks, ${distance?.toFixed(4)} from the nearest hospital` +
          (hasDice ? ', and it says a Dice' : ''),
      kind: 'result'
    },
    {
      name: `${name} moved nobody: by every ledger nothing arrived from it or at it`,
      ok: stepsTaken === 0,
      detail: `${stepsTaken} steps`,
      kind: 'result'
    }
  ])
}
