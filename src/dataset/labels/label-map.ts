import type { Code } from '../../formats/dicom/write-seg.ts'

/** What masks hold where nobody knows what is there: it counts in no loss, no score and no foreground. */
export const UNKNOWN = 255

/** One class, or with the name `ignore` what is not known, as a federation's document says it (settings/labels.ts). */
export interface Label {
  readonly name: string
  readonly value?: number | undefined
  readonly values?: readonly number[] | undefined
  readonly code?: Code | undefined
}

/**
 * A federation's classes. Masks hold codes: 0 is background, 1, 2, … stand for the federation's values in the order of its document, so
 * that classes of one value each have their own numbers; UNKNOWN is none of them.
 */
export interface LabelMap {
  /** by class, from 0 */
  readonly names: readonly string[]
  /** the federation's value of every code, as it is written into masks */
  readonly values: readonly number[]
  /** by class: 1 for the codes (0..255) that belong to it; a code may belong to several */
  readonly members: readonly Uint8Array[]
  /** by class, where the document gives codes */
  readonly labelCodes?: readonly (Code | undefined)[]
  /** the federation's value for what is not known */
  readonly ignore: number | undefined
}

/** Where a document says nothing: everything above 0 is one class. */
export const EVERYTHING: LabelMap = {
  names: ['foreground'],
  values: [0, 1],
  members: [Uint8Array.from({ length: 256 }, (_, code) => code > 0 && code < UNKNOWN ? 1 : 0)],
  ignore: undefined
}

/** The reserved names, as nnU-Net has them. */
export const IGNORE = 'ignore'
export const BACKGROUND = 'background'

/** The values of a class. */
function valuesOf ({ value, values }: Label): readonly number[] {
  return values ?? (value == null ? [] : [value])
}

/** The classes of a document's labels. */
export function labelMapOf (labels: readonly Label[]): LabelMap {
  const classes = labels.filter(({ name }) => name !== IGNORE)
  const values = [0, ...new Set(classes.flatMap((each) => [...valuesOf(each)]))]
  const members = classes.map((each) => {
    const own = valuesOf(each)
    return Uint8Array.from({ length: 256 }, (_, code) => own.includes(values[code] ?? 0) ? 1 : 0)
  })
  const ignored = labels.find(({ name }) => name === IGNORE)
  const labelCodes = classes.some(({ code }) => code != null) ? { labelCodes: classes.map(({ code }) => code) } : {}
  const ignore = ignored == null ? undefined : valuesOf(ignored)[0]
  return { names: classes.map(({ name }) => name), values, members, ...labelCodes, ignore }
}

/** Names are compared without case, accents' forms, and what stands between words. */
export function plainName (name: string): string {
  return name.normalize('NFC').trim().toLowerCase().replace(/[\s_-]+/g, ' ')
}
