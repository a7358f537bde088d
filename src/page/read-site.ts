import { readTail } from '../audit/tail.ts'
import { readNewestFederation } from '../federation/amendments/amendments.ts'
import type { MemberView } from '../federation/membership/members-view.ts'
import { CorruptFileError } from '../errors.ts'
import { readLastStatus } from '../home/last-status.ts'
import { MetricsLog } from '../home/metrics-log.ts'
import { sitePaths } from '../home/paths.ts'
import { readPictures } from '../home/pictures.ts'
import type { SitePictures } from '../report/site-page.ts'
import type { PeerView, SiteStatus } from '../rounds/status.ts'
import type { Known } from './facts.ts'
import { minute } from './words.ts'

/** Asks the daemon of the home; each answers undefined where none does. */
export interface Asking {
  readonly status: () => Promise<SiteStatus | undefined>
  readonly peers: () => Promise<PeerView[] | undefined>
  /** Of the daemon, or of the files; this site's own line first. */
  readonly members: () => Promise<MemberView[]>
}

/** What is known of a site now: by its daemon where it runs, else by what its home holds. */
export async function readKnown (home: string, ask: Asking): Promise<Known> {
  const paths = sitePaths(home)
  const [status, peers] = await Promise.all([ask.status(), ask.peers()])
  const isRunning = status != null && peers != null
  const last = isRunning ? undefined : await readLastStatus<SiteStatus, PeerView>(paths.lastStatus)
  const { document } = await readNewestFederation(paths)
  return {
    federation: document.name,
    isRunning,
    at: isRunning ? new Date().toISOString() : last?.at,
    status: isRunning ? status : last?.status,
    peers: isRunning ? peers : last?.peers ?? [],
    members: await ask.members(),
    records: (await MetricsLog.open(paths.metrics)).records,
    // That it cannot be read is a warning of the daemon; the rest is shown all the same.
    ledger: await readTail(paths.audit).catch(() => ({ entries: [], exchanged: new Map<string, number>() }))
  }
}

const NONE = 'There are no pictures yet: a site that trains keeps some at the end of each round, unless its setting “pictures” is 0.'
const DAMAGED = 'The pictures of the last round are damaged; the next round makes new ones.'

/** What the trainer left in `private/`. */
export async function readSitePictures (home: string): Promise<SitePictures | { readonly problem: string }> {
  try {
    const paths = sitePaths(home)
    const found = await readPictures(paths.privateStore)
    if (found == null || found.shots.length === 0) return { problem: NONE }
    const { rounds } = (await readNewestFederation(paths)).document.training
    // The models are fitted and scored once more after the last one.
    return { when: `after ${found.round > rounds ? 'all rounds' : `round ${found.round}`} (${minute(found.t)})`, shots: found.shots }
  } catch (error) {
    if (error instanceof CorruptFileError) return { problem: DAMAGED }
    throw error
  }
}
