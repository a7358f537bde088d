import { mixedOf, mixtureOf, type MixedParts, type MixSettings, type MixState } from '../parameters/element-mix.ts'

/** Loss, and its gradient by all numbers of an adapter that the site would train from. */
export interface Slope {
  readonly loss: number
  readonly gradient: Float32Array
}

export interface MixLearning {
  readonly settings: MixSettings
  readonly parts: MixedParts
  readonly state: MixState
  /** The shared adapter, flat. */
  readonly shared: Float32Array
  /** At an adapter, on the next of its batches. */
  readonly slopeAt: (adapter: Float32Array) => Promise<Slope>
  /** Of the steps, so many; above 0 to 1. */
  readonly share: number
  readonly isEnough?: (() => boolean) | undefined
}

/** The first time it may take so many times as many steps, and ends by the deviation of so many losses. */
const FIRST = 5
const LOSSES = 10

/**
 * What the site takes of each number, learnt from where it stands: W ← clip(W − η·∂L/∂θ̂·(x − θ)), θ̂ the mixture
 * (docs/spec/weak.md#element-mix). Nothing is learnt where the average is the site's own.
 */
export async function learnTaken ({ settings, parts, share, ...learning }: MixLearning): Promise<Float32Array> {
  const { state: { own, learnt, ...state }, shared, slopeAt, isEnough } = learning
  const away = mixedOf(shared, parts).map((each, i) => each - own[i]!)
  if (away.every((each) => each === 0)) return state.taken
  const most = Math.max(1, Math.ceil(share * settings.steps * (learnt === 0 ? FIRST : 1)))
  const losses: number[] = []
  let { taken } = state
  while (losses.length < most && isEnough?.() !== true) {
    const { loss, gradient } = await slopeAt(mixtureOf({ own, taken }, shared, parts))
    const slopes = mixedOf(gradient, parts)
    taken = taken.map((each, i) => Math.min(1, Math.max(0, each - settings.eta * slopes[i]! * away[i]!)))
    losses.push(loss)
    if (learnt === 0 && losses.length >= LOSSES && deviation(losses.slice(-LOSSES)) < settings.tolerance) break
  }
  return taken
}

function deviation (values: readonly number[]): number {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length
  return Math.sqrt(values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / values.length)
}
