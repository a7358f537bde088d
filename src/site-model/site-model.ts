import { adapterFromSafetensors, type Adapter } from '../adapter/adapter.ts'
import { createEngine, type Engine } from '../compute/index.ts'
import { labelMapOf, type LabelMap, type ReadOptions } from '../dataset/index.ts'
import { CorruptFileError, InputError } from '../errors.ts'
import { readFederation, type Federation } from '../federation/document.ts'
import { loadConfig } from '../home/config/load.ts'
import { requireChecksum } from '../home/checksum.ts'
import { readIfThere } from '../home/files.ts'
import { sitePaths } from '../home/paths.ts'
import { adapterOfRound, type WhichRound } from '../home/round-adapter.ts'
import { startAdapterOf } from '../home/start-adapter.ts'
import { requireKnownHome } from '../home/version.ts'
import type { Learner } from '../model/train/learner.ts'
import type { ComputeSettings } from '../settings/site/compute.ts'
import type { SiteConfig } from '../settings/site/site-config.ts'
import { engineOptions } from './engine-options.ts'
import { createLearner } from './learner.ts'
import { PrivateStore } from './private-store.ts'
import { readingAsTrained } from './reading.ts'

/** A site's trained model, read from its home without touching the daemon. */
export interface SiteModel {
  readonly federation: Federation
  readonly config: SiteConfig
  readonly learner: Learner
  /** The federation's classes; undefined: everything above 0 is one. */
  readonly labels: LabelMap | undefined
  /** Γ as last saved, or Γ0 when the site has not trained yet. */
  readonly adapter: Adapter
  readonly round: number
  readonly engine: Engine
  /** How images are read, so that the model sees them as training showed them. */
  readonly reading: ReadOptions
  close (): Promise<void>
}

/** `round`: whose global adapter; experts are always the last ones. */
export async function openSiteModel (home: string, flags: Partial<ComputeSettings> = {}, round: WhichRound = 'last'): Promise<SiteModel> {
  await requireKnownHome(home)
  const paths = sitePaths(home)
  const path = await adapterOfRound(paths, round)
  const federation = await readFederation(paths.federation)
  const config = await loadConfig(paths.config, flags)
  const engine = await createEngine(engineOptions(config))
  const { model, training, method, labels, start: begun } = federation.document
  const start = startAdapterOf(paths.startAdapter, begun)
  const learner = await createLearner({ engine, model, training, method, labels, start, models: paths.models, siteSeed: 0 })
  const saved = await readSavedAdapter(path, learner)
  const experts = await new PrivateStore(paths.privateStore, learner.schema.hash).load()
  if (experts != null) learner.importPrivate(experts.set)
  return {
    federation,
    config,
    learner,
    labels: labels == null ? undefined : labelMapOf(labels),
    adapter: saved?.adapter ?? learner.initialAdapter(),
    round: saved?.round ?? 0,
    engine,
    reading: await readingAsTrained(federation.document, config.axis, paths.privateStore),
    close: async () => {
      await learner.dispose()
      await engine.dispose()
    }
  }
}

async function readSavedAdapter (path: string, learner: Learner): Promise<{ adapter: Adapter, round: number } | undefined> {
  const bytes = await readIfThere(path)
  if (bytes == null) return undefined
  try {
    requireChecksum(bytes)
    return adapterFromSafetensors(learner.schema, bytes)
  } catch (error) {
    if (error instanceof CorruptFileError) {
      throw new InputError(`${path} is damaged (${error.message}): start the daemon once, it falls back to the checkpoint before`)
    }
    throw error
  }
}
