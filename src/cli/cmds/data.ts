import { stat } from 'node:fs/promises'
import type { CommandModule } from 'yargs'
import { printable, printableLine } from '../../common/printable.ts'
import {
  contactSheet,
  describeDicom,
  describeSubjects,
  describeSummary,
  growSplit,
  listSubjects,
  NO_MASK,
  requireUsableDataset,
  scanDataset,
  summarise,
  TILE,
  type Dataset,
  type LoadOptions,
  type Problem,
  type ReadOptions
} from '../../dataset/index.ts'
import { isPacs } from '../../dicomweb/address.ts'
import { InputError } from '../../errors.ts'
import { readDraft } from '../../federation/document.ts'
import { sitePaths } from '../../home/paths.ts'
import { LABEL_KINDS } from '../../settings/training.ts'
import { identity } from '../../settings/site/identity.ts'
import { Corrections } from '../../site-model/corrections/corrections.ts'
import { labelsDigest } from '../../site-model/corrections/labels-digest.ts'
import { patientKey } from '../../site-model/patient-key.ts'
import { readingOf } from '../../site-model/reading.ts'
import { dataFolder } from '../data-folder.ts'
import { command, withFlags } from '../flags.ts'
import { jsonFlag, print, warn } from '../output.ts'
import { flagWithDefault } from '../setting-flags.ts'
import { readmit, withdraw, withdrawn } from './withdraw.ts'

const flags = {
  ...jsonFlag,
  axis: flagWithDefault(identity.shape.axis),
  federation: {
    type: 'string',
    describe: 'home or federation.json by which images are shown (default: auto), and which says what each value in masks becomes'
  },
  sheet: { type: 'string', describe: 'PNG file for a contact sheet: images with mask outlines, so it shows patients' }
} as const

/** Without a federation, whatever is marked is counted. */
const MARKED = LABEL_KINDS.filter((kind) => kind !== 'none')

const check = command({
  command: 'check <path>',
  describe: 'what was found, what is wrong with it, and with --sheet a contact sheet of images with mask outlines',
  builder: (argv) =>
    withFlags(
      argv.positional('path', { type: 'string', describe: 'folder with images and masks, or studies of a PACS', demandOption: true }),
      flags
    ),
  handler: async ({ path: given, json, axis, federation, sheet }) => {
    const path = await folderOf(given, federation)
    const dataset = await scanDataset(path, { ...await readingBy(federation, axis, path), sides: [TILE] })
    const { problems } = dataset
    // Names stay in this terminal: the sentence thrown below, like every log line, has none.
    if (dataset.slices.length === 0 && problems.length > 0) {
      if (json) print(json, { ...summarise(dataset), problems, sheet: null }, '')
      else {
        const found = dataset.dicom == null ? [] : [describeDicom(dataset.dicom)]
        process.stderr.write(`${printable([...found, listProblems(problems)].join('\n'))}\n`)
      }
    }
    requireUsableDataset(dataset, path)
    const { file, trouble } = sheet == null ? { file: null } : await drawSheet(dataset, sheet)
    const summary = summarise(dataset)
    // Whether both get slices is the same for every seed; a site without masks has none to hold back.
    const { train, validation } = growSplit(dataset.slices, { seed: 0 })
    const isWeak = dataset.slices.some(({ kind }) => kind != null)
    const trainable = train.length > 0 && (validation.length > 0 || isWeak)
    print(
      json,
      { ...summary, bySubject: listSubjects(dataset.slices), problems, sheet: file, trainable, digest: labelsDigest(dataset.slices) },
      () => [
        describeSummary(summary),
        describeSubjects(dataset.slices),
        ...leftOut(problems, federation != null),
        ...problems.length > 0 ? [listProblems(problems)] : [],
        ...file != null ? [`contact sheet: ${file}`] : sheet == null ? ['--sheet FILE.png draws images with their masks'] : []
      ].join('\n')
    )
    if (trouble != null) {
      warn(`no contact sheet: ${trouble}`)
      process.exitCode = 1
    }
    if (trainable) return
    warn(`${path} has too few slices to split into training and validation, so consilium start would refuse it: add images`)
    process.exitCode = 1
  }
})

/** @throws InputError for a PACS without a home whose private folder takes its files */
async function folderOf (given: string, federation: string | undefined): Promise<string> {
  if (!isPacs(given)) return given
  if (federation == null || !await isFolder(federation)) {
    throw new InputError('files of a PACS are kept in the private folder of a home: name it with --federation HOME')
  }
  return await dataFolder(given, federation)
}

async function isFolder (path: string): Promise<boolean> {
  return await stat(path).then((found) => found.isDirectory(), () => false)
}

async function readingBy (federation: string | undefined, axis: ReadOptions['axis'], data: string): Promise<LoadOptions> {
  if (federation == null) return { axis: axis ?? 'auto', kinds: MARKED }
  const isHome = await isFolder(federation)
  const file = isHome ? sitePaths(federation).federation : federation
  const { document } = await readDraft(file, 'name the federation.json that a founder made')
  const reading = { ...readingOf(document, axis), kinds: document.training.supervision }
  if (!isHome) return reading
  const { privateStore } = sitePaths(federation)
  return { ...reading, patientKey: patientKey(privateStore), corrected: await new Corrections(privateStore).files(data) }
}

/** Draws the sheet, or says why none could be written: the summary is worth having without it. */
async function drawSheet (dataset: Dataset, file: string): Promise<{ file: string | null, trouble?: string }> {
  try {
    await contactSheet(dataset.slices, file)
    return { file }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return { file: null, trouble: error.message }
  }
}

/** Images that a federation with other settings could use. */
function leftOut (problems: readonly Problem[], isFederation: boolean): string[] {
  const images = problems.filter(({ reason }) => reason === NO_MASK).length
  if (images === 0) return []
  const why = isFederation ? 'training.supervision of this federation does not name "none"' : 'unless training.supervision names "none"'
  return [`${images} ${images === 1 ? 'image' : 'images'} without labels left out: ${why}`]
}

function listProblems (problems: readonly Problem[]): string {
  return problems.map(({ file, reason }) => printableLine(`  ${file}: ${reason}`)).join('\n')
}

export const data: CommandModule = {
  command: 'data',
  describe: 'look at a data folder before training; take a subject out of it',
  builder: (argv) => argv.command(check).command(withdraw).command(withdrawn).command(readmit)
    .demandCommand(1, 'say what to do: data check, withdraw, withdrawn or readmit'),
  handler: () => {}
}
