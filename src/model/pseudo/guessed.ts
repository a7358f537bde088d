import type { HostRecord } from '../../compute/index.ts'
import type { Mode } from '../../settings/model.ts'
import type { PseudoSettings } from '../../settings/pseudo.ts'
import type { PhaseArgs } from '../train/learner-args.ts'
import type { PseudoMaker } from './maker.ts'
import type { PoolStore } from './pool.ts'

interface Guessing {
  readonly maker: PseudoMaker
  readonly generator: PseudoSettings['generator']
  readonly store: PoolStore
  /** The site's. */
  readonly seed: number
  /** What a model is in one mode, of the adapter that the phase begins with. */
  readonly adapted: (mode: Mode) => HostRecord
}

/** A phase G whose images carry what the site's pool believes of them, after this round's pseudo-masks have come to it and are kept. */
export async function guessed (args: PhaseArgs, { maker, generator, store, seed, adapted }: Guessing): Promise<PhaseArgs> {
  const { samples, round, onMade, signal } = args
  const before = await store.load()
  if (before.images.size === 0 && samples.every(({ kind }) => kind == null)) return args
  const teacher = adapted('global')
  const asked = { teacher, generator: generator === 'global' ? teacher : adapted(generator) }
  const pool = await maker.updated(before, { ...asked, samples, round, seed, onMade, signal })
  if (pool.round !== before.round || pool.images.size !== before.images.size) await store.save(pool)
  return { ...args, samples: maker.shown(samples, pool) }
}
