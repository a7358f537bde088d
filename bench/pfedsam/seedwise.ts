import { figure, signed } from './finding.ts'
import { spread, type MethodSummary, type Spread } from './summary.ts'

/** Dice of one less that of the other, of seeds that both have: the same patients, so that what makes a seed easy or hard cancels out. */
export function seedwise (one: Pick<MethodSummary, 'bySeed'>, other: Pick<MethodSummary, 'bySeed'>): Spread {
  return spread(one.bySeed.flatMap(({ seed, dice }) => {
    const same = other.bySeed.find((each) => each.seed === seed)
    return same == null ? [] : [dice - same.dice]
  }))
}

export function withSpread ({ mean, sd, count }: Spread): string {
  return count > 1 ? `${signed(mean)} ± ${figure(sd)}` : signed(mean)
}
