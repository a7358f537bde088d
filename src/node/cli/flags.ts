import { closest, distance } from 'fastest-levenshtein'
import type { Argv, InferredOptionTypes, Options } from 'yargs'

const known = new Set(['help', 'version'])

/** Adds options to a command and remembers their names, so that a mistyped one can be answered with the nearest. */
export function withFlags<T, O extends Record<string, Options>> (argv: Argv<T>, options: O): Argv<Omit<T, keyof O> & InferredOptionTypes<O>> {
  for (const name of Object.keys(options)) known.add(name)
  return argv.options(options)
}

/** One sentence for a wrong command line: an unknown flag first, since it explains most other complaints. */
export function usageMessage (complaint: string, args: readonly string[]): string {
  const choice = /Argument: ([\w-]+), Given: (.*), Choices: (.*)/.exec(complaint)
  if (choice != null) return `--${choice[1]} ${choice[2]?.replaceAll('"', '')} is unknown: use one of ${choice[3]?.replaceAll('"', '')}`
  const flag = args.map((arg) => /^--(?:no-)?([a-zA-Z][\w-]*)/.exec(arg)?.[1]).find((name) => name != null && !known.has(kebab(name)))
  if (flag == null) return `${complaint}: see --help`
  const nearest = closest(flag, [...known])
  const hint = distance(flag, nearest) <= Math.max(2, flag.length / 3) ? `did you mean --${nearest}?` : 'see --help'
  return `unknown flag --${flag}: ${hint}`
}

function kebab (name: string): string {
  return name.replace(/[A-Z]/g, (letter) => '-' + letter.toLowerCase())
}
