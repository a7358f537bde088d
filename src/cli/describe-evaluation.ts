import Table from 'cli-table3'
import type { Interval } from '../model/scores/bootstrap.ts'
import type { Unit } from '../model/scores/case-scores.ts'
import type { ClassSummary } from '../model/scores/class-summary.ts'
import type { ExportedEvaluation } from '../site-model/evaluate-exported.ts'
import type { Evaluation } from '../site-model/evaluate-site.ts'

interface Options { readonly byClass: boolean, readonly csv?: string | undefined }

const MODES = ['frozen', 'global', 'personal'] as const
const UNITS = ['mm', 'px'] as const

/** What `evaluate` prints: tables over patients and over images, and the worst cases. */
export function describeEvaluation (result: Evaluation, { byClass, csv }: Options): string {
  const { round, slices, allSlices, skipped, worst, slab } = result
  const files = skipped === 0 ? '' : `, ${skipped} files skipped (consilium data check names them)`
  return [
    ...(byClass ? Object.keys(result.personal.classes) : [undefined]).flatMap((name) => perPatient(result, name)),
    `Per image, ${slices} slices with foreground:`,
    perImage(result),
    ...worst.length === 0 ? [] : ['Worst cases of the personal model:', worstTable(result)],
    ...csv == null ? [] : [`cases: ${csv}`],
    ...slab ? ['Only a slab of the one patient was kept from training, which says nothing about other patients.'] : [],
    `${allSlices} slices${files}, adapter of round ${round}`
  ].join('\n')
}

/** What `evaluate --adapter` prints: a line for each class. */
export function describeExported ({ classes, round, slices, tolerance }: ExportedEvaluation): string {
  const present = UNITS.filter((unit) => Object.values(classes).some(({ hd95 }) => hd95[unit] != null))
  const rows = new Table({
    head: ['class', 'patients', 'Dice', `NSD at ${tolerance} ${present.join('/')}`, ...present.map((unit) => `HD95 (${unit})`), 'missed'],
    style: { head: [], border: [] }
  })
  for (const [name, { dice, nsd, hd95, missed }] of Object.entries(classes)) {
    rows.push([name, dice.count, figure(dice, 4), figure(nsd, 4), ...present.map((unit) => figure(hd95[unit], 2)), missed])
  }
  return ['Global model, over patients (95 % interval):', rows.toString(), `${slices} slices, adapter of round ${round}`].join('\n')
}

function perPatient (result: Evaluation, name: string | undefined): string[] {
  const of = (mode: typeof MODES[number]): ClassSummary => name == null ? result[mode].patients : result[mode].classes[name]!
  const one = of('personal')
  const absent = UNITS.some((unit) => one.falsePositiveVolume[unit] != null)
  const units = UNITS.filter((unit) => result.personal.cases.some((each) => each.unit === unit))
  const present = UNITS.filter((unit) => one.hd95[unit] != null)
  const marked = UNITS.filter((unit) => one.falsePositiveVolume[unit] != null)
  const rows = new Table({
    head: [
      'model', 'Dice', `NSD at ${result.tolerance} ${units.join('/')}`, ...present.map((unit) => `HD95 (${unit})`), 'missed',
      ...marked.map((unit) => `marked in vain (${unit === 'mm' ? 'ml' : unit})`)
    ],
    style: { head: [], border: [] }
  })
  for (const mode of MODES) {
    const { dice, nsd, hd95, missed, falsePositiveVolume } = of(mode)
    rows.push([
      mode, figure(dice, 4), figure(nsd, 4), ...present.map((unit) => figure(hd95[unit], 2)), missed,
      ...marked.map((unit) => figure(falsePositiveVolume[unit], 2))
    ])
  }
  const without = absent ? `; ${patients(countOf(one.falsePositiveVolume))} without it count in the last column alone` : ''
  const title = name == null ? 'Per patient' : `${name}, per patient`
  return [`${title}, ${patients(one.dice.count)} (95 % interval)${without}:`, rows.toString()]
}

function perImage (result: Evaluation): string {
  const rows = new Table({ head: ['model', 'Dice', 'IoU', 'HD95 (px)'], style: { head: [], border: [] } })
  for (const mode of MODES) {
    const { dice, iou, hd95 } = result[mode]
    rows.push([mode, fixed(dice, 4), fixed(iou, 4), fixed(hd95, 2)])
  }
  return rows.toString()
}

function worstTable ({ worst }: Evaluation): string {
  const pictures = worst.some(({ picture }) => picture != null)
  const rows = new Table({
    head: ['case', 'class', 'Dice', 'slice', ...pictures ? ['picture'] : []],
    style: { head: [], border: [] }
  })
  for (const each of worst) {
    rows.push([each.case, each.class, fixed(each.dice, 4), each.slice, ...pictures ? [each.picture ?? ''] : []])
  }
  return rows.toString()
}

function countOf (byUnit: Readonly<Partial<Record<Unit, Interval>>>): number {
  return UNITS.reduce((sum, unit) => sum + (byUnit[unit]?.count ?? 0), 0)
}

function patients (count: number): string {
  return `${count} patient${count === 1 ? '' : 's'}`
}

function figure (interval: Interval | undefined, digits: number): string {
  if (interval == null || interval.count === 0) return '–'
  const { mean, low, high } = interval
  return Number.isNaN(low) ? mean.toFixed(digits) : `${mean.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`
}

function fixed (value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–'
}
