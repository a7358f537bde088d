import { UsageError } from '../../errors.ts'
import { loadConfig } from '../../home/config/load.ts'
import { sitePaths } from '../../home/paths.ts'
import { parseRound } from '../../home/round-adapter.ts'
import { engine } from '../../settings/site/compute.ts'
import { identity } from '../../settings/site/identity.ts'
import { dataFolder } from '../data-folder.ts'
import { describeEvaluation, describeExported } from '../describe-evaluation.ts'
import { command, withFlags, type Args } from '../flags.ts'
import { EXPERTS_OF_NOW, homeFlag, jsonFlag, print, roundFlag, warn } from '../output.ts'
import { flagOf, flagsOf, settingsIn } from '../setting-flags.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  ...roundFlag,
  ...flagsOf(engine),
  adapter: {
    type: 'string',
    describe: 'file that "consilium export" wrote: score its global model on all of --data; needs no home'
  },
  data: { ...flagOf(identity.shape.data), describe: 'folder with images and masks; by default what this site trained on last' },
  split: { choices: ['validation', 'all'], describe: 'score only what training never saw, or everything', default: 'validation' },
  tolerance: { type: 'number', describe: 'how far apart surfaces may be for NSD, in mm (in pixels of pictures)', default: 2 },
  'by-class': { type: 'boolean', describe: 'print a table for each class instead of one over all', default: false },
  csv: { type: 'string', describe: 'CSV file to write: a line for each model, case and class, with names of patients' },
  worst: { type: 'number', describe: 'name so many cases that the personal model did worst on', default: 0 },
  pictures: { type: 'string', describe: 'folder for pictures of the --worst: image, truth (blue) and result (orange)' }
} as const

export const evaluate = command({
  command: 'evaluate',
  describe: 'scores of the frozen, the global and the personalised model, over patients and over images',
  builder: (argv) => withFlags(argv, flags),
  handler: async (args) => {
    const { data, split, tolerance, csv, worst, pictures } = args
    if (!(tolerance >= 0 && Number.isFinite(tolerance))) throw new UsageError('--tolerance must be a number from 0')
    if (!Number.isInteger(worst) || worst < 0) throw new UsageError('--worst must be a whole number from 0')
    if (pictures != null && worst === 0) throw new UsageError('--pictures draws the worst cases: say how many, for example --worst 5')
    if (args.adapter != null) {
      await evaluateFile(args, args.adapter)
      return
    }
    const round = parseRound(args.round)
    if (round !== 'last') warn(EXPERTS_OF_NOW)
    const { evaluateSite } = await import('../../site-model/evaluate-site.ts')
    const given = data ?? (await loadConfig(sitePaths(args.home).config, {})).data
    const folder = given == null ? undefined : await dataFolder(given, args.home)
    const compute = settingsIn(engine, args)
    const result = await evaluateSite(args.home, folder, { split, round, tolerance, csv, worst, pictures, compute })
    print(args.json, result, () => describeEvaluation(result, { byClass: args['by-class'], csv }))
  }
})

/** By whoever has the file and images, a member or not. */
async function evaluateFile (args: Args<typeof flags>, file: string): Promise<void> {
  const { home, json, data, tolerance, csv, worst } = args
  if (data == null) throw new UsageError('--adapter needs --data, the folder with images and masks')
  if (csv != null || worst > 0) throw new UsageError('--csv and --worst are for the models of a home: leave them out with --adapter')
  const { evaluateExported } = await import('../../site-model/evaluate-exported.ts')
  const { models } = sitePaths(home)
  const result = await evaluateExported({ file, data: await dataFolder(data, home), models, tolerance, compute: settingsIn(engine, args) })
  print(json, result, () => describeExported(result))
}
