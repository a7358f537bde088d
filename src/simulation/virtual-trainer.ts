import type { Facts } from '../gossip-aggregation/facts.ts'
import type { TrainerCalls, TrainWork } from '../rounds/trainer-messages.ts'
import { LEAST_SHARE, STEPS_PER_ROUND } from '../settings/training.ts'
import { normalNumbers } from '../common/normal-numbers.ts'
import { CYCLE_MS, LEARNING } from './options.ts'
import type { VirtualClock } from './virtual-clock.ts'

export interface Learning {
  /** Of phase G. */
  readonly steps: number
  /** Standard normal numbers of the site's own. */
  readonly normal: () => number
  readonly round: number
  /** By what is announced, where the method asks it. */
  readonly masses?: TrainWork['masses']
}

/** What an adapter becomes by it. */
export type Learn = (adapter: Float32Array, how: Learning) => Float32Array | Promise<Float32Array>

interface TrainerInit {
  readonly clock: VirtualClock
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Times as long as others need for a step. */
  readonly slowness: number
  /** What a phase that changes the adapter adds to it. */
  readonly onTrained: (delta: Float32Array) => void
  /** What so many steps of phase G make of an adapter; noise where nothing is to be learnt. */
  readonly learn?: Learn | undefined
  /** What the site may announce of the adapter that a phase G begins with. */
  readonly facts?: ((adapter: Float32Array) => Facts) | undefined
}

/** A round of training takes a cycle at a site that is not slow, since both phases have these steps. */
const STEP_MS = CYCLE_MS / 2 / STEPS_PER_ROUND
/** Phases of the same length take up to this much more or less time. */
const JITTER = 0.1
const NO_DICE = { frozen: 0, global: 0, personal: 0 }

/** Takes the time that a trainer takes, step by step, and learns noise. Scoring takes none. */
export class VirtualTrainer {
  readonly #init: TrainerInit
  readonly #normal: () => number
  #shorten: () => void = () => {}

  constructor (init: TrainerInit) {
    this.#init = init
    this.#normal = normalNumbers(init.random)
  }

  /** The phase under way ends with the least of its steps. */
  shorten (): void {
    this.#shorten()
  }

  async call<N extends 'train' | 'score'> (name: N, request: TrainerCalls[N]['request']): Promise<TrainerCalls[N]['reply']> {
    // The union is told apart by the name, which TypeScript does not follow.
    return (name === 'train' ? await this.#train(request as TrainWork) : { dice: NO_DICE }) as TrainerCalls[N]['reply']
  }

  async #train ({ phase, adapter, share, round, masses }: TrainWork): Promise<TrainerCalls['train']['reply']> {
    const { clock, random, slowness, onTrained, learn = noise } = this.#init
    const [most, least] = [stepsOf(share), stepsOf(LEAST_SHARE)]
    const stepMs = STEP_MS * slowness * (1 + JITTER * (2 * random() - 1))
    const began = clock.now()
    const shortened = Promise.withResolvers<void>()
    this.#shorten = shortened.resolve
    await Promise.race([clock.sleep(most * stepMs), shortened.promise])
    // What was asked in the middle of a step comes after it.
    const steps = Math.min(most, Math.max(least, Math.ceil((clock.now() - began) / stepMs)))
    await clock.sleep(began + steps * stepMs - clock.now())
    if (phase === 'L') return { loss: 0, steps }
    const after = await learn(adapter, { steps, normal: this.#normal, round, masses })
    onTrained(after.map((value, index) => value - adapter[index]!))
    const facts = this.#init.facts?.(adapter)
    return { adapter: after, loss: 0, steps, ...(facts == null ? {} : { facts }) }
  }
}

function noise (adapter: Float32Array, { steps, normal }: Learning): Float32Array {
  const size = LEARNING * Math.sqrt(steps)
  return adapter.map((value) => value + size * normal())
}

function stepsOf (share: number): number {
  return Math.max(1, Math.ceil(share * STEPS_PER_ROUND))
}
