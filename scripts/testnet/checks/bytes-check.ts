import { adapterTensors } from '../../../src/model/parameters/shared-set.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { defaultModelSettings } from '../../../src/settings/model.ts'
import type { HospitalReport, ReportCheck } from '../report/report.ts'

const TIMES_FEWER = 45

/** The busiest hospital, cool-down included, against FedSAM, which sends every parameter of this base once in a round. */
export function bytesCheck (hospitals: readonly HospitalReport[], { baseModel }: { baseModel: string }): ReportCheck {
  const all = bytesOfAll(baseModel)
  const busiest = Math.max(...hospitals.map(({ bytesSent, rounds }) => bytesSent / rounds))
  return {
    name: `bytes sent per round and hospital at most 1/${TIMES_FEWER} of all parameters`,
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
