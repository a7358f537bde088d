import { join } from 'node:path'
import yargs from 'yargs'
import type { DataFolder } from '../../src/experiment/data-source.ts'
import { dataSetsOf, positive } from '../pfedsam/options.ts'
import { DATA_NAMES, type DataName } from '../pfedsam/sites.ts'
import { PRESETS, PRESET_NAMES, type Preset } from './presets.ts'

export interface Options {
  readonly name: string
  readonly preset: Preset
  readonly data: readonly (DataName | DataFolder)[]
  readonly out: string
}

const flags = {
  preset: { choices: PRESET_NAMES, describe: 'how much: smoke, quick (a quarter of an hour), full (a night)', default: 'quick' },
  data: {
    type: 'string',
    describe: `data sets, with commas: ${DATA_NAMES.join(', ')}, or a folder with one data folder per site`,
    default: 'fundus-phantom'
  },
  seeds: { type: 'number', describe: 'trainings by which each attack is judged, two at least' },
  rounds: { type: 'number', describe: 'rounds of a training' },
  out: { type: 'string', describe: 'folder of the report', default: join('out', 'privacy') }
} as const

/** @throws UsageError for what the bench does not have. */
export async function parseOptions (args: string[]): Promise<Options> {
  const parsed = await yargs(args)
    .scriptName('npm run bench:privacy --')
    .usage('$0: what does a member learn of another site\'s patients from what it receives, before and behind each defence?')
    .options(flags)
    .strict()
    .wrap(null)
    .parseAsync()
  const preset = PRESETS[parsed.preset]
  const count = Math.max(2, positive('--seeds', parsed.seeds ?? preset.seeds.length))
  return {
    name: parsed.preset,
    preset: {
      ...preset,
      seeds: Array.from({ length: count }, (_, i) => i + 1),
      rounds: positive('--rounds', parsed.rounds ?? preset.rounds)
    },
    data: (await dataSetsOf(parsed.data))!,
    out: parsed.out
  }
}
