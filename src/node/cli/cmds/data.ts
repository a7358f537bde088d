import { join } from 'node:path'
import type { CommandModule } from 'yargs'
import { contactSheet, describeSummary, loadDataset, summarise } from '../../../dataset/index.ts'
import { withFlags } from '../flags.ts'
import { jsonFlag, print } from '../output.ts'

const flags = {
  ...jsonFlag,
  axis: { choices: ['axial', 'coronal', 'sagittal'], describe: 'plane in which volumes are cut', default: 'axial' },
  sheet: { type: 'string', describe: 'PNG file for the contact sheet (default: contact-sheet.png in the current folder)' }
} as const

interface Args { path: string, json: boolean, axis: 'axial' | 'coronal' | 'sagittal', sheet?: string }

const check: CommandModule<object, Args> = {
  command: 'check <path>',
  describe: 'what was found, what is wrong with it, and a contact sheet of images with mask outlines',
  builder: (argv) => withFlags(argv.positional('path', { type: 'string', describe: 'folder with images and masks', demandOption: true }), flags) as never,
  handler: async ({ path, json, axis, sheet }) => {
    const dataset = await loadDataset(path, { axis })
    const file = sheet ?? join(process.cwd(), 'contact-sheet.png')
    await contactSheet(dataset.slices, file)
    const summary = summarise(dataset)
    print(json, { ...summary, problems: dataset.problems, sheet: file }, () => `${describeSummary(summary)}\ncontact sheet: ${file}`)
  }
}

export const data: CommandModule = {
  command: 'data',
  describe: 'look at a data folder before training',
  builder: (argv) => argv.command(check).demandCommand(1, 'say what to do: data check PATH'),
  handler: () => {}
}
