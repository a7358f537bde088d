import { cp, mkdir } from 'node:fs/promises'
import pMap from 'p-map'
import { mean } from '../../../src/common/mean.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import type { Evaluation } from '../../../src/site-model/evaluate-site.ts'
import type { Children } from '../hospitals/children.ts'
import { joinFederation, type FederationFiles } from '../hospitals/federation.ts'
import type { Hospital } from '../hospitals/hospitals.ts'
import type { CrossSite } from './report.ts'

export const EVALUATIONS_AT_ONCE = 2

/** Homes of the same federation, hence the same start and budget, that will train without the network. */
export async function prepareAlone (
  children: Children,
  hospitals: readonly Hospital[],
  files: FederationFiles,
  folder: string
): Promise<Hospital[]> {
  const alone = hospitals.map((hospital) => {
    const home = `${folder}/${hospital.name}`
    return { ...hospital, home, log: `${home}.log` }
  })
  await mkdir(folder, { recursive: true })
  await Promise.all(alone.map(async ({ home }, index) => {
    const from = sitePaths(hospitals[index]!.home)
    const to = sitePaths(home)
    await mkdir(home, { recursive: true })
    // The same key: batches and augmentation follow from it, so that only the averaging differs.
    const parts = ['version', 'identity', ...(from.home === files.home ? ['federation', 'networkKey'] as const : [])] as const
    for (const part of parts) await cp(from[part], to[part])
  }))
  // A founder is in the federation already, and cannot invite itself.
  await joinFederation(children, alone.filter((_, index) => hospitals[index]!.home !== files.home), files, [])
  return alone
}

export interface CrossSiteInput {
  readonly children: Children
  /** Hospitals of the federation that finished, and the same ones trained alone. */
  readonly together: readonly Hospital[]
  readonly alone: readonly Hospital[]
  readonly onDone?: (done: number, total: number) => void
}

/** Mean Dice of site i's model on site j's validation images over all i ≠ j with different images, by the command a user types. */
export async function measureCrossSite ({ children, together, alone, onDone }: CrossSiteInput): Promise<CrossSite | null> {
  const jobs = [
    ...pairs(together).map((pair) => ({ ...pair, mode: 'global' as const })),
    ...pairs(alone).map((pair) => ({ ...pair, mode: 'personal' as const }))
  ]
  if (jobs.length === 0) return null
  let done = 0
  const dice = await pMap(jobs, async ({ home, data, mode }) => {
    const evaluation = await children.cliJson<Evaluation>(['evaluate', '--home', home, '--data', data], { env: { CONSILIUM_THREADS: '1' } })
    onDone?.(++done, jobs.length)
    return { mode, dice: evaluation[mode].dice }
  }, { concurrency: EVALUATIONS_AT_ONCE })
  const meanOf = (mode: 'global' | 'personal'): number => mean(dice.filter((each) => each.mode === mode).map((each) => each.dice))
  return { local: meanOf('personal'), global: meanOf('global') }
}

function pairs (hospitals: readonly Hospital[]): { home: string, data: string }[] {
  return hospitals.flatMap(({ home, from }) =>
    hospitals.filter((other) => other.from !== from).map((other) => ({ home, data: other.data }))
  )
}
