import type { RuleSource } from './label-rules.ts'

/** One value of a site's masks. */
export interface LabelUse {
  readonly value: number
  /** all of it, in slices without foreground too */
  readonly pixels: number
  /** names of the federation's classes, `foreground`, `background`, `not known`, or null where no rule says it */
  readonly becomes: string | null
}

/** What a site's masks hold, and what it becomes. */
export interface LabelFacts {
  /** foreground labels: masks hold 0..classes */
  readonly classes: number
  readonly labels: readonly LabelUse[]
  readonly labelsBy: RuleSource
  /** classes of the federation that this site does not annotate, by name */
  readonly lacking: readonly string[]
  readonly labelWarnings: readonly string[]
}
