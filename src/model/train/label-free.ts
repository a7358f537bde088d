import { Adapter } from '../../adapter/adapter.ts'
import type { Random } from '../../common/random.ts'
import type { CompiledStep, HostRecord } from '../../compute/index.ts'
import { augment, inOtherLight, toImages, type Fitted } from '../../dataset/index.ts'
import type { TrainPhase } from '../../settings/method.ts'
import { isLabelFree, pretrainingOf, type Pretraining } from '../../settings/pretraining.ts'
import { dualTeacherOf, LEAST_SHARE } from '../../settings/training.ts'
import { REPRESENTATION } from '../blocks/projection.ts'
import { spreadOf } from '../objectives/looks.ts'
import { driftedStart } from '../parameters/drift.ts'
import { mixedOf, type MixedParts } from '../parameters/element-mix.ts'
import type { ParameterGroup } from '../parameters/groups.ts'
import { perElement } from '../parameters/layout.ts'
import type { PrivateState } from '../parameters/private-state.ts'
import { EarlierLooks } from './earlier-looks.ts'
import { floats, vector } from './host-records.ts'
import { labelFreeGradient, labelFreeStep } from './label-free-step.ts'
import type { Landing } from './global-phase.ts'
import type { LearnerInit, PhaseArgs } from './learner-args.ts'
import { MovingMean } from './moving-mean.ts'
import { stepScalars } from './optimiser.ts'
import { isLabelled } from './paired-batches.ts'
import { makesUp, type PhasePlan } from './phase-plan.ts'
import { updateStep } from './phase-step.ts'
import { runPrivatePhase, type PrivateSteps } from './private-phase.ts'
import { runPhase, shareOf, type PhaseRun } from './run-phase.ts'
import type { Serving } from './served.ts'

/** What label-free rounds train; all else of Γ stays as it is. */
const TRAINED: ReadonlySet<string> = new Set(['encoder', 'projector', 'predictor'])
/** Images of the end of a round by which is said whether all of them look alike to the model. */
const SPREAD_OVER = 32

interface LabelFreeInit {
  readonly serving: Serving
  readonly plan: PhasePlan
  readonly groups: readonly ParameterGroup[]
  /** Of all of Γ, as training has them. */
  readonly rates: HostRecord
  readonly drift: MixedParts | undefined
}

/** The rounds of a learner that look at no label (docs/spec/label-free.md). */
export class LabelFree {
  readonly #init: LabelFreeInit
  readonly #settings: Pretraining
  readonly #rates: HostRecord
  readonly #start: HostRecord
  readonly #step: CompiledStep
  readonly #private: PrivateSteps | undefined

  private constructor (init: LabelFreeInit, settings: Pretraining) {
    const { serving: { init: { engine, privacy }, context, weights, global, initialKept }, groups, rates } = init
    this.#init = init
    this.#settings = settings
    const trained = new Set(groups.flatMap(({ name, parameters }) => TRAINED.has(name) ? parameters.map((each) => each.name) : []))
    const isTrained = perElement(global.layout, ({ name }) => Number(trained.has(name)))
    const rate = (rates['@rate']!.data as Float32Array).map((each, i) => each * isTrained[i]! * settings.rate)
    this.#rates = { ...rates, '@rate': vector(rate) }
    this.#start = settings.align === 0 ? {} : { '@start': vector(global.join(global.initialAdapter(), initialKept)) }
    this.#step = engine.compile(labelFreeStep(context, settings), weights)
    this.#private = privacy == null
      ? undefined
      : { gradient: engine.compile(labelFreeGradient(context, settings), weights), update: engine.compile(updateStep) }
  }

  /** Undefined where the method has no such rounds. */
  static of (init: LabelFreeInit): LabelFree | undefined {
    const settings = pretrainingOf(init.serving.init.method)
    return settings == null ? undefined : new LabelFree(init, settings)
  }

  /** Whether round `round`, from 1, is one. */
  has (round: number): boolean {
    return isLabelFree(this.#init.serving.init.method, round)
  }

  /** A phase of one of these rounds: what the shared adapter becomes by G, and what stays at the site; experts wait for labels. */
  async train (phase: TrainPhase, state: PrivateState, args: PhaseArgs): Promise<Landing> {
    if (phase === 'L') return { state, core: undefined, result: { adapter: args.adapter, loss: 0, steps: 0 } }
    const { serving: { global }, drift: parts } = this.#init
    const { adapter: { values: shared, schema } } = args
    const { values: start, scale } = parts == null
      ? { values: shared, scale: 0 }
      : driftedStart(state.drift, shared, { parts, stay: this.#settings.stay })
    const begun = start === shared ? args.adapter : new Adapter(schema, start)
    const { value, ...told } = await this.#run(global.join(begun, state.kept), args)
    const { adapter: { values: after }, kept } = global.part(value)
    // What training moved it by lands on the average.
    const landed = start === shared ? after : after.map((each, i) => start[i] === shared[i] ? each : shared[i]! + (each - start[i]!))
    const drift = parts == null ? undefined : { own: mixedOf(after, parts), scale }
    const result = { adapter: new Adapter(schema, landed), ...told }
    return { state: { ...state, kept, ...(drift == null ? {} : { drift }) }, core: landed, result }
  }

  async #run (gamma: Float32Array, args: PhaseArgs): Promise<{ value: Float32Array, loss: number, steps: number, spread?: number }> {
    const { serving: { init: { privacy } }, plan } = this.#init
    const steps = plan.stepsOf('G', args)
    const { round, done = (round - 1) * steps, share = 1, isEnough } = args
    const factor = plan.rateFactor('G', args, done)
    const mean = new MovingMean(gamma, this.#settings.ema)
    const looks = this.#looks()
    const run = {
      ...args,
      phase: 'G',
      length: { most: shareOf(steps, share), least: shareOf(steps, LEAST_SHARE), isEnough },
      start: { value: gamma, first: new Float32Array(gamma.length), second: new Float32Array(gamma.length) },
      fixed: { ...this.#rates, ...this.#start },
      feeds: looks.feeds,
      inputs: (step: number, now: Float32Array) =>
        ({ '@gamma': vector(now), '@target': vector(mean.at(step, now)), '@scalars': vector(stepScalars(step, factor(step))) })
    } as const
    if (privacy != null) {
      const { trained: { value }, ...told } = await runPrivatePhase({ ...run, steps: this.#private!, mechanism: privacy, augment: false })
      return { value, ...told }
    }
    const batches = plan.looks(args, { from: done, steps })
    const { trained: { value }, ...told } = await runPhase({ ...run, step: this.#step, batches, onStep: looks.onStep })
    return { value, ...told, spread: looks.spread }
  }

  /** Two looks at each image of a batch, flipped, turned and lit each by itself; and what became of them, as long as the round lasts. */
  #looks (): { readonly feeds: PhaseRun['feeds'], readonly onStep: (outputs: HostRecord) => void, readonly spread: number } {
    const { serving: { init: { config: { imageSize: side }, model: { pixels } } } } = this.#init
    const earlier = this.#settings.objective === 'contrast' ? new EarlierLooks(this.#settings.queue, REPRESENTATION) : undefined
    const seen: number[][] = []
    let names: string[] = []
    return {
      feeds: (batch, random) => {
        const shown = [...batch, ...batch].map((each) => look(each, random))
        names = shown.map(({ id }) => id)
        const images = { shape: [shown.length, side, side, 3], data: toImages(shown, pixels) }
        return Promise.resolve({ '@images': images, ...earlier?.feeds(names) })
      },
      onStep: (outputs) => {
        earlier?.add(floats(outputs, 'keys'), names)
        const z = floats(outputs, 'z')
        for (let at = 0; at < z.length; at += REPRESENTATION) seen.push([...z.subarray(at, at + REPRESENTATION)])
        seen.splice(0, seen.length - SPREAD_OVER)
      },
      get spread () { return spreadOf(seen) }
    }
  }

  async dispose (): Promise<void> {
    const all = [this.#step, this.#private?.gradient, this.#private?.update].filter((each) => each != null)
    await Promise.all(all.map(async (each) => { await each.dispose() }))
  }
}

function look (image: Fitted, random: Random): Fitted {
  return inOtherLight(augment(image, random), random)
}

/**
 * What rounds after label-free ones learn from: images of which something is known. Where no image of a site has a label, nothing; where
 * teachers or pseudo-masks say what is not known, all.
 */
export function labelledAfter (
  phase: TrainPhase,
  samples: readonly Fitted[],
  init: Pick<LearnerInit, 'method' | 'train'>
): readonly Fitted[] {
  const isUsed = phase === 'G' ? makesUp(init) : dualTeacherOf(init.train) != null
  return pretrainingOf(init.method) == null || isUsed ? samples : samples.filter(isLabelled)
}
