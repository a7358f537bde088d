import { mean } from '../../src/common/mean.ts'

/** How far below a federation of its own a class may come out in one of several, in Dice (mean over seeds). */
export const MARGIN = 0.02

/** Dice of one class after training from one seed: in a federation of its own, and beside others. */
export interface Pair {
  readonly seed: number
  readonly alone: number
  readonly beside: number
}

export interface Comparison {
  readonly alone: number
  readonly beside: number
  /** By seed, beside − alone. */
  readonly differences: readonly number[]
  readonly difference: number
  /** Standard deviation of the differences over seeds; NaN of one seed. */
  readonly deviation: number
  readonly holds: boolean
}

/** Means over seeds, and the differences seed by seed: both federations begin alike and are scored on the same slices. */
export function compare (pairs: readonly Pair[]): Comparison {
  const differences = pairs.map(({ alone, beside }) => beside - alone)
  const difference = mean(differences)
  return {
    alone: mean(pairs.map(({ alone }) => alone)),
    beside: mean(pairs.map(({ beside }) => beside)),
    differences,
    difference,
    deviation: Math.sqrt(differences.reduce((sum, each) => sum + (each - difference) ** 2, 0) / (differences.length - 1)),
    holds: difference >= -MARGIN
  }
}

/** A line of a table in Markdown. */
export function tableRow (name: string, { alone, beside, difference, deviation, differences, holds }: Comparison): string {
  const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`
  const cells = [
    name, alone.toFixed(3), beside.toFixed(3), `${signed(difference)} ± ${deviation.toFixed(3)}`, differences.map(signed).join(', '),
    holds ? 'yes' : 'no'
  ]
  return `| ${cells.join(' | ')} |`
}
