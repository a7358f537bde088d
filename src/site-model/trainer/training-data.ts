import { loadDataset, type Dataset } from '../../dataset/index.ts'
import { InputError } from '../../errors.ts'
import type { TrainerSetup } from '../../rounds/trainer-messages.ts'
import { Corrections } from '../corrections/corrections.ts'
import { labelsDigest } from '../corrections/labels-digest.ts'
import { patientKey } from '../patient-key.ts'
import { readingOf } from '../reading.ts'
import { keepSides, readSides } from '../sides.ts'
import { fitSplit, type FittedSplit } from '../split.ts'
import { Withdrawn } from '../withdrawals/withdrawn.ts'

type Setup = Pick<TrainerSetup, 'data' | 'privateStore' | 'axis' | 'model' | 'labels' | 'training'>

interface Read {
  readonly dataset: Dataset
  readonly split: FittedSplit
  readonly corrections: ReadonlyMap<string, string>
  readonly withdrawn: Withdrawn
  /** Subjects that the site knew before it read them. */
  readonly known: ReadonlySet<string>
  /** Images that the site trained on when it last read them. */
  readonly before: number | undefined
}

/** What a site trains on: its folder, with the corrections that count when it is read. */
export class TrainingData {
  readonly #setup: Setup
  readonly #corrections: Corrections
  /** Files of corrections that were read; each has a name of its own. */
  #files: string
  /** Who was withdrawn when they were read. */
  #withdrawn: Withdrawn
  /** Sentences without a name. */
  readonly warnings: readonly string[]

  private constructor (setup: Setup, corrections: Corrections, files: string, withdrawn: Withdrawn, warnings: readonly string[]) {
    this.#setup = setup
    this.#corrections = corrections
    this.#files = files
    this.#withdrawn = withdrawn
    this.warnings = warnings
  }

  /** @throws InputError for what the user must mend */
  static async open (setup: Setup): Promise<Omit<Read, 'corrections' | 'withdrawn'> & { readonly data: TrainingData }> {
    const corrections = new Corrections(setup.privateStore)
    const { corrections: files, withdrawn, ...read } = await readData(setup, corrections)
    const elsewhere = (await corrections.list()).filter((each) => corrections.isElsewhere(each, setup.data)).length
    const warnings = elsewhere === 0 ? [] : [movedWarning(elsewhere)]
    return { ...read, data: new TrainingData(setup, corrections, namesOf(files), withdrawn, warnings) }
  }

  /** The hash of a subject, which may leave this process. */
  readonly idOf = (subject: string): string => this.#withdrawn.idOf(subject)

  /** Somebody was withdrawn, or is not any more, since the images were read. @throws InputError where that cannot be known */
  async hasWithdrawals (): Promise<boolean> {
    return (await Withdrawn.read(this.#setup.privateStore)).state !== this.#withdrawn.state
  }

  /** The images anew where corrections or withdrawals came or went since they were read. @throws InputError for what the user must mend */
  async changed (): Promise<{ readonly split: FittedSplit, readonly corrections: number, readonly withdrawn: number } | undefined> {
    const files = await this.#corrections.files(this.#setup.data)
    if (namesOf(files) === this.#files && !await this.hasWithdrawals()) return undefined
    const { split, corrections, withdrawn } = await readData(this.#setup, this.#corrections)
    this.#files = namesOf(corrections)
    this.#withdrawn = withdrawn
    return { split, corrections: corrections.size, withdrawn: withdrawn.list.length }
  }
}

async function readData (setup: Setup, kept: Corrections): Promise<Read> {
  const { data, privateStore, axis, model, training } = setup
  const corrections = await kept.files(data)
  const withdrawn = await Withdrawn.read(privateStore)
  const dataset = await loadDataset(data, {
    ...readingOf(setup, axis),
    patientKey: patientKey(privateStore),
    corrected: corrections,
    withdrawn: withdrawn.withdrawn,
    empty: (training.emptyShare ?? 0) > 0,
    kinds: training.supervision,
    sides: [model.imageSize]
  })
  const known = await readSides(privateStore)
  const split = await fitSplit(dataset, model.imageSize, { ...training, ...known })
  const { train, validation, sides } = split
  if (train.length === 0 || (validation.length === 0 && training.supervision == null)) {
    const rest = withdrawn.list.length === 0 ? '' : ' without those who were withdrawn'
    throw new InputError(`${data} has too few slices (${dataset.slices.length}) to split into training and validation${rest}: add images`)
  }
  await keepSides(privateStore, { known: sides, images: train.length, data, digest: labelsDigest(dataset.slices) })
  return { dataset, split, corrections, withdrawn, known: new Set(known.known?.keys()), before: known.images }
}

function namesOf (files: ReadonlyMap<string, string>): string {
  return [...files.values()].sort().join()
}

function movedWarning (count: number): string {
  return `${count} ${count === 1 ? 'correction was' : 'corrections were'} saved for images of another folder than this site's data: ` +
    'not used; "consilium corrections list" says of which'
}
