import Table from 'cli-table3'
import { engine } from '../../settings/site/compute.ts'
import { identity } from '../../settings/site/identity.ts'
import type { Evaluation } from '../../site-model/evaluate-site.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'
import { flagOf, flagsOf, settingsIn } from '../setting-flags.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  ...flagsOf(engine),
  data: { ...flagOf(identity.shape.data), demandOption: true },
  split: { choices: ['validation', 'all'], describe: 'score only what training never saw, or everything', default: 'validation' }
} as const

export const evaluate = command({
  command: 'evaluate',
  describe: 'Dice, IoU and HD95 of the frozen, the global and the personalised model',
  builder: (argv) => withFlags(argv, flags),
  handler: async (args) => {
    const { evaluateSite } = await import('../../site-model/evaluate-site.ts')
    const result = await evaluateSite(args.home, args.data, args.split, settingsIn(engine, args))
    print(args.json, result, () => table(result))
  }
})

function table (result: Evaluation): string {
  const rows = new Table({ head: ['model', 'Dice', 'IoU', 'HD95 (px)'], style: { head: [], border: [] } })
  for (const mode of ['frozen', 'global', 'personal'] as const) {
    const { dice, iou, hd95 } = result[mode]
    rows.push([mode, dice.toFixed(4), iou.toFixed(4), hd95.toFixed(2)])
  }
  const skipped = result.skipped === 0 ? '' : `, ${result.skipped} files skipped (consilium data check names them)`
  return `${rows.toString()}\n${result.slices} slices${skipped}, adapter of round ${result.round}`
}
