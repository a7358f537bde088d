import { mean } from '../../common/mean.ts'
import { type Random, shuffled } from '../../common/random.ts'
import type { CompiledStep, HostRecord } from '../../compute/index.ts'
import { augment, type Fitted } from '../../dataset/index.ts'
import { clipped } from '../../privacy/clip-and-noise.ts'
import type { Mechanism } from '../../privacy/mechanism.ts'
import { secretNormal, secretRandom } from '../../privacy/secret-noise.ts'
import { breathe, floats, vector } from './host-records.ts'
import type { PhaseRun, Trained } from './run-phase.ts'

/** Loss and gradient of one image, and an optimiser step with a gradient that is given. */
export interface PrivateSteps {
  readonly gradient: CompiledStep
  readonly update: CompiledStep
}

export interface PrivateRun extends Pick<PhaseRun, 'length' | 'start' | 'fixed' | 'feeds' | 'inputs' | 'onProgress' | 'signal'> {
  readonly steps: PrivateSteps
  readonly mechanism: Mechanism
  readonly samples: readonly Fitted[]
  readonly augment: boolean
  /** Other than from the system's randomness only in tests. */
  readonly secret?: { readonly random: Random, readonly normal: () => number }
}

type Point = Pick<Trained, 'value'> & { readonly step: number }

/**
 * Phase G by DP-SGD (docs/privacy.md#one-patient): each step takes every patient with probability `rate`, shortens the mean gradient of
 * its images to `clip`, and adds noise to the sum. What leaves of a patient is bounded whatever its images are.
 */
export async function runPrivatePhase (
  run: PrivateRun
): Promise<{ readonly trained: Trained, readonly loss: number, readonly steps: number }> {
  const { mechanism: { rate, noise, clip }, length: { most, least, isEnough }, secret } = run
  const { random, normal } = secret ?? { random: secretRandom(), normal: secretNormal() }
  const patients = bySubject(run.samples)
  const losses: number[] = []
  let state = run.start
  let step = 0
  while (step < most && !(step >= Math.max(1, least) && isEnough?.() === true)) {
    run.signal?.throwIfAborted()
    step++
    const chosen = patients.filter(() => random() < rate)
    const sum = await summedGradients(run, chosen, { value: state.value, step }, random, losses)
    const gradient = Float32Array.from(sum, (value) => (value + noise * clip * normal()) / (rate * patients.length))
    const outputs = await run.steps.update.run({
      ...optimiserOf(run, { value: state.value, step }),
      '@first': vector(state.first),
      '@second': vector(state.second),
      '@gradient': vector(gradient)
    })
    state = { value: floats(outputs, 'value'), first: floats(outputs, 'first'), second: floats(outputs, 'second') }
    run.onProgress?.({ step, steps: most })
    await breathe()
  }
  return { trained: state, loss: mean(losses), steps: step }
}

function optimiserOf ({ fixed, inputs }: PrivateRun, { value, step }: Point): HostRecord {
  const { '@rate': rate, '@decay': decay } = fixed
  const { '@gamma': gamma, '@scalars': scalars, '@rate': inTurn = rate } = inputs(step, value)
  return { '@gamma': gamma!, '@scalars': scalars!, '@rate': inTurn!, '@decay': decay! }
}

/** Σ over patients of what is left of their gradient after clipping. */
export async function summedGradients (
  run: Pick<PrivateRun, 'steps' | 'mechanism' | 'augment' | 'fixed' | 'feeds' | 'inputs'>,
  patients: readonly (readonly Fitted[])[],
  { value, step }: Point,
  random: Random,
  losses: number[] = []
): Promise<Float64Array> {
  const sum = new Float64Array(value.length)
  const { '@rate': _rate, '@decay': _decay, ...fixed } = run.fixed
  const { '@scalars': _scalars, '@rate': _now, ...inputs } = run.inputs(step, value)
  for (const slices of patients) {
    const chosen = shuffled(slices, random).slice(0, run.mechanism.slices)
    const own = new Float64Array(value.length)
    for (const slice of chosen) {
      const feeds = await run.feeds([run.augment ? augment(slice, random) : slice], random, step)
      const outputs = await run.steps.gradient.run({ ...fixed, ...feeds, ...inputs })
      losses.push(outputs['loss']!.data[0]!)
      floats(outputs, 'gradient').forEach((each, i) => { own[i]! += each / chosen.length })
    }
    clipped(own, run.mechanism.clip).forEach((each, i) => { sum[i]! += each })
  }
  return sum
}

/** A patient's images together. */
function bySubject (samples: readonly Fitted[]): (readonly Fitted[])[] {
  return [...Map.groupBy(samples, ({ subject }) => {
    if (subject == null) throw new TypeError('privacy of patients needs to know whose an image is')
    return subject
  }).values()]
}
