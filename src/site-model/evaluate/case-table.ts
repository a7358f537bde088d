import { stringify } from 'csv-stringify/sync'
import type { Mode } from '../../settings/model.ts'
import type { NamedScore } from './score-cases.ts'

const COLUMNS = [
  'model', 'patient', 'case', 'class', 'slices', 'unit', 'dice', 'nsd', 'tolerance', 'hd95', 'hd95_voxels', 'volume_unit', 'truth_volume',
  'predicted_volume', 'false_positive_volume'
]

/**
 * One line per model, case and class, as CSV; a figure that is not defined is empty, a distance to nothing `inf`. No name of a file begins
 * a formula when a spreadsheet opens it.
 */
export function caseTable (cases: Readonly<Record<Mode, readonly NamedScore[]>>, tolerance: number): string {
  const rows = Object.entries(cases).flatMap(([model, scores]) => scores.map((score) => [
    model,
    score.patient,
    score.case,
    score.class,
    score.slices,
    score.unit,
    figure(score.dice),
    figure(score.nsd),
    tolerance,
    figure(score.hd95),
    figure(score.hd95Voxels),
    score.unit === 'mm' ? 'ml' : 'px',
    figure(score.truthVolume),
    figure(score.predictedVolume),
    figure(score.falsePositiveVolume)
  ]))
  return stringify(rows, { header: true, columns: COLUMNS, escape_formulas: true })
}

function figure (value: number): string {
  return Number.isNaN(value) ? '' : value === Infinity ? 'inf' : String(value)
}
