import type { HospitalProcess } from '../hospitals/hospital-process.ts'

/** Shows a run while it goes on. */
export interface Display {
  update (processes: readonly HospitalProcess[]): void
  /** One sentence that stays. */
  note (text: string): void
  /** Ends the live part. */
  done (): void
}
