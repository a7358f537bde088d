import Table from 'cli-table3'
import type { CommandModule } from 'yargs'
import type { ComputeSettings } from '../../home/config/schema.ts'
import type { Evaluation } from '../../site-model/evaluate-site.ts'
import { computeArgs, computeFlags } from '../compute-flags.ts'
import { withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  ...computeFlags,
  data: { type: 'string', describe: 'folder with images and masks', demandOption: true },
  split: { choices: ['validation', 'all'], describe: 'score only what training never saw, or everything', default: 'validation' }
} as const

interface Args extends Partial<ComputeSettings> { home: string, json: boolean, data: string, split: 'validation' | 'all' }

export const evaluate: CommandModule<object, Args> = {
  command: 'evaluate',
  describe: 'Dice, IoU and HD95 of the frozen, the global and the personalised model',
  builder: (argv) => withFlags(argv, flags) as never,
  handler: async ({ home, json, data, split, ...rest }) => {
    const { evaluateSite } = await import('../../site-model/evaluate-site.ts')
    const result = await evaluateSite(home, data, split, computeArgs(rest))
    print(json, result, () => table(result))
  }
}

function table (result: Evaluation): string {
  const rows = new Table({ head: ['model', 'Dice', 'IoU', 'HD95 (px)'], style: { head: [], border: [] } })
  for (const mode of ['frozen', 'global', 'personal'] as const) {
    const { dice, iou, hd95 } = result[mode]
    rows.push([mode, dice.toFixed(4), iou.toFixed(4), hd95.toFixed(2)])
  }
  const skipped = result.skipped === 0 ? '' : `, ${result.skipped} files skipped (consilium data check names them)`
  return `${rows.toString()}\n${result.slices} slices${skipped}, adapter of round ${result.round}`
}
