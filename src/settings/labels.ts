import { z } from 'zod'
import { oneOf, setting } from './setting.ts'

/** SAM has three maps beside map 0; more classes take further passes of its decoder (docs/spec/pfedsam.md#several-classes). */
const MOST_CLASSES = 16
/** Masks are written with one byte per pixel. */
const MOST_VALUE = 255
/** Two of the bytes of a mask in memory are for what is not known (dataset/labels). */
const MOST_VALUES = 253
const IGNORE = 'ignore'

const value = z.number().int().min(1).max(MOST_VALUE)

/** A coded concept of a terminology (DICOM PS3.3 8.8), SNOMED CT where no other is named. */
const code = z.strictObject({
  value: z.string().trim().min(1).max(16),
  meaning: z.string().trim().min(1).max(64),
  scheme: z.string().trim().min(1).max(16).default('SCT'),
  category: oneOf(['anatomy', 'tissue', 'abnormality', 'substance', 'object', 'function', 'spatial']).optional()
})

const label = z.strictObject({
  name: z.string().trim().min(1).max(60).refine((name) => !/^background$/i.test(name), 'background is 0 and is not listed'),
  code: code.optional(),
  value: value.optional(),
  values: z.array(value).min(1).max(MOST_VALUES).optional()
}).refine((each) => (each.value == null) !== (each.values == null), 'each label has a value, or values')

/** What the values in masks mean: classes, and under the name `ignore` the value of what nobody annotated. */
export const labels = setting(
  z.array(label).min(1).max(MOST_CLASSES + 1).optional(),
  'Classes of the masks: `{ value, name }`, or `{ values, name }` for a region of several, with `code: { value, meaning }` of SNOMED CT, ' +
    'and perhaps `category`, for DICOM SEG; the name `ignore` is for what nobody annotated',
  { otherwise: 'one class: everything above 0' }
)

export type Labels = NonNullable<z.infer<typeof labels>>

/** What no single label can say of itself; undefined where all fit together. */
export function conflictInLabels (given: Labels): string | undefined {
  const names = given.map(({ name }) => name.toLowerCase())
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice != null) return `labels: ${twice} stands there twice`
  const classes = given.filter(({ name }) => name !== IGNORE)
  const ignored = given.find(({ name }) => name === IGNORE)
  if (classes.length === 0) return 'labels: there is no class'
  if (classes.length > MOST_CLASSES) return `labels: there are ${classes.length} classes, at most ${MOST_CLASSES} are possible`
  if (ignored?.values != null) return 'labels: ignore has one value'
  const used = classes.map((each) => [...new Set(each.values ?? [each.value!])].sort((a, b) => a - b))
  if (used.some((values) => values.includes(ignored?.value ?? 0))) return `labels: ${ignored?.value} is a class and ignore`
  const same = used.findIndex((values, i) => used.findIndex((other) => other.join() === values.join()) < i)
  if (same >= 0) return `labels: ${classes[same]!.name} has the values of another class`
  if (new Set(used.flat()).size > MOST_VALUES) return `labels: there are more than ${MOST_VALUES} values`
  return undefined
}

/** Names of the classes, in the document's order; none where it names none. */
export function classNames (given: Labels = []): string[] {
  return given.map(({ name }) => name).filter((name) => name !== IGNORE)
}

/** Two of the federation's values. */
export type LabelPair = readonly [number, number]

/** Pairs of values by how a site's masks agree with the federation's model: far better one way than the other. */
export interface LabelFits {
  /** As the masks are. */
  readonly asIs: readonly LabelPair[]
  /** With the two exchanged. */
  readonly exchanged: readonly LabelPair[]
}
