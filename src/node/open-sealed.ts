import type { Schema } from '../adapter/schema.ts'
import type { Steps } from '../gossip-aggregation/unmixed.ts'
import type { SealedInit } from '../gossip-aggregation/groups/sealing.ts'
import { DiskExchangeLog } from '../home/exchange-log.ts'
import type { SitePaths } from '../home/paths.ts'
import { SealedStore } from '../home/sealed-store.ts'
import type { AveragingSettings } from '../settings/averaging.ts'
import { sealedOf } from '../settings/secure.ts'

/** Without store, log and init where the federation does not seal. */
export interface OpenedSealed {
  readonly store?: SealedStore
  readonly log?: DiskExchangeLog
  readonly init?: SealedInit
  /** Its training is gone, though the checkpoint names it. */
  readonly isLost: boolean
  /** Whose warnings are to be said. */
  readonly files: readonly { readonly warnings: readonly string[] }[]
}

interface SealingHome {
  readonly paths: Pick<SitePaths, 'sealed' | 'groups'>
  readonly federation: { readonly document: { readonly averaging: AveragingSettings } }
  /** Set where the home is that of a backup. */
  readonly restored: object | undefined
}

interface Named {
  readonly steps?: Steps | undefined
  readonly sealed?: number | undefined
}

/** What waits for a group, and the log of groups; `notes` are the checkpoint's. */
export async function openSealed (
  { paths, federation: { document: { averaging } }, restored }: SealingHome,
  schema: Schema,
  saved: { readonly notes: Named | undefined } | undefined
): Promise<OpenedSealed> {
  const secure = sealedOf(averaging)
  if (secure == null) return { isLost: false, files: [] }
  const store = new SealedStore({ folder: paths.sealed, schema })
  const log = await DiskExchangeLog.open(paths.groups)
  const { steps, sealed } = saved?.notes ?? {}
  const waiting = restored == null ? await takeUp(store, steps?.trained ?? 0, sealed) : await dropAll(log, steps?.trained ?? 0)
  const used = { until: waiting.until, save: async (step: number) => { await store.use(step) } }
  const isLost = sealed != null && waiting.values == null
  return { store, log, init: { secure, values: waiting.values, log, used }, isLost, files: [store, log] }
}

interface Waiting {
  readonly values?: Float32Array | undefined
  readonly until: number
}

async function takeUp (store: SealedStore, trained: number, number: number | undefined): Promise<Waiting> {
  return { values: number == null ? undefined : await store.load(number), until: await store.used(trained) }
}

/** Of a restored home nothing waits: a group may have carried it since, and it must not go into a second one. */
async function dropAll (log: DiskExchangeLog, trained: number): Promise<Waiting> {
  for (const { exchangeId } of log.pending()) await log.settle(exchangeId, 'aborted')
  return { until: trained }
}
