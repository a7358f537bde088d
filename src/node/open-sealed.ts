import type { Schema } from '../adapter/schema.ts'
import type { Steps } from '../gossip-aggregation/unmixed.ts'
import type { SealedInit } from '../gossip-aggregation/groups/sealing.ts'
import { DiskExchangeLog } from '../home/exchange-log.ts'
import { SealedStore } from '../home/sealed-store.ts'
import { sealedOf } from '../settings/secure.ts'
import type { Site } from './site.ts'

/** Of a site whose federation seals. */
export interface OpenedSealed {
  readonly store: SealedStore
  readonly log: DiskExchangeLog
  readonly init: SealedInit
  /** Its training is gone, though the checkpoint names it. */
  readonly isLost: boolean
}

/**
 * What waits for a group, and the log of groups. Of a restored home nothing waits: a group may have carried it since, and it must not go
 * into a second one.
 */
export async function openSealed (
  { paths, federation: { document: { averaging } }, restored }: Site,
  schema: Schema,
  notes: { readonly steps?: Steps | undefined, readonly sealed?: number | undefined } | undefined
): Promise<OpenedSealed | undefined> {
  const secure = sealedOf(averaging)
  if (secure == null) return undefined
  const store = new SealedStore({ folder: paths.sealed, schema })
  const log = await DiskExchangeLog.open(paths.groups)
  const { trained = 0 } = notes?.steps ?? {}
  if (restored != null) for (const { exchangeId } of log.pending()) await log.settle(exchangeId, 'aborted')
  const values = notes?.sealed == null || restored != null ? undefined : await store.load(notes.sealed)
  const until = restored == null ? await store.used(trained) : trained
  const used = { until, save: async (step: number) => { await store.use(step) } }
  return { store, log, init: { secure, values, log, used }, isLost: notes?.sealed != null && values == null }
}
