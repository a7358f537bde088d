import type { HospitalReport } from './report.ts'

/** What of a hospital's training reached another, 0 to 1; undefined where it is not known. One that trained nothing lost nothing. */
export function shareArrived ({ steps }: Pick<HospitalReport, 'steps'>): number | undefined {
  return steps == null ? undefined : steps.trained === 0 ? 1 : steps.arrived / steps.trained
}

/** "380 of 384 (99.0 %)". */
export function describeSteps (hospital: Pick<HospitalReport, 'steps'>): string {
  const { steps } = hospital
  return steps == null ? 'unknown' : `${steps.arrived} of ${steps.trained} (${(100 * (shareArrived(hospital) ?? 0)).toFixed(1)} %)`
}

/** ", where whole rounds have 384": of a hospital that trained fewer; arrived are only those that it trained. */
export function describeWhole ({ steps, rounds }: Pick<HospitalReport, 'steps' | 'rounds'>, stepsPerRound: number | null): string {
  const whole = rounds * (stepsPerRound ?? 0)
  return steps == null || steps.trained >= whole ? '' : `, where whole rounds have ${whole}`
}

/** One sentence on what a hospital trained and what came of it. */
export function describeParticipation (hospital: HospitalReport, stepsPerRound: number | null): string {
  const { name, steps, imagesSeen, images, imagesFactor, pace } = hospital
  if (steps == null) return `${name}: not known, since it did not say.`
  const seen = imagesSeen == null || images == null ? '' : `; it went through ${imagesSeen} of its ${images} training images`
  const simulated = imagesFactor > 1 ? `, of which 1 in ${imagesFactor} is its own and the others are simulated copies` : ''
  const paced = pace == null || pace >= 1 ? '' : `; at the end it trained ${Math.round(100 * pace)} % of a round's steps, to keep up`
  const lost = steps.lost === 0 ? '' : `, ${steps.lost} were lost`
  return `${name}: ${describeSteps(hospital)} steps of training arrived at another hospital${
    describeWhole(hospital, stepsPerRound)
  }${lost}${seen}${simulated}${paced}.`
}
