import type { Mode } from '../settings/model.ts'
import type { SiteData } from './data-source.ts'
import type { TrainedSite } from './site-model.ts'

type Rows = readonly (readonly number[])[]

/** Dice of the model of site i on the images of site j: of what it serves, and of its shared part. */
export interface CrossScores { readonly served: Rows, readonly shared: Rows }

export async function crossScores (models: readonly TrainedSite[], sites: readonly SiteData[], mode: Mode): Promise<CrossScores> {
  const shared = await rowsOf(models, sites, 'global')
  return { served: mode === 'global' ? shared : await rowsOf(models, sites, mode), shared }
}

/** Equal adapters are scored once. */
async function rowsOf (models: readonly TrainedSite[], sites: readonly SiteData[], mode: Mode): Promise<Rows> {
  const known = new Map<string, readonly number[]>()
  const rows: (readonly number[])[] = []
  for (const [index, model] of models.entries()) {
    const key = mode === 'global' ? model.adapter.digest() : String(index)
    const row = known.get(key) ?? await rowOf(model, sites, mode)
    known.set(key, row)
    rows.push(row)
  }
  return rows
}

async function rowOf (model: TrainedSite, sites: readonly SiteData[], mode: Mode): Promise<number[]> {
  const row: number[] = []
  for (const { validation } of sites) row.push((await model.evaluate(validation, mode)).dice)
  return row
}
