import type { Options } from 'yargs'
import { z } from 'zod'
import { UsageError } from '../errors.ts'
import { bare, defaultInWords, defaultOf, flagName, wanted, type Kebab } from '../settings/setting.ts'

type Kind<V> = [V] extends [readonly string[]]
  ? { type: 'string', array: true }
  : [V] extends [number] ? { type: 'number' } : [V] extends [boolean] ? { type: 'boolean' } : Text<V>

type Text<V> = string extends V ? { type: 'string' } : { choices: readonly V[] }

type FlagOf<T extends z.core.$ZodType> = Kind<NonNullable<z.output<T>>> & { describe: string, defaultDescription?: string }

type FlagsOf<S extends z.core.$ZodShape> = { [K in keyof S & string as Kebab<K>]: FlagOf<S[K]> }

type WithDefault<T extends z.core.$ZodType> = FlagOf<T> & { default: z.output<T> }

type FlagsWithDefaults<S extends z.core.$ZodShape> = { [K in keyof S & string as Kebab<K>]: WithDefault<S[K]> }

/** The flag of a setting. Its default is said and not given, since it may come from a document, the environment or a file. */
export function flagOf<T extends z.core.$ZodType> (type: T): FlagOf<T> {
  const { description = '', unit } = z.globalRegistry.get(type) ?? {}
  const words = defaultInWords(type)
  return {
    ...kindOf(bare(type)),
    describe: description.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase()) + (unit == null ? '' : `, in ${unit}`),
    ...(words === '' ? {} : { defaultDescription: words })
  } as FlagOf<T>
}

/** The same with its default given: for commands that nothing but a flag tells. */
export function flagWithDefault<T extends z.core.$ZodType> (type: T): WithDefault<T> {
  return Object.assign(flagOf(type), { default: defaultOf(type) })
}

/** One flag for each setting of a section: controlPort → --control-port. */
export function flagsOf<S extends z.core.$ZodShape> ({ shape }: { readonly shape: S }): FlagsOf<S> {
  const flags = {} as FlagsOf<S>
  for (const [key, type] of Object.entries(shape)) Object.assign(flags, { [flagName(key)]: flagOf(type) })
  return flags
}

/** The same with their defaults given. */
export function flagsWithDefaults<S extends z.core.$ZodShape> ({ shape }: { readonly shape: S }): FlagsWithDefaults<S> {
  const flags = {} as FlagsWithDefaults<S>
  for (const [key, type] of Object.entries(shape)) Object.assign(flags, { [flagName(key)]: flagWithDefault(type) })
  return flags
}

function kindOf (type: z.core.$ZodType): Options {
  if (type instanceof z.ZodArray) return { type: 'string', array: true }
  if (type instanceof z.ZodEnum) return { choices: type.options }
  if (type instanceof z.ZodNumber) return { type: 'number' }
  return { type: type instanceof z.ZodBoolean ? 'boolean' : 'string' }
}

/** The settings of a section that the arguments of a command give. */
export function settingsIn<S extends z.core.$ZodShape> (
  { shape }: { readonly shape: S },
  args: { readonly [K in keyof S]?: z.output<S[K]> | undefined }
): { [K in keyof S]?: z.output<S[K]> } {
  const given: { [K in keyof S]?: z.output<S[K]> } = {}
  for (const key in shape) {
    const value = args[key]
    if (value !== undefined) given[key] = value
  }
  return given
}

/** @throws UsageError naming the flag whose value its setting does not take, and that value where `saying` */
export function requireWithin<S extends z.core.$ZodShape> (
  shape: S,
  args: { readonly [K in keyof S]?: string | number | boolean | undefined },
  saying = false
): void {
  for (const [key, type] of Object.entries(shape)) {
    const value = args[key]
    if (value === undefined || z.safeParse(type, value).success) continue
    throw new UsageError(`--${flagName(key)} must be ${wanted(type)}${saying ? `, not ${value}` : ''}`)
  }
}
