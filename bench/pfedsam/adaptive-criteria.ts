import { figure, signed, type Finding } from './finding.ts'
import { seedwise, withSpread } from './seedwise.ts'
import type { DataSummary, MethodSummary } from './summary.ts'

/** What a hospital would do otherwise. */
const ALONE_OR_SHARED = ['local', 'local-lora', 'fedavg-lora']
const RIVALS = [...ALONE_OR_SHARED, 'fedmsa', 'fedper']
/** Of Dice, that counts as none: at a site, and in the mean of sites. */
const NO_LOSS = 0.005
const NEAR_BEST = 0.003

/** Whether joining costs nobody anything, and is worth more than each rival; nothing where `adaptive` was not run. */
export function adaptiveFindings ({ methods }: DataSummary): Finding[] {
  const of = (name: string): MethodSummary[] => methods.filter(({ method }) => method === name)
  const [adaptive] = of('adaptive')
  if (adaptive == null) return []
  const rivals = RIVALS.flatMap(of)
  return [
    ...ALONE_OR_SHARED.flatMap(of).map((rival) => noLoss(adaptive, rival)),
    ...rivals.map((rival) => ahead(adaptive, rival)),
    ...(rivals.length < 2 ? [] : [nearBest(adaptive, rivals)])
  ]
}

/** No site is below the rival, in the mean over seeds. */
function noLoss (adaptive: MethodSummary, rival: MethodSummary): Finding {
  const apart = adaptive.sites.map(({ name, dice }, i) => ({ name, gain: dice.mean - rival.sites[i]!.dice.mean }))
  const below = apart.filter(({ gain }) => gain < -NO_LOSS)
  return {
    name: `adaptive: no site is below ${rival.title} by more than ${100 * NO_LOSS} points`,
    ok: below.length === 0,
    detail: (below.length === 0 ? apart : below).map(({ name, gain }) => `${name} ${signed(gain)}`).join(', ')
  }
}

function ahead (adaptive: MethodSummary, rival: MethodSummary): Finding {
  const gain = seedwise(adaptive, rival)
  return {
    name: `adaptive is above ${rival.title} by more than one standard deviation of the differences seed by seed`,
    ok: gain.count > 1 && gain.mean > gain.sd,
    detail: gain.count > 1 ? `${withSpread(gain)}, of ${gain.count} seeds` : `${withSpread(gain)}: one seed is too few`
  }
}

function nearBest (adaptive: MethodSummary, rivals: readonly MethodSummary[]): Finding {
  const best = rivals.reduce((one, other) => other.dice.mean > one.dice.mean ? other : one)
  const apart = adaptive.dice.mean - best.dice.mean
  return {
    name: `adaptive is not below the best of ${rivals.length} rivals by more than ${figure(NEAR_BEST)} points`,
    ok: apart >= -NEAR_BEST,
    detail: `${signed(apart)} to ${best.title}`
  }
}
