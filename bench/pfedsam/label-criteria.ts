import { METHODS } from '../../src/experiment/methods.ts'
import { figure, type Finding } from './finding.ts'
import { MARKED } from './labels.ts'
import { seedwise, withSpread } from './seedwise.ts'
import type { DataSummary, MethodSummary } from './summary.ts'

/** Presets of rows that a system is compared with. */
const PLAIN: readonly string[] = ['fedavg-lora', 'pfedsam', 'partial']

/** Where training images lack masks, whether each system is above the same training on what is marked alone; nothing elsewhere. */
export function labelFindings ({ labelling, methods }: DataSummary): Finding[] {
  const marked = methods.find(({ method }) => method === MARKED)
  if (labelling == null || marked == null) return []
  return methods.filter(isSystem).map((system) => above(system, marked))
}

function isSystem ({ method, ablation }: MethodSummary): boolean {
  const { preset } = METHODS.find(({ name }) => name === method)!
  return !ablation && !PLAIN.includes(preset)
}

function above (system: MethodSummary, marked: MethodSummary): Finding {
  const gain = seedwise(system, marked)
  const isKnown = gain.count > 1
  return {
    name: `${system.title} is above ${marked.title} by more than one standard deviation of the differences seed by seed`,
    ok: isKnown && gain.mean > gain.sd,
    detail: isKnown ? `${withSpread(gain)}, of ${gain.count} seeds; worst site ${worst(system, marked)}` : 'unknown: one seed is too few'
  }
}

function worst (system: MethodSummary, marked: MethodSummary): string {
  return `${figure(system.worst.mean)} to ${figure(marked.worst.mean)}`
}
