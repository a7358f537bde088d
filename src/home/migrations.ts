/** One step from a format of the home to the next. */
export interface Migration {
  /** The format that it leads to. */
  readonly to: number
  /** Files and folders below the home that it changes, or that software of the format before cannot read any more: copied first. */
  readonly keeps: readonly string[]
  /** Absent where files of the format before are read as they are. After an interruption it is run again, over whatever it had done. */
  readonly run?: (home: string) => Promise<void>
}

/** From format 1 (commit a66d159) on, without gaps. */
export const MIGRATIONS: readonly Migration[] = [
  // Format 2 has home.json, and members.json says the others' software: older software takes that for damage and forgets whom it met.
  { to: 2, keeps: ['membership/members.json'] }
]
