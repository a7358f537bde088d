import { turnsPerInitiation } from '../../src/gossip-aggregation/partner-choice.ts'
import type { AdapterState, Site } from '../../src/node/site.ts'
import type { TrainerProcess } from '../../src/node/trainer-process.ts'
import { Arrival } from '../../src/rounds/arrival.ts'
import { systemClock } from '../../src/rounds/clock.ts'
import { LabelVotes } from '../../src/rounds/label-votes.ts'
import { Pace } from '../../src/rounds/pace.ts'
import { roundPlan } from '../../src/rounds/plan.ts'
import { trainRound } from '../../src/rounds/training-round.ts'
import { VirtualClock } from '../../src/simulation/virtual-clock.ts'
import { VirtualNetwork } from '../../src/simulation/virtual-network.ts'
import type { VirtualSite } from '../../src/simulation/virtual-site.ts'

/** A site on its own files, with its trainer. */
export interface OrderedSite {
  readonly site: Site
  readonly state: AdapterState
  readonly trainer: TrainerProcess
}

/**
 * All train a round; when all are done with phase G, each in its turn asks the one after it, as often as the federation says for one of
 * two: the daemon's own rounds, with exchanges in a fixed order and without wires.
 */
export async function trainInOrder (
  running: readonly OrderedSite[],
  { from, to }: { readonly from: number, readonly to: number }
): Promise<void> {
  const { averaging, training } = running[0]!.site.federation.document
  const network = new VirtualNetwork({ clock: new VirtualClock(), random: () => 0.5, loss: 0, delay: 0 })
  const sites = running.map(virtualSite)
  const turnsPerRound = averaging.initiationsPerRound * turnsPerInitiation(averaging.partner)
  for (let round = from; round <= to; round++) {
    const meeting = meet(running.length, async () => {
      for (let turn = 0; turn < turnsPerRound * running.length / 2; turn++) {
        await network.exchange(sites[turn % sites.length]!, sites[(turn + 1) % sites.length]!)
      }
    })
    await Promise.all(running.map(async ({ site, state, trainer }) => {
      await trainRound({
        ...state,
        trainer,
        plan: roundPlan(site.federation.document),
        rounds: training.rounds,
        metrics: site.metrics,
        record: site.record,
        notices: site.notices,
        clock: systemClock,
        onPhase: () => {},
        others: {
          gossip: {
            initiate: async () => { await meeting(); return turnsPerRound },
            catchUp: () => Promise.resolve(undefined),
            trouble: undefined
          },
          peers: {
            medianRound: () => undefined,
            medianBelow: () => undefined,
            medianAhead: () => undefined,
            farAhead: () => [],
            onRound: () => () => {},
            finishedForMs: () => 0,
            believedInMs: () => 0,
            areHalfSlow: () => false,
            labelFits: () => new Map()
          },
          pace: new Pace(),
          arrival: new Arrival(site.notices),
          company: { beforeRound: async () => {}, ended: () => {} },
          labelVotes: new LabelVotes(site.peerId),
          distance: () => undefined,
          turnsPerRound,
          stayMs: 120_000,
          staleness: averaging.staleness,
          closeness: averaging.coolDown.distance
        }
      }, round, new AbortController().signal)
    }))
  }
}

/** Resolves for all when `count` have come and `work`, begun by the last, is done. */
function meet (count: number, work: () => Promise<void>): () => Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let missing = count
  return async () => {
    if (--missing === 0) work().then(resolve, reject)
    await promise
  }
}

/** They exchange by the state machine itself: nobody is away, nothing is lost. */
function virtualSite ({ site: { peerId: id }, state: { averager } }: OrderedSite): VirtualSite {
  return {
    index: 0,
    id,
    averager,
    gossip: { served: () => {} } as unknown as VirtualSite['gossip'],
    isLiar: false,
    isSlow: false,
    isAway: false,
    bytesSent: 0,
    sketch: undefined
  }
}
