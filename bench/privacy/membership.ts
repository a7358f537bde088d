import { bootstrapMean, type Interval } from '../../src/model/scores/bootstrap.ts'
import { mean } from '../../src/common/mean.ts'

/** One training in which half of the candidates took part, and how sure each of the attacker's scores is of each candidate. */
export interface World {
  readonly members: readonly boolean[]
  readonly scores: Readonly<Record<string, readonly number[]>>
}

export interface Membership {
  /** True positives less false positives, at thresholds chosen on the other worlds; the interval is over worlds. */
  readonly advantage: Interval
  /** Chance that a member scores above one who is none. */
  readonly auc: Interval
  /** Which score the attacker chose, world by world. */
  readonly scores: readonly string[]
}

interface Rule { readonly score: string, readonly threshold: number }
interface Seen { readonly value: number, readonly isMember: boolean }

/** What the attacker gets in each world, having learnt on the others which score to take and where to draw the line. */
export function judge (worlds: readonly World[], seed: number): Membership {
  const rules = worlds.map((world) => bestRule(worlds.filter((other) => other !== world)))
  const over = (value: (world: World, rule: Rule) => number): Interval =>
    bootstrapMean(worlds.map((world, i) => value(world, rules[i]!)), seed)
  return {
    advantage: over((world, { score, threshold }) => advantageAt(seenBy(world, score), threshold)),
    auc: over((world, { score }) => areaUnder(seenBy(world, score))),
    scores: rules.map(({ score }) => score)
  }
}

function bestRule (worlds: readonly World[]): Rule {
  const rules = Object.keys(worlds[0]!.scores).flatMap((score) => {
    const seen = worlds.flatMap((world) => seenBy(world, score)).sort((a, b) => a.value - b.value)
    return seen.map(({ value }, i) => {
      const threshold = i === 0 ? value : (value + seen[i - 1]!.value) / 2
      return { score, threshold, advantage: advantageAt(seen, threshold) }
    })
  })
  return rules.reduce((best, rule) => rule.advantage > best.advantage ? rule : best)
}

function seenBy ({ members, scores }: World, score: string): Seen[] {
  return members.map((isMember, i) => ({ isMember, value: scores[score]![i]! }))
}

function advantageAt (seen: readonly Seen[], threshold: number): number {
  const share = (of: boolean): number => mean(seen.filter(({ isMember }) => isMember === of).map(({ value }) => Number(value >= threshold)))
  return share(true) - share(false)
}

function areaUnder (seen: readonly Seen[]): number {
  const [members, others] = [true, false].map((of) => seen.filter(({ isMember }) => isMember === of))
  return mean(members!.flatMap(({ value }) => others!.map((other) => value === other.value ? 0.5 : Number(value > other.value))))
}
