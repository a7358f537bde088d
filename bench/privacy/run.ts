import { mean } from '../../src/common/mean.ts'
import type { Engine } from '../../src/compute/index.ts'
import type { DataFolder } from '../../src/experiment/data-source.ts'
import { settingsOf, type Job } from '../../src/experiment/jobs.ts'
import { openBase } from '../../src/experiment/run-job.ts'
import { createSharedLearner, promiseOf } from '../../src/experiment/run-method.ts'
import { dataOf } from '../pfedsam/presets.ts'
import { loadSites, type DataName } from '../pfedsam/sites.ts'
import { sitesOf, type Attack, type Sites } from './attack-site.ts'
import { AttackerSteps } from './attacker-steps.ts'
import { advantageBound, settingsUnder, type Defence } from './defences.ts'
import { attackImages, yardsticks, type Yardsticks } from './inversion-attack.ts'
import { attackMembership, type Trained } from './membership-attack.ts'
import { judge } from './membership.ts'
import type { Preset } from './presets.ts'
import { cellsOf, type Attacked, type Row } from './rows.ts'

export interface Bench {
  readonly engine: Engine
  readonly preset: Preset
  readonly data: DataName | DataFolder
  readonly defences: readonly Defence[]
  readonly say: (line: string) => void
}

/** By seed. */
type Drawn = Map<number, Sites>

/** Without a personal teacher what is exchanged does not depend on its experts. */
const METHOD = 'pfedsam-gossip'

/** All defences against both attacks on one data set; the first stands for none. */
export async function attackAll (bench: Bench): Promise<Attacked> {
  const { data } = dataOf(bench.data)
  const rows: Row[] = []
  const drawn: Drawn = new Map()
  let sticks: Yardsticks | undefined
  for (const defence of bench.defences) {
    const attack = await prepared(bench, defence, drawn)
    const [seed] = bench.preset.seeds
    sticks ??= await yardsticks(attack, seed!)
    rows.push(await rowOf(attack, defence))
    await Promise.all([attack.learner.dispose(), attack.steps.dispose()])
    bench.say(`${data}, ${cellsOf(rows.at(-1)!).join(', ')}`)
  }
  return { data, rows, ...sticks! }
}

async function prepared ({ engine, preset, data }: Bench, defence: Defence, drawn: Drawn): Promise<Attack> {
  const base = await openBase()
  const { rounds, pool: train, validation, stepsPerRound } = preset
  const job: Job = {
    ...dataOf(data),
    method: METHOD,
    seed: 1,
    rounds,
    train,
    validation,
    scoreEvery: rounds,
    settings: settingsUnder(defence, stepsPerRound)
  }
  const settings = settingsOf(job, base.config)
  const init = { engine, base, settings }
  return {
    ...preset,
    learner: createSharedLearner(init),
    promise: promiseOf(settings),
    steps: new AttackerSteps(init),
    pixels: settings.model.pixels,
    together: (defence.group ?? 2) - 1,
    sites: async (seed) => {
      const known = drawn.get(seed) ?? sitesOf(await loadSites({ ...job, name: job.data, seed, settings }, base.config.imageSize))
      drawn.set(seed, known)
      return known
    }
  }
}

async function rowOf (attack: Attack, { name, title, privacy }: Defence): Promise<Row> {
  const { seeds, promise } = attack
  const worlds: Trained[] = []
  for (const seed of seeds) worlds.push(await attackMembership(attack, seed))
  return {
    defence: name,
    title,
    bound: advantageBound(privacy),
    noise: promise?.noise ?? 0,
    dice: mean(worlds.map(({ dice }) => dice)),
    inversion: await attackImages(attack, seeds[0]!),
    ...judge(worlds, seeds[0]!)
  }
}
