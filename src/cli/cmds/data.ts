import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import {
  contactSheet,
  describeSummary,
  requireUsableDataset,
  scanDataset,
  splitSlices,
  summarise,
  type Problem
} from '../../dataset/index.ts'
import { identity } from '../../settings/site/identity.ts'
import { command, withFlags } from '../flags.ts'
import { labelsOf } from '../labels-of.ts'
import { jsonFlag, print, warn } from '../output.ts'
import { flagWithDefault } from '../setting-flags.ts'

const flags = {
  ...jsonFlag,
  axis: flagWithDefault(identity.shape.axis),
  federation: {
    type: 'string',
    describe: 'home or federation.json whose classes the masks are held against: what each stored value becomes'
  },
  sheet: { type: 'string', describe: 'PNG file for the contact sheet (default: contact-sheet.png in the current folder)' }
} as const

const check = command({
  command: 'check <path>',
  describe: 'what was found, what is wrong with it, and a contact sheet of images with mask outlines',
  builder: (argv) =>
    withFlags(argv.positional('path', { type: 'string', describe: 'folder with images and masks', demandOption: true }), flags),
  handler: async ({ path, json, axis, federation, sheet }) => {
    const labels = federation == null ? undefined : await labelsOf(federation)
    const dataset = await scanDataset(path, { axis, labels })
    const { problems } = dataset
    // Names stay in this terminal: the sentence thrown below, like every log line, has none.
    if (dataset.slices.length === 0 && problems.length > 0) {
      if (json) print(json, { ...summarise(dataset), problems, sheet: null }, '')
      else process.stderr.write(`${listProblems(problems)}\n`)
    }
    requireUsableDataset(dataset, path)
    const file = sheet ?? join(process.cwd(), 'contact-sheet.png')
    await contactSheet(dataset.slices, file)
    const summary = summarise(dataset)
    // Whether both get slices is the same for every seed.
    const { train, validation } = splitSlices(dataset.slices, { seed: 0 })
    const trainable = train.length > 0 && validation.length > 0
    print(
      json,
      { ...summary, problems, sheet: file, trainable },
      () => [describeSummary(summary), ...problems.length > 0 ? [listProblems(problems)] : [], `contact sheet: ${file}`].join('\n')
    )
    if (trainable) return
    warn(`${path} has too few slices to split into training and validation, so consilium start would refuse it: add images`)
    process.exitCode = 1
  }
})

function listProblems (problems: readonly Problem[]): string {
  return problems.map(({ file, reason }) => `  ${file}: ${reason}`).join('\n')
}

export const data: CommandModule = {
  command: 'data',
  describe: 'look at a data folder before training',
  builder: (argv) => argv.command(check).demandCommand(1, 'say what to do: data check PATH'),
  handler: () => {}
}
