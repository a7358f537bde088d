import { adapterFromTensors } from '../adapter/adapter.ts'
import { createEngine } from '../compute/index.ts'
import { labelMapOf, loadDataset } from '../dataset/index.ts'
import { InputError } from '../errors.ts'
import { readFormerAdapter } from '../federation/warm-start.ts'
import type { ClassSummary } from '../model/scores/class-summary.ts'
import type { ComputeSettings } from '../settings/site/compute.ts'
import { siteConfig } from '../settings/site/site-config.ts'
import { engineOptions } from './engine-options.ts'
import { scoreGlobal } from './evaluate/score-global.ts'
import { createLearner } from './learner.ts'
import { readingOf } from './reading.ts'

export interface ExportedEvaluation {
  readonly round: number
  /** Of the adapter's tensors. */
  readonly adapter: string
  readonly slices: number
  readonly tolerance: number
  readonly classes: Readonly<Record<string, ClassSummary>>
}

/**
 * Scores what `consilium export` wrote on all images of a folder, by whoever has both: no home and no membership is needed. `models` is a
 * folder of imported base weights. @throws InputError for what the user must mend
 */
export async function evaluateExported (
  { file, data, models, tolerance, compute = {} }: {
    readonly file: string
    readonly data: string
    readonly models: string
    readonly tolerance: number
    readonly compute?: Partial<ComputeSettings>
  }
): Promise<ExportedEvaluation> {
  const { tensors, settings, digest, round } = await readFormerAdapter(file)
  const { model, training, method, labels } = settings
  const engine = await createEngine(engineOptions({ ...siteConfig.parse({}), ...compute }))
  try {
    const learner = await createLearner({ engine, model, training, method, labels, models, siteSeed: 0 })
    const adapter = adapterFromTensors(learner.schema, new Map([...tensors].map(([name, { data: numbers }]) => [name, numbers])))
    const { slices } = await loadDataset(data, { ...readingOf(settings, undefined), empty: true })
    if (slices.length === 0) throw new InputError(`${data} has no slices: look at it with consilium data check`)
    const map = labels == null ? undefined : labelMapOf(labels)
    const classes = await scoreGlobal(slices, { learner, adapter, labels: map, training }, tolerance)
    await learner.dispose()
    return { round, adapter: digest, slices: slices.length, tolerance, classes }
  } finally {
    await engine.dispose()
  }
}
