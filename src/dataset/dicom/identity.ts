import { createHmac, randomBytes } from 'node:crypto'
import type { Instance } from '../../formats/dicom/instance.ts'

const LENGTH = { patient: 16, study: 16, series: 8, image: 24, author: 16, subject: 16 } as const

/** A name for a patient, series, image, author or any subject, by which nobody without the key finds them again. */
export type Pseudonym = (kind: keyof typeof LENGTH, value: string) => string

let ofThisProcess: Uint8Array | undefined

/** By a site's own key; without one by a key that ends with this process. */
export function pseudonyms (key: Uint8Array = ofThisProcess ??= randomBytes(32)): Pseudonym {
  return (kind, value) => createHmac('sha256', key).update(`${kind} ${value}`).digest('hex').slice(0, LENGTH[kind])
}

/** Whose a series is: a patient, or where none is named the study. */
export function subjectOfSeries ({ patient, study }: Pick<Instance, 'patient' | 'study'>, pseudonym: Pseudonym): string {
  return patient == null ? pseudonym('study', study) : pseudonym('patient', patient)
}
