import { createSchema } from '../../src/adapter/schema.ts'
import { mean } from '../../src/common/mean.ts'
import { normal, seededRandom, type Random } from '../../src/common/random.ts'
import { Averager } from '../../src/gossip-aggregation/averager.ts'
import { relativeDistance } from '../../src/gossip-aggregation/consensus.ts'
import { defaultAveraging } from '../../src/settings/averaging.ts'
import { VirtualClock } from '../../src/simulation/virtual-clock.ts'
import { VirtualNetwork } from '../../src/simulation/virtual-network.ts'
import { TrainingSite, type Federation } from './training-site.ts'

/** Sites that train, each at its own pace. */
export interface RoundsOptions {
  readonly sites: number
  readonly rounds: number
  readonly seed: number
  /** How many times slower the first site is. */
  readonly slow: number
}

export interface RoundsResult {
  /** Of vectors, per round and number of the vector (one f32 vector has 4): the mean, the busiest site, the first to finish. */
  readonly bytes: number
  readonly busiest: number
  readonly first: number
  readonly exchangesPerRound: number
  /** Fewest exchanges of a site in a round. */
  readonly fewest: number
  /** Relative consensus distance: geometric mean over the rounds, after the last one, and at the end. */
  readonly spread: number
  readonly last: number
  readonly end: number
}

const DIM = 2_048
const DELAY_MS = 15
const STREAM = { vectors: 0, network: 1, pace: 2 } as const
const COOL_DOWN_SECONDS = 120
const STEP_MS = 1_000

/** Runs a virtual federation in real rounds, on the daemon's own loop and cool-down; same options, same result. */
export async function measureRounds (options: RoundsOptions): Promise<RoundsResult> {
  const { sites: count, rounds, seed, slow } = options
  const clock = new VirtualClock()
  const draw = seededRandom(seed, STREAM.vectors)
  const federation: Federation = {
    clock,
    network: new VirtualNetwork({ clock, random: seededRandom(seed, STREAM.network), loss: 0, delay: DELAY_MS }),
    // A slow site is not to catch up: what is looked at is the traffic of those that wait for it.
    averaging: { ...defaultAveraging({ coolDownSeconds: COOL_DOWN_SECONDS }), staleness: rounds },
    schema: createSchema({ model: 'virtual', baseHash: '0'.repeat(64), tensors: [{ name: 'x', shape: [DIM], role: 'lora' }] }),
    initial: normalVector(draw).map((each) => each / 10),
    common: normalVector(draw),
    rounds,
    seed,
    draw,
    pace: seededRandom(seed, STREAM.pace),
    sites: []
  }
  for (let index = 0; index < count; index++) {
    const { schema, initial, averaging } = federation
    const averager = new Averager({ schema, values: initial.slice(), round: 0, mass: index === 1 ? 29 : 32, settings: averaging })
    federation.sites.push(new TrainingSite(federation, { index, averager, own: normalVector(draw), slowness: index === 0 ? slow : 1 }))
  }
  for (const site of federation.sites) site.meet()
  const all = Promise.all(federation.sites.map(async (site) => { await site.run() }))
  const state = { isOver: false }
  const over = all.finally(() => { state.isOver = true })
  over.catch(() => {})
  while (!state.isOver) await clock.run(clock.now() + STEP_MS)
  await over
  return resultOf(federation)
}

function resultOf ({ sites, rounds, initial }: Federation): RoundsResult {
  const bytes = sites.map(({ bytesSent }) => bytesSent / rounds / DIM)
  const spreads = Array.from({ length: rounds }, (_, round) => relativeDistance(sites.map(({ saved }) => saved[round]!), initial))
  const first = sites.reduce((one, other) => other.finishedAt < one.finishedAt ? other : one)
  return {
    bytes: mean(bytes),
    busiest: Math.max(...bytes),
    first: bytes[first.index]!,
    exchangesPerRound: mean(sites.flatMap(({ counts }) => counts)),
    fewest: Math.min(...sites.flatMap(({ counts }) => counts)),
    spread: Math.exp(mean(spreads.map(Math.log))),
    last: spreads.at(-1)!,
    end: relativeDistance(sites.map(({ averager }) => averager.values), initial)
  }
}

function normalVector (draw: Random): Float32Array {
  return Float32Array.from({ length: DIM }, () => normal(draw))
}
