import { mean } from '../../common/mean.ts'
import { bootstrapMean, type Interval } from './bootstrap.ts'
import type { CaseScore, Unit } from './case-scores.ts'

/** A case of a patient: a volume, or the patient's pictures. */
export interface PatientCase extends CaseScore {
  readonly patient: string
}

/** A class over the patients of a site. Patients that the class is missing from count in the last two figures alone. */
export interface ClassSummary {
  readonly dice: Interval
  readonly nsd: Interval
  /** by unit; a patient in whom nothing was found counts with the diagonal of what was scored */
  readonly hd95: Readonly<Partial<Record<Unit, Interval>>>
  /** patients in whom nothing was found */
  readonly missed: number
  /** ml, or pixels where the unit is px: what was marked in patients without the class */
  readonly falsePositiveVolume: Readonly<Partial<Record<Unit, Interval>>>
  /** patients without the class in whom something was marked */
  readonly falsePositives: number
}

/** Means over patients (each the mean of the patient's own cases) with their intervals. */
export function summariseClass (cases: readonly PatientCase[], seed: number): ClassSummary {
  const present = cases.filter(({ truthVolume }) => truthVolume > 0)
  const absent = cases.filter(({ truthVolume }) => truthVolume === 0)
  const over = (some: readonly PatientCase[], value: (each: PatientCase) => number): Interval =>
    bootstrapMean(byPatient(some).map((own) => mean(own.map(value))), seed)
  const byUnit = (some: readonly PatientCase[], value: (each: PatientCase) => number): Partial<Record<Unit, Interval>> =>
    Object.fromEntries((['mm', 'px'] as const).flatMap((unit) => {
      const own = some.filter((each) => each.unit === unit)
      return own.length === 0 ? [] : [[unit, over(own, value)]]
    }))
  return {
    dice: over(present, ({ dice }) => dice),
    nsd: over(present, ({ nsd }) => nsd),
    hd95: byUnit(present, ({ hd95, diagonal }) => Math.min(hd95, diagonal)),
    missed: byPatient(present.filter(({ predictedVolume }) => predictedVolume === 0)).length,
    falsePositiveVolume: byUnit(absent, ({ falsePositiveVolume }) => falsePositiveVolume),
    falsePositives: byPatient(absent.filter(({ predictedVolume }) => predictedVolume > 0)).length
  }
}

function byPatient (cases: readonly PatientCase[]): PatientCase[][] {
  return [...Map.groupBy(cases, ({ patient }) => patient).values()]
}
