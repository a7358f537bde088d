import { Adapter } from '../../src/adapter/adapter.ts'
import type { Fitted } from '../../src/dataset/index.ts'
import { siteSeed } from '../../src/experiment/run-method.ts'
import { blockNoise, CodecChoice } from '../../src/gossip-aggregation/codecs/codec-choice.ts'
import { chunksOf, coderOf } from '../../src/gossip-aggregation/codecs/codec.ts'
import type { Learner } from '../../src/model/train/learner.ts'
import { hiding } from '../../src/privacy/clip-and-noise.ts'
import type { Mechanism } from '../../src/privacy/mechanism.ts'
import { norm } from './directions.ts'

/** What a member sees of the victim in a round, and from where all began it. */
export interface Sight {
  readonly from: Float32Array
  readonly seen: Float32Array
}

export function changeOf ({ from, seen }: Sight): Float32Array {
  return seen.map((value, i) => value - from[i]!)
}

export interface Watched {
  readonly learner: Learner
  readonly promise: Mechanism | undefined
  /** Images of the victim, then of the other honest members of its group, if it has one. */
  readonly sites: readonly (readonly Fitted[])[]
  readonly rounds: number
  /** Part of a round's steps that is trained. */
  readonly share?: number
  readonly seed: number
}

/**
 * A training as the attacker sees it, a member that learns nothing itself: everybody starts each round from the same vector, which it
 * knows, and nobody else blurs what it receives. Of a group it sees the mean of the honest changes, its own taken off.
 */
export async function watch ({ learner, promise, sites, rounds, share = 1, seed }: Watched): Promise<{ sights: Sight[], shared: Adapter }> {
  const hide = promise?.unit === 'site' ? hiding(promise) : undefined
  const codecs = new CodecChoice('auto')
  const sights: Sight[] = []
  let from = learner.initialAdapter().values
  for (let round = 1; round <= rounds; round++) {
    const changes: Float32Array[] = []
    for (const [site, samples] of sites.entries()) {
      const adapter = new Adapter(learner.schema, from)
      const { adapter: { values } } = await learner.train('G', { adapter, samples, round, share, siteSeed: siteSeed(seed, site) })
      const change = values.map((value, i) => value - from[i]!)
      changes.push(hide?.(change) ?? change)
    }
    const sum = from.map((_, i) => changes.reduce((total, change) => total + change[i]!, 0))
    const honest = from.map((value, i) => value + sum[i]! / sites.length)
    sights.push({ from, seen: sites.length > 1 ? honest : received(honest, from, codecs) })
    from = from.map((value, i) => value + sum[i]! / (sites.length + 1))
  }
  return { sights, shared: new Adapter(learner.schema, from) }
}

/** What the codec that two sites settle on leaves of a vector. */
function received (values: Float32Array, before: Float32Array, codecs: CodecChoice): Float32Array {
  const distance = norm(changeOf({ from: before, seen: values }))
  codecs.moved(distance)
  const codec = codecs.want()
  const decoded = values.slice()
  for (const { begin, end } of chunksOf(decoded.length, codec)) coderOf(codec).encode(decoded.subarray(begin, end))
  codecs.observed(distance, blockNoise(decoded))
  return decoded
}
