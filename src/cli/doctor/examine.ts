import { availableParallelism, totalmem } from 'node:os'
import { createEngine, inspectEngines, measureSpeed, type EnginesView } from '../../compute/index.ts'
import type { ComputeSettings } from '../../settings/site/compute.ts'
import { engineOptions } from '../../site-model/engine-options.ts'
import { advise, findHardware } from './advice.ts'
import { checkMachine, type Check } from './checks.ts'
import { checkSite, type SiteFacts } from './site-checks.ts'

/** What `consilium doctor` prints. */
export interface Examination extends EnginesView {
  /** GFLOP/s of the chosen engine over one second; null where none can be chosen. */
  readonly gflops: number | null
  readonly cores: number
  readonly memory: { readonly totalBytes: number, readonly availableBytes: number }
  readonly node: string
  readonly checks: readonly Check[]
  /** What to do for more speed. */
  readonly advice: readonly string[]
}

/** Looks at engines and machine; computes for one second. */
export async function examine (home: string, settings: ComputeSettings & SiteFacts['config']): Promise<Examination> {
  const view = await inspectEngines(engineOptions(settings))
  const availableBytes = process.availableMemory()
  return {
    ...view,
    gflops: await speed(view, settings),
    cores: availableParallelism(),
    memory: { totalBytes: totalmem(), availableBytes },
    node: process.versions.node,
    checks: [
      ...await checkMachine({ home, now: Date.now(), nodeVersion: process.versions.node }),
      ...await checkSite({ home, config: settings, now: Date.now() })
    ],
    advice: advise(view, findHardware(), availableBytes)
  }
}

async function speed ({ chosen }: EnginesView, settings: ComputeSettings): Promise<number | null> {
  if (typeof chosen === 'string') return null
  const engine = await createEngine({
    ...engineOptions(settings),
    name: chosen.name,
    provider: chosen.name === 'onnx' ? chosen.provider : 'auto'
  })
  try {
    return await measureSpeed(engine)
  } finally {
    await engine.dispose()
  }
}
