import { adapterFromSafetensors, type Adapter } from '../adapter/adapter.ts'
import { tensorsDigest } from '../adapter/tensors-digest.ts'
import { loadDataset } from '../dataset/index.ts'
import { CorruptFileError, InputError, SchemaError } from '../errors.ts'
import { LEAST_PATIENTS, rounded, type Score } from '../federation/cross-scores/score-row.ts'
import { readIfThere } from '../home/files.ts'
import { sitePaths } from '../home/paths.ts'
import type { WhichRound } from '../home/round-adapter.ts'
import type { ClassSummary } from '../model/scores/class-summary.ts'
import type { ComputeSettings } from '../settings/site/compute.ts'
import { Corrections } from './corrections/corrections.ts'
import { scoreGlobal } from './evaluate/score-global.ts'
import { unseenSlices } from './evaluate/site-cases.ts'
import { readSides } from './sides.ts'
import { openSiteModel, type SiteModel } from './site-model.ts'
import { Withdrawn } from './withdrawals/withdrawn.ts'

/** How a global adapter did on this site's validation images. */
export interface CrossScore {
  /** SHA-256 of its tensors. */
  readonly adapter: string
  readonly round: number
  /** It is this site's own. */
  readonly own: boolean
  /** Dice over patients by class; classes of fewer than five patients are left out. */
  readonly dice: Readonly<Record<string, Score>>
}

/**
 * Scores this site's global adapter of a round, or the exported ones of others in `files`, on what training here never saw. @throws
 * InputError for what the user must mend
 */
export async function crossEvaluate (
  { home, data: given, files, round, compute }: {
    readonly home: string
    readonly data: string | undefined
    readonly files: readonly string[]
    readonly round: WhichRound
    readonly compute?: Partial<ComputeSettings>
  }
): Promise<CrossScore[]> {
  const site = await openSiteModel(home, compute, round)
  try {
    const { training } = site.federation.document
    const { privateStore } = sitePaths(home)
    const before = await readSides(privateStore)
    const data = given ?? site.config.data ?? before.data
    if (data == null) throw new InputError(`${home} does not know its images yet: name their folder with --data, or start the site`)
    const models = files.length === 0 ? [own(site)] : await Promise.all(files.map(async (file) => await exported(file, site)))
    const corrected = await new Corrections(privateStore).files(data)
    const { withdrawn } = await Withdrawn.read(privateStore)
    const dataset = await loadDataset(data, { ...site.reading, corrected, withdrawn, empty: true })
    const slices = unseenSlices(dataset.slices, { ...training, ...before })
    const scores: CrossScore[] = []
    for (const { adapter, ...model } of models) {
      const classes = await scoreGlobal(slices, { ...site, adapter, training }, 0)
      scores.push({ ...model, adapter: tensorsDigest(adapter.tensors()), dice: enough(classes) })
    }
    return scores
  } finally {
    await site.close()
  }
}

interface Model {
  readonly adapter: Adapter
  readonly round: number
  readonly own: boolean
}

function own ({ adapter, round }: SiteModel): Model {
  return { adapter, round, own: true }
}

async function exported (file: string, { learner }: SiteModel): Promise<Model> {
  const bytes = await readIfThere(file)
  if (bytes == null) throw new InputError(`${file} is not there: name a file that "consilium export" wrote at another site`)
  try {
    const { adapter, round } = adapterFromSafetensors(learner.schema, bytes)
    return { adapter, round, own: false }
  } catch (error) {
    if (!(error instanceof CorruptFileError || error instanceof SchemaError)) throw error
    throw new InputError(`${file} is no adapter of this federation: ${error.message}`)
  }
}

/** What may be said without telling of single patients. */
function enough (classes: Readonly<Record<string, ClassSummary>>): Record<string, Score> {
  return Object.fromEntries(Object.entries(classes).flatMap(([name, { dice: { mean, low, high, count } }]) =>
    count < LEAST_PATIENTS ? [] : [[name, { mean: rounded(mean), low: rounded(low), high: rounded(high), patients: count }]]))
}
