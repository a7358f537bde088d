import { adaptiveFindings } from './adaptive-criteria.ts'
import { figure, signed, type Finding } from './finding.ts'
import { labelFindings } from './label-criteria.ts'
import { conditionName } from './labels.ts'
import { mixingFindings } from './mixing-criteria.ts'
import { seedwise, withSpread } from './seedwise.ts'
import type { DataSummary, MethodSummary } from './summary.ts'

const OURS = 'pfedsam-gossip'
const RIVALS = ['local', 'fedavg-lora', 'fedmsa', 'fedper']
const GOSSIP_MARGIN = 0.005
const UNSEEN_MARGIN = 0.03
const LEAST_SAVING = 50

/** What this data set says about each question; questions whose runs are missing are left out. */
export function findings (summary: DataSummary): Finding[] {
  const { methods, unseen } = summary
  const data = conditionName(summary)
  const of = (name: string): MethodSummary | undefined => methods.find(({ method }) => method === name)
  const ours = of(OURS)
  const others = [...adaptiveFindings(summary), ...mixingFindings(summary), ...labelFindings(summary)]
  if (ours == null) return others.map((each) => ({ ...each, name: `${data}: ${each.name}` }))
  const [local, server, fedsam] = [of('local'), of('pfedsam-server'), of('fedsam')]
  const found = RIVALS.flatMap((name): Finding[] => {
    const rival = of(name)
    return rival == null ? [] : [above(ours, rival)]
  })
  if (local != null) {
    found.push({
      name: 'the worst site is not below local only',
      ok: ours.worst.mean >= local.worst.mean,
      detail: `${figure(ours.worst.mean)} to ${figure(local.worst.mean)}`
    })
  }
  if (server != null) {
    const apart = ours.dice.mean - server.dice.mean
    found.push({ name: 'gossip is within 0.5 points of the exact average', ok: Math.abs(apart) <= GOSSIP_MARGIN, detail: signed(apart) })
  }
  if (fedsam != null) {
    const saving = fedsam.bytes.mean / ours.bytes.mean
    found.push({
      name: `a site sends at least ${LEAST_SAVING} times less than with FedSAM`,
      ok: saving >= LEAST_SAVING,
      detail: `${saving.toFixed(1)} times`
    })
  }
  const tried = unseen.find(({ method }) => method === OURS)
  if (tried?.gain != null) {
    found.push({
      name: "an unseen site gains 3 points over the others' local models",
      ok: tried.gain.mean >= UNSEEN_MARGIN,
      detail: withSpread(tried.gain)
    })
  }
  return [...found, ...others].map((each) => ({ ...each, name: `${data}: ${each.name}` }))
}

/** Ahead by more than the larger standard deviation of the two, which one seed does not have. */
function above (ours: MethodSummary, rival: MethodSummary): Finding {
  const gain = ours.dice.mean - rival.dice.mean
  const sd = Math.max(ours.dice.sd, rival.dice.sd)
  const known = Math.min(ours.dice.count, rival.dice.count) > 1
  return {
    name: `above ${rival.title} by more than one standard deviation`,
    ok: known && gain > sd,
    detail: `${signed(gain)}, sd ${known ? `${figure(sd)}; seed by seed ${withSpread(seedwise(ours, rival))}` : 'unknown (one seed)'}`
  }
}
