import { writeJson } from '../home/files.ts'
import { finalSteps, imagesSeen } from '../rounds/participation.ts'
import type { TrainerReady } from '../rounds/trainer-messages.ts'
import { fitOnceMore } from './fit-once-more.ts'
import type { JoinedPeers } from './join-peers.ts'
import type { AdapterState, Site } from './site.ts'
import type { Summary } from './summary.ts'
import type { TrainerProcess } from './trainer-process.ts'

interface Finishing {
  readonly state: AdapterState
  readonly trainer: TrainerProcess
  readonly ready: TrainerReady
  readonly joined: JoinedPeers | undefined
  readonly eventLoopP99Ms: () => number
  readonly signal: AbortSignal
}

/** After the cool-down: the experts are fitted once more, and what the site did is summed up and kept. */
export async function finish (site: Site, { state, trainer, ready, joined, eventLoopP99Ms, signal }: Finishing): Promise<Summary> {
  const { averager, checkpoint } = state
  const { record, federation, paths, notices } = site
  record.enter('done')
  await joined?.announcer.stop()
  await checkpoint.settled()
  await checkpoint.save()
  const scores = await fitOnceMore(site, trainer, averager.shared(), signal)
  Object.assign(record, scores)
  const summary: Summary = {
    name: site.name,
    ...(record.reads ? { reads: true } : {}),
    peerId: site.peerId,
    federation: federation.id,
    rounds: site.metrics.finishedRounds,
    images: ready.images,
    validationImages: ready.validationImages,
    engine: ready.engine,
    provider: ready.provider,
    engineReason: ready.engineReason,
    imagesSeen: imagesSeen(averager.steps, ready.images, federation.document.training),
    steps: finalSteps(averager.steps),
    pace: record.pace,
    exchanges: record.exchanges,
    inDoubt: averager.inDoubt,
    exchangesByRound: record.exchangesByRound,
    bytesSent: record.bytesSent,
    bytesReceived: record.bytesReceived,
    ...scores,
    eventLoopP99Ms: eventLoopP99Ms(),
    refusedHandshakes: joined?.network.refusedHandshakes ?? 0,
    warnings: notices.list
  }
  await writeJson(paths.summary, summary)
  site.logger.info({ ...scores, exchanges: record.exchanges }, 'done')
  return summary
}
