import { closest, distance } from 'fastest-levenshtein'
import type { ArgumentsCamelCase, Argv, CommandModule, InferredOptionTypes, Options } from 'yargs'
import { UsageError } from '../errors.ts'

/** What a lone - becomes, which yargs would take for an empty word. */
export const STANDARD_INPUT = '/dev/stdin'

const known = new Map<string, Options>([['help', { type: 'boolean' }], ['version', { type: 'boolean' }]])

/** Adds options to a command and remembers them, so that a mistyped one can be answered with the nearest; all but switches need a value. */
export function withFlags<T, O extends Record<string, Options>> (
  argv: Argv<T>,
  options: O
): Argv<Omit<T, keyof O> & InferredOptionTypes<O>> {
  for (const [name, option] of Object.entries(options)) known.set(name, option)
  return argv.options(Object.fromEntries(Object.entries(options).map(([name, option]) => [name, { ...option, ...arity(option) }])) as O)
}

/** What a command with these options gets. */
export type Args<O extends Record<string, Options>> = ArgumentsCamelCase<InferredOptionTypes<O>>

/** A command whose handler gets what its builder declares. */
export function command<U> (init: {
  readonly command: string,
  readonly describe: string,
  readonly builder: (argv: Argv<object>) => Argv<U>,
  readonly handler: (args: ArgumentsCamelCase<U>) => Promise<void>
}): CommandModule<object, U> {
  return init
}

/** nargs takes a value that begins with a minus and a digit, too. */
function arity ({ type, array }: Options): Options {
  if (type === 'boolean') return {}
  return array === true ? { requiresArg: true } : { nargs: 1 }
}

/** @throws UsageError where a flag that is no list is given twice, or a value is empty (`--home "$H"` where H is not set). */
export function requireValues (args: readonly string[]): true {
  const seen = new Set<string>()
  for (const [i, arg] of args.entries()) {
    if (arg === '--') break
    const [, flag, value = args[i + 1]] = /^--([a-zA-Z][\w-]*)(?:=(.*))?$/s.exec(arg) ?? []
    const option = known.get(kebab(flag ?? ''))
    if (flag == null || option == null || option.type === 'boolean') continue
    if (value === '') throw new UsageError(`--${flag} is empty: give it a value`)
    if (seen.has(kebab(flag)) && option.array !== true) throw new UsageError(`--${flag} is given twice: give it once`)
    seen.add(kebab(flag))
  }
  return true
}

/** One sentence for a wrong command line; `help` is that of the command, whose first line shows how it is called. */
export function usageMessage (complaint: string, args: readonly string[], help = ''): string {
  const choice = /Argument: ([\w-]+), Given: (.*), Choices: (.*)/.exec(complaint)
  if (choice != null) return `--${choice[1]} ${choice[2]?.replaceAll('"', '')} is unknown: use one of ${choice[3]?.replaceAll('"', '')}`
  return commandMessage(complaint, args) ?? flagMessage(complaint, args) ?? valueMessage(complaint, args) ??
    positionalMessage(complaint, help) ?? `${complaint}: see --help`
}

function commandMessage (complaint: string, args: readonly string[]): string | undefined {
  const [, nearest] = /^Did you mean (.+)\?$/.exec(complaint) ?? []
  const words = args.filter((arg, i) => !arg.startsWith('-') && arg !== nearest && args[i - 1]?.startsWith('-') !== true)
  const word = nearest == null ? /^Unknown commands?: ([^,]+)/.exec(complaint)?.[1] : words.length > 0 ? closest(nearest, words) : undefined
  return word == null ? undefined : `${word} is unknown: ${hint(word, nearest == null ? [] : [nearest], '')}`
}

/** An unknown flag explains most other complaints. */
function flagMessage (complaint: string, args: readonly string[]): string | undefined {
  const flag = args.map((arg) => /^--(?:no-)?([a-zA-Z][\w-]*)/.exec(arg)?.[1]).find((name) => name != null && !known.has(kebab(name)))
  return flag == null ? undefined : `unknown flag --${flag}: ${hint(flag, [...known.keys()], '--')}`
}

function valueMessage (complaint: string, args: readonly string[]): string | undefined {
  const [, flag] = /^Not enough arguments following: (.+)$/.exec(complaint) ?? []
  const minus = args.find((arg, i) => /^-\d/.test(arg) && args[i - 1] === `--${flag}`)
  return flag == null
    ? undefined
    : `--${flag} has no value: ${minus == null ? 'give it one' : `write --${flag}=${minus}, since it begins with a minus`}`
}

function positionalMessage (complaint: string, help: string): string | undefined {
  const [, got] = /^Not enough non-option arguments: got (\d+)/.exec(complaint) ?? []
  const [usage = ''] = help.split('\n')
  const name = [...usage.matchAll(/<([^>]+)>/g)][Number(got)]?.[1]
  return name == null ? undefined : `${name} is missing: write ${usage}`
}

function hint (word: string, choices: readonly string[], prefix: string): string {
  if (choices.length === 0) return 'see --help'
  const nearest = closest(word, choices)
  return distance(word, nearest) <= Math.max(2, word.length / 3) ? `did you mean ${prefix}${nearest}?` : 'see --help'
}

function kebab (name: string): string {
  return name.replace(/[A-Z]/g, (letter) => '-' + letter.toLowerCase())
}
