import { z } from 'zod'
import { flagOf } from '../../src/cli/setting-flags.ts'
import { sections } from '../../src/settings/federation-settings.ts'
import { bare, defaultInWords, variableName, wanted } from '../../src/settings/setting.ts'
import { amendments } from '../../src/settings/site/amendments.ts'
import { compute } from '../../src/settings/site/compute.ts'
import { identity } from '../../src/settings/site/identity.ts'
import { network } from '../../src/settings/site/network.ts'
import { pacs } from '../../src/settings/site/pacs.ts'
import { policy } from '../../src/settings/site/policy.ts'
import { records } from '../../src/settings/site/records.ts'
import { simulation } from '../../src/simulation/options.ts'
import type { Command } from './commands.ts'
import { code, page, table } from './page.ts'

/** docs/reference/settings.md: every setting, where it is said, its type, bounds, unit and default, and its sentence. */
export function settingsPage (commands: readonly Command[]): string {
  return page('Settings', [
    '## Of a federation',
    'In the document that the founders sign, the same at every site: `federation create --settings FILE` takes a JSON object of what\n' +
    'shall differ from the defaults ([models/sam.md](../models/sam.md#settings-of-a-federation)); some have a flag of\n' +
    '`federation create` too.',
    ...Object.entries(sections).flatMap(([name, section]) => [
      `### ${name}`,
      table(
        ['setting', 'flag', 'type', 'unit', 'default', 'meaning'],
        leaves(section, [name]).map(([path, type]) => [code(path), flagOfCommand('federation create', type, commands), ...said(type)])
      )
    ]),
    '## Of one site',
    'In `config.json` of its home, or in an environment variable, which wins over the file, or as a flag, which wins over both.',
    ...Object.entries<z.ZodObject>({ identity, pacs, network, amendments, compute, records }).flatMap(([name, section]) => [
      `### ${name}`,
      table(
        ['config.json', 'environment', 'flag', 'type', 'unit', 'default', 'meaning'],
        leaves(section).map(([key, type]) => [code(key), code(variableName(key)), flagsOf(type, commands), ...said(type)])
      )
    ]),
    '### policy.json',
    'In a file of that name in the home, and nowhere else: what the site holds to beyond any document ([studies.md](../studies.md)).',
    table(
      ['policy.json', 'unit', 'default', 'meaning'],
      Object.entries<z.ZodType>(policy.shape).map(([key, type]) => [code(key), ...said(type).slice(1)])
    ),
    '## Of the simulator',
    'Flags of `consilium simulate`.',
    table(
      ['flag', 'type', 'unit', 'default', 'meaning'],
      leaves(simulation).map(([, type]) => [flagOfCommand('simulate', type, commands), ...said(type)])
    )
  ])
}

/** Sections within a section are told by dots. */
function leaves (type: z.core.$ZodType, path: readonly string[] = []): Array<[string, z.core.$ZodType]> {
  const section = bare(type)
  if (!(section instanceof z.ZodObject)) return [[path.join('.'), type]]
  return Object.entries<z.core.$ZodType>(section.shape).flatMap(([key, each]) => leaves(each, [...path, key]))
}

function flagOfCommand (command: string, type: z.core.$ZodType, commands: readonly Command[]): string {
  return flagsOf(type, commands.filter(({ usage }) => usage === `consilium ${command}`)).replace(` of ${command}`, '')
}

/** The flags that are made of this setting, each with its commands: a flag of the same name may be another thing elsewhere. */
function flagsOf (type: z.core.$ZodType, commands: readonly Command[]): string {
  const found = new Map<string, string[]>()
  for (const { usage, options } of commands) {
    const option = options.find(({ name, sentence }) => name.startsWith('--') && sentence === flagOf(type).describe)
    if (option != null) found.set(option.name, [...found.get(option.name) ?? [], usage.replace(/^consilium /, '').replace(/ [<[].*$/, '')])
  }
  return [...found].map(([flag, names]) => `${code(flag)} of ${names.join(', ')}`).join('; ')
}

function said (type: z.core.$ZodType): string[] {
  const { unit = '', description = '' } = z.globalRegistry.get(type) ?? {}
  const words = typeInWords(bare(type))
  return [unit === '' ? words : words.replace(` of ${unit}`, ''), unit, defaultInWords(type), description]
}

function typeInWords (type: z.core.$ZodType): string {
  if (type instanceof z.ZodEnum) return type.options.map((each) => code(String(each))).join(', ')
  if (type instanceof z.ZodUnion) return type.options.map((each) => code(shapeOf(each))).join(', ')
  if (type instanceof z.ZodBoolean) return '`true`, `false`'
  if (type instanceof z.ZodNumber) return wanted(type).replace(/^a /, '')
  const { items, maxItems, maxLength, pattern } = z.toJSONSchema(type)
  if (type instanceof z.ZodArray) return `list of ${itemsInWords(items)}${maxItems == null ? '' : `, ${maxItems} at most`}`
  return `text${pattern == null ? '' : ` as in ${code(pattern)}`}${maxLength == null ? '' : `, ${maxLength} characters at most`}`
}

function itemsInWords (items: unknown): string {
  const kind = typeof items === 'object' && items != null && 'type' in items ? items.type : undefined
  return kind === 'integer' ? 'whole numbers from 0' : kind === 'object' ? 'objects' : 'texts'
}

/** One way to say a setting: a word, or an object by its keys. */
function shapeOf (type: z.core.$ZodType): string {
  if (type instanceof z.ZodLiteral) return String(type.value)
  if (type instanceof z.ZodNumber) return wanted(type).replace(/^a /, '')
  if (type instanceof z.ZodArray) return 'list of these'
  return type instanceof z.ZodObject ? `{ ${Object.keys(type.shape).join(', ')} }` : 'text'
}
