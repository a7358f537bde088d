import { loadDataset, type Dataset } from '../../dataset/index.ts'
import { InputError } from '../../errors.ts'
import type { TrainerSetup } from '../../rounds/trainer-messages.ts'
import { Corrections } from '../corrections/corrections.ts'
import { labelsDigest } from '../corrections/labels-digest.ts'
import { patientKey } from '../patient-key.ts'
import { readingOf } from '../reading.ts'
import { keepSides, readSides } from '../sides.ts'
import { fitSplit, type FittedSplit } from '../split.ts'

type Setup = Pick<TrainerSetup, 'data' | 'privateStore' | 'axis' | 'model' | 'labels' | 'training'>

interface Read {
  readonly dataset: Dataset
  readonly split: FittedSplit
  readonly corrections: ReadonlyMap<string, string>
  /** Images that the site trained on when it last read them. */
  readonly before: number | undefined
}

/** What a site trains on: its folder, with the corrections that count when it is read. */
export class TrainingData {
  readonly #setup: Setup
  readonly #corrections: Corrections
  /** Files of corrections that were read; each has a name of its own. */
  #files: string
  /** Sentences without a name. */
  readonly warnings: readonly string[]

  private constructor (setup: Setup, corrections: Corrections, files: string, warnings: readonly string[]) {
    this.#setup = setup
    this.#corrections = corrections
    this.#files = files
    this.warnings = warnings
  }

  /** @throws InputError for what the user must mend */
  static async open (setup: Setup): Promise<Omit<Read, 'corrections'> & { readonly data: TrainingData }> {
    const corrections = new Corrections(setup.privateStore)
    const { corrections: files, ...read } = await readData(setup, corrections)
    const elsewhere = (await corrections.list()).filter((each) => corrections.isElsewhere(each, setup.data)).length
    const warnings = elsewhere === 0 ? [] : [movedWarning(elsewhere)]
    return { ...read, data: new TrainingData(setup, corrections, namesOf(files), warnings) }
  }

  /** The images anew where corrections came or went since they were read. @throws InputError for what the user must mend */
  async changed (): Promise<{ readonly split: FittedSplit, readonly corrections: number } | undefined> {
    const files = await this.#corrections.files(this.#setup.data)
    if (namesOf(files) === this.#files) return undefined
    const { split, corrections } = await readData(this.#setup, this.#corrections)
    this.#files = namesOf(corrections)
    return { split, corrections: corrections.size }
  }
}

async function readData (setup: Setup, kept: Corrections): Promise<Read> {
  const { data, privateStore, axis, model, training } = setup
  const corrections = await kept.files(data)
  const dataset = await loadDataset(data, {
    ...readingOf(setup, axis),
    patientKey: patientKey(privateStore),
    corrected: corrections,
    empty: (training.emptyShare ?? 0) > 0,
    kinds: training.supervision,
    sides: [model.imageSize]
  })
  const known = await readSides(privateStore)
  const split = await fitSplit(dataset, model.imageSize, { ...training, ...known })
  const { train, validation, sides } = split
  if (train.length === 0 || (validation.length === 0 && training.supervision == null)) {
    throw new InputError(`${data} has too few slices (${dataset.slices.length}) to split into training and validation: add images`)
  }
  await keepSides(privateStore, { known: sides, images: train.length, data, digest: labelsDigest(dataset.slices) })
  return { dataset, split, corrections, before: known.images }
}

function namesOf (files: ReadonlyMap<string, string>): string {
  return [...files.values()].sort().join()
}

function movedWarning (count: number): string {
  return `${count} ${count === 1 ? 'correction was' : 'corrections were'} saved for images of another folder than this site's data: ` +
    'not used; "consilium corrections list" says of which'
}
