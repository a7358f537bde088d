import type { Command } from './commands.ts'
import { code, page, table } from './page.ts'

/** docs/reference/cli.md: every command with its arguments and flags. */
export function cliPage (commands: readonly Command[]): string {
  return page('Commands', [
    'Every command has `--help`, and `consilium --version` prints the version. What a setting means, and where else it can be said:\n' +
    '[settings](settings.md).',
    ...commands.map(commandText)
  ])
}

function commandText ({ usage, sentence, options, subcommands }: Command): string {
  const rows = options.map(({ name, sentence: what, type, presence }) => [code(name), what, typeText(type), presenceText(presence)])
  return [
    `## ${usage.replace(/ [<[].*$/, '')}`,
    `${code(usage)}: ${sentence}`,
    ...(subcommands.length === 0 ? [] : [subcommands.map((each) => `- [${each}](#consilium-${each.replaceAll(' ', '-')})`).join('\n')]),
    ...(rows.length === 0 ? [] : [table(['argument', 'meaning', 'type', 'default'], rows)])
  ].join('\n\n')
}

function typeText (type: string): string {
  return type.startsWith('choices: ') ? type.slice(9).split(', ').map((each) => code(each.replaceAll('"', ''))).join(', ') : type
}

function presenceText (presence: string): string {
  const text = presence.replace('default: ', '').replaceAll('"', '')
  return text === '[]' ? 'none' : text
}
