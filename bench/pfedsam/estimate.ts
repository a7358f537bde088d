import { methodOf, type Job } from '../../src/experiment/jobs.ts'
import type { Method } from '../../src/experiment/methods.ts'
import type { RunRecord } from '../../src/experiment/run-job.ts'
import { presetOf } from '../../src/settings/methods/index.ts'
import { STEPS_PER_ROUND } from '../../src/settings/training.ts'
import { siteCount } from './sites.ts'

/** Milliseconds on one core of the machine that this bench was written on (AVX-512), one thread; a run says how this machine compares. */
const STEP_MS = { G: 26, L: 20 } as const
const SCORE_MS = 14
const SITE_MS = 700
const RUN_MS = 5_000
const BATCH = 2
const VALIDATION_SHARE = 0.2
/** Bundled slices per hospital, about. */
const COLIN = { train: 30, validation: 8 }

/** Seconds that a run takes on one core. */
export function estimateSeconds (job: Job): number {
  const method = methodOf(job)
  const sites = siteCount(job.data, job.folder) - (job.leftOut == null ? 0 : 1)
  const { train, validation } = sizesOf(job)
  const steps = job.folder == null ? Math.ceil(train / BATCH) : STEPS_PER_ROUND
  const scores = (method.mixing === 'nothing' ? 1 : Math.ceil(job.rounds / job.scoreEvery) + 2) +
    crossScoresOf(job, method, sites)
  const round = method.mixing === 'nothing'
    ? 0
    : steps * (hasExperts(method) ? STEP_MS.G + STEP_MS.L : 2 * STEP_MS.G) * (method.cost ?? 1)
  return (RUN_MS + sites * (SITE_MS + job.rounds * round + scores * validation * SCORE_MS)) / 1_000
}

/** Times that a site's images are scored by the models of all sites; one model stands for all where they are equal. */
function crossScoresOf ({ cross, leftOut }: Job, { mixing, mode }: Method, sites: number): number {
  if (leftOut != null || (cross == null && mixing !== 'alone')) return 0
  return mixing === 'server' && mode === 'global' ? 1 : 2 * sites
}

/** Images per site. */
function sizesOf ({ data, folder, train, validation }: Job): { readonly train: number, readonly validation: number } {
  if (folder == null) return data === 'colin27' ? COLIN : { train, validation }
  const held = Math.ceil(VALIDATION_SHARE * folder.images)
  return { train: folder.images - held, validation: held }
}

function hasExperts ({ preset }: Method): boolean {
  return presetOf(preset).settings.model?.moe?.blocks?.length !== 0
}

/** How much longer than estimated runs took on this machine: the median over what is known, 1 without any. */
export function machineFactor (records: readonly RunRecord[]): number {
  const ratios = records.map(({ job, seconds }) => seconds / estimateSeconds(job)).sort((a, b) => a - b)
  return ratios[Math.floor(ratios.length / 2)] ?? 1
}

/** "1 h 5 min", "3 min", "40 s". */
export function duration (seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
