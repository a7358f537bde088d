import { createEngine } from '../../src/compute/index.ts'
import { methodOf, settingsOf, type Job } from '../../src/experiment/jobs.ts'
import { openBase } from '../../src/experiment/run-job.ts'
import { createSharedLearner, runMethod } from '../../src/experiment/run-method.ts'
import { loadSites } from '../pfedsam/sites.ts'
import { globalDigest, privateDigest } from './hash.ts'

interface SiteDigests {
  readonly adapter: string
  readonly experts: string
  readonly bytesSent: number
}

const SITES = 2
/** Steps of a round are an epoch of the four images, which is what rounds were when the digests were made. */
const SETTINGS = { training: { stepsPerRound: 2 } }
const SIZES = { seed: 1, rounds: 2, train: 4, validation: 1, scoreEvery: 2 } as const

/** Two sites, two rounds, one seed: the adapter and the experts that every site ends with, and the mean Dice on the way. */
export async function methodDigests (
  name: string,
  data: Job['data']
): Promise<{ readonly sites: readonly SiteDigests[], readonly dice: readonly (readonly number[])[] }> {
  const job: Job = { data, method: name, ...SIZES, settings: SETTINGS }
  const base = await openBase()
  const sites = (await loadSites({ name: data, ...SIZES }, base.config.imageSize)).slice(0, SITES)
  const settings = settingsOf(job, base.config)
  const engine = await createEngine({ name: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' })
  try {
    const learner = createSharedLearner({ engine, base, settings })
    const { models, curve, bytesSent } = await runMethod({ learner, method: methodOf(job), sites, settings })
    const digests = models.map(({ adapter, experts }, index) => ({
      adapter: globalDigest(adapter, experts),
      experts: privateDigest(experts),
      bytesSent: bytesSent[index] ?? 0
    }))
    await learner.dispose()
    return { sites: digests, dice: curve.map(({ dice }) => dice) }
  } finally {
    await engine.dispose()
  }
}
