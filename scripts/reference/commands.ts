import { program } from '../../src/cli/program.ts'

/** A flag, or an argument without one. */
interface Option {
  readonly name: string
  readonly sentence: string
  readonly type: string
  /** `required`, or `default: …`; empty where it may be left out. */
  readonly presence: string
}

/** One command, read from what `--help` prints. */
export interface Command {
  /** As it is typed: `consilium audit reconcile <a> <b>`. */
  readonly usage: string
  readonly sentence: string
  readonly options: readonly Option[]
  readonly subcommands: readonly string[]
}

/** Every command, each before its own commands. */
export async function readCommands (words: readonly string[] = []): Promise<Command[]> {
  const help = await program([...words]).getHelp()
  const [usage = '', sentence = ''] = help.split('\n').filter((line) => line !== '')
  const subcommands = [...help.matchAll(/^ {2}consilium ([a-z-]+(?: [a-z-]+)*)/gm)].map(([, name = '']) => name)
  const options = [...help.matchAll(/^ {2}(\S+) +(.*?) {2}\[(.*)\]$/gm)].flatMap(([, name = '', described = '', tail = '']): Option[] => {
    const [type = '', presence = ''] = tail.split('] [')
    return name === '--help' || name === '--version' ? [] : [{ name, sentence: described, type, presence }]
  })
  const below: Command[] = []
  for (const each of subcommands) below.push(...await readCommands(each.split(' ')))
  return words.length === 0 ? below : [{ usage, sentence, options, subcommands }, ...below]
}
