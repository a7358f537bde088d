import type { KnownStanding } from '../membership/certificate.ts'
import type { Score, ScoreRow } from './score-row.ts'

/** Who is who: a row's site, by its certificate. */
interface ScoredSite {
  readonly peerId: string
  readonly name: string
}

interface ScoredAdapter {
  readonly adapter: string
  readonly round: number
  /** The site that says it had this adapter itself; none where no site has said so. */
  readonly of?: ScoredSite
}

/** Dice of the class by site of the images (rows) and adapter (columns); undefined where nobody has told. */
export interface ScoreMatrix {
  readonly class: string
  readonly sites: readonly ScoredSite[]
  readonly adapters: readonly ScoredAdapter[]
  readonly cells: ReadonlyArray<ReadonlyArray<Score | undefined>>
}

/** One matrix for each class, the same at all sites that know the same rows; what a revoked site said counts no more. */
export function scoreMatrices (rows: readonly ScoreRow[], founders: readonly string[], standing: KnownStanding): ScoreMatrix[] {
  const valid = rows.filter(({ site, credential: { certificate } }) =>
    !standing.isRevoked(site, founders.includes(site) ? 'founder' : certificate?.role ?? 'member'))
  const names = new Set(valid.flatMap(({ dice }) => Object.keys(dice)))
  return [...names].sort().map((name) => matrixOf(name, valid.filter(({ dice }) => Object.hasOwn(dice, name))))
}

function matrixOf (name: string, rows: readonly ScoreRow[]): ScoreMatrix {
  const sites = [...new Map(rows.map((row) => [row.site, siteOf(row)])).values()].sort((a, b) => a.peerId < b.peerId ? -1 : 1)
  const adapters = [...Map.groupBy(rows, ({ adapter }) => adapter).values()].map(adapterOf)
    .sort((a, b) => a.round - b.round || (a.adapter < b.adapter ? -1 : 1))
  const cell = (site: ScoredSite, { adapter }: ScoredAdapter): Score | undefined =>
    rows.find((row) => row.site === site.peerId && row.adapter === adapter)?.dice[name]
  return { class: name, sites, adapters, cells: sites.map((site) => adapters.map((adapter) => cell(site, adapter))) }
}

function adapterOf (rows: readonly ScoreRow[]): ScoredAdapter {
  const owner = rows.find(({ own }) => own)
  const { adapter, round } = owner ?? rows[0]!
  return { adapter, round, ...(owner == null ? {} : { of: siteOf(owner) }) }
}

function siteOf ({ site, credential: { certificate } }: ScoreRow): ScoredSite {
  return { peerId: site, name: certificate?.name ?? site.slice(-8) }
}
