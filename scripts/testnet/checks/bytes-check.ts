import { adapterTensors } from '../../../src/model/parameters/shared-set.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import type { HospitalReport, ReportCheck } from '../report/report.ts'

const TIMES_FEWER = 45

/**
 * The busiest hospital, cool-down included, against FedSAM, which sends every parameter of this base once in a round. Each class has a
 * decoder's worth of parameters of its own, and counts as a federation does.
 */
export function bytesCheck (hospitals: readonly HospitalReport[], { baseModel }: { baseModel: string }): ReportCheck {
  const all = bytesOfAll(baseModel)
  const classes = Math.max(1, new Set(hospitals.flatMap((each) => Object.keys(each.classes ?? {}))).size)
  const busiest = Math.max(...hospitals.map(({ bytesSent, rounds }) => bytesSent / rounds / classes))
  return {
    name: `bytes sent per ${classes > 1 ? 'round, class' : 'round'} and hospital at most 1/${TIMES_FEWER} of all parameters`,
    ok: busiest <= all / TIMES_FEWER,
    detail: `busiest: ${inKB(busiest)}, ${(all / busiest).toFixed(1)} times fewer than the ${inKB(all)} of FedSAM`,
    kind: 'measure'
  }
}

function bytesOfAll (baseModel: string): number {
  const config = samConfig(baseModel)
  const tensors = adapterTensors(config, { ...defaultModelSettings(config), encoder: 'full', decoder: 'full' })
  return 4 * tensors.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0)
}

function inKB (bytes: number): string {
  return `${(bytes / 1e3).toFixed(0)} kB`
}
