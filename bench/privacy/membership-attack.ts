import { seededRandom, shuffled } from '../../src/common/random.ts'
import type { Fitted } from '../../src/dataset/index.ts'
import type { Attack } from './attack-site.ts'
import { cosine } from './directions.ts'
import type { World } from './membership.ts'
import { changeOf, watch, type Sight } from './watched-site.ts'

/** A world, and how good the shared model is in it. */
export interface Trained extends World { readonly dice: number }

const STREAM = { order: 11, coins: 12 } as const
/** Rounds, the last ones, whose changes are compared with candidates' gradients. */
const COMPARED = 4

/** One training in which each candidate takes part by the throw of a coin, with the attacker's scores of all of them. */
export async function attackMembership (attack: Attack, seed: number): Promise<Trained> {
  const { learner, promise, rounds, pool, together } = attack
  const { victim, others } = await attack.sites(seed)
  const candidates = shuffled(victim.train, seededRandom(seed, STREAM.order)).slice(0, pool)
  const members = chosen(candidates.length, seed)
  const sites = [candidates.filter((_, i) => members[i]), ...others].slice(0, together)
  const { sights, shared } = await watch({ learner, promise, sites, rounds, seed })
  const { dice } = await learner.evaluate({ adapter: shared, samples: victim.validation, mode: 'global' })
  return { members, scores: await scoresOf(attack, sights, candidates), dice }
}

/** Anew where all or none would be members. */
function chosen (count: number, seed: number): boolean[] {
  const random = seededRandom(seed, STREAM.coins)
  for (;;) {
    const members = Array.from({ length: count }, () => random() < 0.5)
    if (members.includes(true) && members.includes(false)) return members
  }
}

/**
 * Three ways to tell: a low loss under what was seen last, a loss that fell far since the start, and changes that point where the
 * candidate's own gradient points. What is not a number says nothing.
 */
async function scoresOf ({ steps }: Attack, sights: readonly Sight[], candidates: readonly Fitted[]): Promise<World['scores']> {
  const scores = { loss: [] as number[], fall: [] as number[], alignment: [] as number[] }
  const last = sights.slice(-COMPARED).map((sight) => ({ from: sight.from, change: changeOf(sight) }))
  for (const candidate of candidates) {
    const fed = steps.fed(candidate)
    const [before, after] = [await steps.byAdapter(sights[0]!.from, fed), await steps.byAdapter(sights.at(-1)!.seen, fed)]
    let alignment = 0
    for (const { from, change } of last) alignment -= cosine((await steps.byAdapter(from, fed)).gradient, change)
    scores.loss.push(orNothing(-after.loss))
    scores.fall.push(orNothing(before.loss - after.loss))
    scores.alignment.push(orNothing(alignment))
  }
  return scores
}

function orNothing (value: number): number {
  return Number.isFinite(value) ? value : 0
}
