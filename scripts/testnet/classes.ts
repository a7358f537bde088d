import { UsageError } from '../../src/errors.ts'
import type { Labels } from '../../src/settings/labels.ts'

/** What the bundled sample shows: deep grey matter lies within the brain. */
export const SAMPLE_CLASSES = ['brain', 'deep-grey'] as const
export type SampleClass = typeof SAMPLE_CLASSES[number]

/** What is written into the masks of a testnet with classes: the brain around the deep grey matter, and that itself. */
export const VALUES = { brain: 1, 'deep-grey': 2 } as const

/** What somebody writes who takes one class for the other. */
export const SWAPPED = { brain: VALUES['deep-grey'], 'deep-grey': VALUES.brain } as const

/** @throws UsageError for a class that the sample does not have, or with other data. */
export function parseClasses (text: string, data: string | undefined): SampleClass[] {
  if (data != null) throw new UsageError('--classes is for the bundled sample: leave --data out')
  const names = text.split(',')
  const classes = SAMPLE_CLASSES.filter((each) => names.includes(each))
  if (classes.length !== names.length) {
    throw new UsageError(`--classes ${text} must be ${SAMPLE_CLASSES.join(', ')}, or both with a comma between them`)
  }
  return classes
}

/** The labels of a federation that segments these classes. */
export function labelsOf (classes: readonly SampleClass[]): Labels {
  return classes.map((name) => name === 'brain' ? { name, values: [VALUES.brain, VALUES['deep-grey']] } : { name, value: VALUES[name] })
}
