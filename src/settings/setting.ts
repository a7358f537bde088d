import { z } from 'zod'

declare module 'zod' {
  interface GlobalMeta {
    /** In words: seconds, pixels, MiB. */
    readonly unit?: string
    /** What a founder or a site gets that says nothing. */
    readonly default?: unknown
    /** The default of the models vit-*, where it differs. */
    readonly large?: unknown
    /** The same of litemedsam. */
    readonly medical?: unknown
    /** What holds where there is no such value to show, in words. */
    readonly otherwise?: string
  }
}

/** What a setting is beside its type: the defaults of kinds of base, the unit, and in words what holds where it is not given. */
interface Said<T> {
  readonly default?: T
  readonly large?: T
  readonly medical?: T
  readonly unit?: string
  readonly otherwise?: string
}

export const count = z.number().int().min(1)
export const positive = z.number().positive()
export const notNegative = z.number().min(0)

/** A type with one plain sentence, which documents, `--help` and docs/reference say. */
export function setting<T extends z.ZodType> (type: T, sentence: string, said: Said<z.output<T>> = {}): T {
  return type.meta({ description: sentence, ...said })
}

/** The type itself, without what says that it may be absent or has a default. */
export function bare (type: z.core.$ZodType): z.core.$ZodType {
  return type instanceof z.ZodDefault || type instanceof z.ZodOptional ? bare(type.def.innerType) : type
}

/** Kinds of base whose defaults differ from those of the small one. */
export type BaseKind = 'small' | 'large' | 'medical'

/** The kind of a base, by the name of its architecture. */
export function baseKind (name: string): BaseKind {
  if (name === 'litemedsam') return 'medical'
  return name.startsWith('vit-') ? 'large' : 'small'
}

function stated (type: z.core.$ZodType, kind: BaseKind): unknown {
  const said = z.globalRegistry.get(type)
  return (kind === 'small' ? undefined : said?.[kind]) ?? said?.default
}

/** The default that a setting states for a kind of base. @throws ZodError where it states none */
export function defaultOf<T extends z.core.$ZodType> (type: T, kind: BaseKind = 'small'): z.output<T> {
  return z.parse(type, stated(type, kind))
}

/** The defaults of those settings of a section that state one. */
export function defaultsOf (section: z.ZodObject, kind: BaseKind = 'small'): Record<string, unknown> {
  const found = Object.entries<z.core.$ZodType>(section.shape).filter(([, type]) => stated(type, kind) !== undefined)
  return Object.fromEntries(found.map(([key, type]) => [key, defaultOf(type, kind)]))
}

/** The default in words, and those of other kinds of base where they differ. */
export function defaultInWords (type: z.core.$ZodType): string {
  const { default: ordinary, large, medical, otherwise } = z.globalRegistry.get(type) ?? {}
  const value = type instanceof z.ZodDefault ? type.def.defaultValue : ordinary
  return [
    ...(value === undefined ? [] : [inWords(value)]),
    ...(otherwise == null ? [] : [otherwise]),
    ...(large === undefined ? [] : [`${inWords(large)} for vit-*`]),
    ...(medical === undefined ? [] : [`${inWords(medical)} for litemedsam`])
  ].join('; ')
}

function inWords (value: unknown): string {
  return Array.isArray(value) ? value.join(', ') || 'none' : String(value)
}

/** The bounds of a number in words, as an error has them after "must be". */
export function wanted (type: z.core.$ZodType): string {
  const { type: kind, minimum = -Infinity, maximum = Infinity, exclusiveMinimum, multipleOf } = z.toJSONSchema(type)
  const unit = z.globalRegistry.get(type)?.unit
  const above = typeof exclusiveMinimum === 'number' ? exclusiveMinimum : undefined
  const what = multipleOf != null
    ? `a multiple of ${multipleOf}`
    : kind === 'integer' ? 'a whole number' : unit == null ? 'a number' : `a number of ${unit}`
  return [what, ...range(above, multipleOf == null ? minimum : Math.ceil(minimum / multipleOf) * multipleOf, maximum)].join(' ')
}

function range (above: number | undefined, least: number, most: number): string[] {
  const ends = most < Number.MAX_SAFE_INTEGER
  if (above != null) return [`above ${above}`, ...(ends ? [`and at most ${most}`] : [])]
  return [...(least > Number.MIN_SAFE_INTEGER ? [`from ${least}`] : []), ...(ends ? [`to ${most}`] : [])]
}

/** One of a few words; another one is answered with all of them. */
export function oneOf<const T extends readonly string[]> (words: T): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(words, { error: ({ input }) => `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}, not ${String(input)}` })
}

/** A whole number from `least`, also out of the text of an environment variable. */
export function whole (most = Number.MAX_SAFE_INTEGER, least = 0): z.ZodCoercedNumber {
  const error = (): string => `must be ${wanted(type)}`
  const type: z.ZodCoercedNumber = z.coerce.number({ error }).int({ error }).min(least, { error }).max(most, { error })
  return type
}

export type Kebab<S extends string> = S extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First> ? `${First}${Kebab<Rest>}` : `-${Lowercase<First>}${Kebab<Rest>}`
  : S

/** logLevel → log-level, as in `--log-level`. */
export function flagName<K extends string> (key: K): Kebab<K> {
  return key.replace(/[A-Z]/g, '-$&').toLowerCase() as Kebab<K>
}

/** logLevel → CONSILIUM_LOG_LEVEL. */
export function variableName (key: string): string {
  return 'CONSILIUM_' + key.replace(/[A-Z]/g, '_$&').toUpperCase()
}
