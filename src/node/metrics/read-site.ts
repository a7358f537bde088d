import { statfs } from 'node:fs/promises'
import type { PeerTable } from '../../rounds/peer-table.ts'
import type { SiteStatus } from '../../rounds/status.ts'
import type { WarningKind } from '../../rounds/warning-kinds.ts'
import type { Site } from '../site.ts'
import type { TrainerProcess } from '../trainer-process.ts'
import type { Reading } from './site-metrics.ts'

export interface Observed {
  readonly site: Pick<Site, 'notices' | 'paths' | 'record'>
  readonly status: () => SiteStatus
  /** Undefined in a site that trains alone. */
  readonly peers: Pick<PeerTable, 'counts'> | undefined
  readonly trainer: Pick<TrainerProcess, 'deathsInRow' | 'isIsolated'> | undefined
  /** When this site's certificate ends, ISO 8601. */
  readonly validTo: string | undefined
}

/** All that /metrics says of the site, as it is now. */
export async function readSite ({ site, status, peers, trainer, validTo }: Observed): Promise<Reading> {
  const warnings: Partial<Record<WarningKind, number>> = {}
  for (const { kind } of site.notices.conditions) if (kind != null) warnings[kind] = (warnings[kind] ?? 0) + 1
  const { user, system } = process.cpuUsage()
  return {
    status: status(),
    warnings,
    peers: peers?.counts ?? { known: 0, absent: 0, readers: 0 },
    trainer: {
      restarts: site.record.trainerRestarts,
      deathsInRow: trainer?.deathsInRow ?? 0,
      isIsolated: trainer?.isIsolated === true
    },
    certificateSeconds: validTo == null ? undefined : (Date.parse(validTo) - Date.now()) / 1_000,
    diskFreeBytes: await freeBytes(site.paths.home),
    process: {
      rssBytes: process.memoryUsage.rss(),
      cpuSeconds: (user + system) / 1e6,
      startSeconds: Date.now() / 1_000 - process.uptime()
    }
  }
}

/** That an ordinary user may still fill; undefined where the system does not say. */
export async function freeBytes (folder: string): Promise<number | undefined> {
  const space = await statfs(folder).catch(() => undefined)
  return space == null ? undefined : space.bavail * space.bsize
}
