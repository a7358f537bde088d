import * as tf from '@tensorflow/tfjs-core'
import type { Step, TensorRecord } from '../../compute/index.ts'
import type { TrainPhase } from '../../settings/method.ts'
import { mixture } from '../blocks/mixture.ts'
import { mixed, mixedKnown } from '../blocks/mixup.ts'
import { classMaps } from '../classes/class-maps.ts'
import type { Run, Term } from '../components/component.ts'
import { entropy } from '../objectives/pseudo-labels.ts'
import { unpack } from '../parameters/layout.ts'
import { encoderBlock, runBlocks, type Tokens } from '../sam/image-encoder.ts'
import type { Prompts } from '../sam/prompt-encoder.ts'
import { embed, finish, input, merged, promptsOf, frozenTokens, type StepOutput, type StepContext } from '../steps.ts'
import { adamw, clipByNorm, OWN_BETA_2, type AdamWInput } from './optimiser.ts'

type Answers = Pick<Run, 'student' | 'teacher' | 'taught' | 'pictureOf' | 'weights' | 'aligned' | 'relations'>

/** What a phase trains within one step: its flat parameters, and the answers of student and teacher to any value of them. */
interface Training {
  readonly parameters: tf.Tensor
  readonly answers: (parameters: tf.Tensor) => Answers
  /** Of the images in another look, where they are fed. */
  readonly inLook?: ((parameters: tf.Tensor) => StepOutput) | undefined
}

interface Descent {
  readonly terms: readonly Term[]
  /** Longest gradient of a trial step. */
  readonly clipNorm: number
  /** Says how unsure the student was, too. */
  readonly watches?: boolean
}

/**
 * One optimiser step of a phase; the loss is the sum of its terms. Resolves to the new parameters, their moments, the loss, and where
 * @threshold is fed how unsure the student was of the images that are not learnt from teachers, `entropy` [B,C,4G,4G].
 */
export function phaseStep (context: StepContext, phase: TrainPhase, terms: readonly Term[]): Step {
  const training = phase === 'G' ? globalTraining : expertTraining
  return (t) => {
    const trained = training(t, context)
    const { value, grad, unsure } = descent(t, trained, { terms, clipNorm: context.clipNorm, watches: true })
    const apart = phase === 'G' ? context.apart ?? 0 : 0
    const moved = apart === 0
      ? updated(t, trained.parameters, clipByNorm(grad, context.clipNorm))
      : updatedApart(t, trained.parameters, grad, { apart, clipNorm: context.clipNorm })
    return { ...moved, loss: tf.reshape(value, [1]), ...(unsure == null ? {} : { entropy: unsure }) }
  }
}

/** Loss and flat gradient of phase G, for those who do more with a gradient than one step. */
export function gradientStep (context: StepContext, terms: readonly Term[]): Step {
  return (t) => {
    const { value, grad } = descent(t, globalTraining(t, context), { terms, clipNorm: context.clipNorm })
    return { gradient: grad, loss: tf.reshape(value, [1]) }
  }
}

/** One optimiser step of phase G with the flat `@gradient`, as it is. */
export const updateStep: Step = (t) => updated(t, input(t, 'gamma'), input(t, 'gradient'))

function descent (
  t: TensorRecord,
  { parameters, answers, inLook }: Training,
  { terms, clipNorm, watches = false }: Descent
): { value: tf.Scalar, grad: tf.Tensor, unsure?: tf.Tensor } {
  const { '@known': known, '@overlap': overlap } = t
  const truth = { targets: mixed(input(t, 'targets'), t), known: known == null ? undefined : mixedKnown(known, t), overlap }
  const loss = (x: tf.Tensor, which: readonly Term[], shift?: tf.Tensor): tf.Scalar => {
    let look: StepOutput | undefined
    const seen = (): StepOutput => {
      look ??= inLook!(shift == null ? x : tf.add(x, shift))
      return look
    }
    const run = { ...answers(x), inLook: seen, ...truth }
    if (watches) unsure = unsureOf(run.student.masks, t)
    return total(which, t, run)
  }
  let unsure: tf.Tensor | undefined
  const rate = inLook == null ? undefined : t['@innerRate']
  if (rate == null) {
    const found = tf.valueAndGrad((x) => loss(x, terms))(parameters)
    return unsure == null ? found : { ...found, unsure }
  }
  // The trial step is a constant: its own gradient is not differentiated (docs/spec/publications.md#episodes).
  const gradient = tf.grad((x) => loss(x, terms.filter(({ isOfLook }) => isOfLook !== true)))(parameters)
  const shift = tf.neg(tf.mul(clipByNorm(gradient, clipNorm), rate))
  return tf.valueAndGrad((x) => loss(x, terms, shift))(parameters)
}

/** Entropy of the answers for the images before those at the end of the batch that are learnt from teachers. */
function unsureOf (masks: tf.Tensor, { '@threshold': threshold, '@weak': weak }: TensorRecord): tf.Tensor | undefined {
  const [images = 0, ...shape] = masks.shape
  const labelled = images - (weak?.shape[0] ?? 0)
  // Kept, since all else that is computed on the way to a gradient is disposed of with it.
  return threshold == null || labelled === 0 ? undefined : tf.keep(entropy(tf.slice(masks, [0, 0, 0, 0], [labelled, ...shape])))
}

function total (terms: readonly Term[], t: TensorRecord, run: Run): tf.Scalar {
  let sum: tf.Scalar | undefined
  for (const { weight, loss } of terms) {
    const factor = typeof weight === 'string' ? t[weight] : weight
    if (typeof weight === 'string' && factor == null) continue
    const part: tf.Scalar = factor == null ? loss(run) : tf.mul(loss(run), factor)
    sum = sum == null ? part : tf.add(sum, part)
  }
  if (sum == null) throw new Error('a phase without any term has nothing to train for')
  return sum
}

/** Γ is trained; @teacherGamma teaches as the global model, with @lambda as the personal one (docs/spec/pfedsam.md#the-round). */
function globalTraining (t: TensorRecord, context: StepContext): Training {
  const common = context.adaptsEmbedding === true ? undefined : frozenTokens(t, context)
  const prompts = promptsOf(t)
  const run = (weights: TensorRecord, tokens = common): StepOutput =>
    finish(tokens ?? frozenTokens(weights, context), context.firstAdapted, weights, context, prompts)
  const look = lookOf(t, context)
  const gamma = input(t, 'gamma')
  const { '@lambda': lambda, '@teacherGamma': teacherGamma } = t
  const teacher = teacherGamma == null ? undefined : run(merged(t, context, teacherGamma, lambda))
  const aligned = alignedOf(t, context, common)
  const taught = taughtBy(t, context, run)
  const served = (x: tf.Tensor): tf.Tensor => context.relations == null ? x : mixtureOf(x, t, context)
  return {
    parameters: gamma,
    answers: (x) => {
      const weights = merged(t, context, served(x))
      return {
        student: run(weights),
        teacher: () => teacher!,
        taught: () => taught,
        pictureOf: (embedding) => classMaps(weights, context.config, embedding as tf.Tensor4D, decoding(context, prompts)).picture,
        weights,
        aligned: () => aligned!,
        relations: () => relationsIn(x, context)
      }
    },
    inLook: look == null ? undefined : (x) => look(merged(t, context, served(x)), run)
  }
}

function decoding ({ options, division = { classes: 1 } }: StepContext, prompts: Prompts): Parameters<typeof classMaps>[3] {
  return { ...options, division, prompts }
}

/** Mask logits of the teachers that are fed, @roundStart and @ema, for the images @weak. */
function taughtBy (t: TensorRecord, context: StepContext, run: Answer): tf.Tensor[] {
  const { '@weak': images } = t
  if (images == null) return []
  const seen = { ...t, '@images': images }
  const common = context.adaptsEmbedding === true ? undefined : frozenTokens(seen, context)
  return [t['@roundStart'], t['@ema']].flatMap((gamma) => {
    if (gamma == null) return []
    const weights = merged(seen, context, gamma)
    return [run(weights, common ?? frozenTokens(weights, context)).masks]
  })
}

/** What the model @alignGamma makes of the images, where it is fed. */
function alignedOf (t: TensorRecord, context: StepContext, common: Tokens | undefined): tf.Tensor | undefined {
  const { '@alignGamma': gamma } = t
  if (gamma == null) return undefined
  const weights = merged(t, context, gamma)
  return embed(common ?? frozenTokens(weights, context), context.firstAdapted, weights, context)
}

/** What a site serves in place of Γ, of its core and its relations [P + K] as they are trained. */
function mixtureOf (x: tf.Tensor, t: TensorRecord, { relations: sizes, apart }: StepContext): tf.Tensor {
  const [core, relations] = tf.split(x, [sizes!.size, apart!]) as [tf.Tensor, tf.Tensor]
  const [shared, before, departures] = [input(t, 'shared'), input(t, 'before'), input(t, 'departures')]
  return mixture({ core, relations, shared, before, departures, held: input(t, 'held'), prior: input(t, 'prior') }, sizes!)
}

function relationsIn (x: tf.Tensor, { relations: sizes, apart }: StepContext): tf.Tensor {
  return tf.split(x, [sizes!.size, apart!])[1]!
}

type Answer = (weights: TensorRecord, tokens?: Tokens) => StepOutput

/** The answer to @look, the images in another look, where they are fed. */
function lookOf (t: TensorRecord, context: StepContext): ((weights: TensorRecord, run: Answer) => StepOutput) | undefined {
  const { '@look': images } = t
  if (images == null) return undefined
  const seen = (weights: TensorRecord): Tokens => frozenTokens({ ...weights, '@images': images }, context)
  if (context.adaptsEmbedding === true) return (weights, run) => run(weights, seen(weights))
  const tokens = seen(t)
  return (weights, run) => run(weights, tokens)
}

/** @noise [blocks, rows, experts], where it is fed, as what the gates read. */
function gateNoises (t: TensorRecord, { experts }: StepContext): TensorRecord {
  const { '@noise': noise } = t
  if (noise == null) return {}
  const gates = experts.entries.flatMap(({ name }) => name.endsWith('.gate.weight') ? [name.replace('.weight', '.noise')] : [])
  const parts = tf.split(noise, gates.length)
  return Object.fromEntries(gates.map((name, i) => [name, tf.reshape(parts[i]!, noise.shape.slice(1))]))
}

/**
 * Λ is trained with @gamma fixed; the global model teaches. Teacher and student share everything up to the first experts, and nothing
 * before those is differentiated.
 */
function expertTraining (t: TensorRecord, context: StepContext): Training {
  const { config, options, firstAdapted, firstExpert } = context
  const base = merged(t, context, input(t, 'gamma'))
  const start = runBlocks(frozenTokens(base, context), base, config, firstAdapted, firstExpert, options)
  const prompts = promptsOf(t)
  return {
    parameters: input(t, 'lambda'),
    answers: (y) => {
      const personal = { ...base, ...unpack(context.experts, y), ...gateNoises(t, context) }
      const block = encoderBlock(start.x, personal, config, firstExpert, options)
      const student = finish({ x: block.x, routing: [block.routing!] }, firstExpert + 1, personal, context, prompts)
      const teacher = (): StepOutput => finish({ x: block.plain, routing: [] }, firstExpert + 1, base, context, prompts)
      return { student, teacher, weights: personal, taught: notInL, pictureOf: notInL, aligned: notInL, relations: notInL }
    }
  }
}

/** No term of phase L looks at it. */
function notInL (): never {
  throw new Error('phase L has no model to align with, no relations and no teachers of what is not known')
}

/**
 * The same with what ends the vector, a discriminator or relations, by itself: neither shortens the other's gradient
 * (docs/spec/alignment.md#steps).
 */
function updatedApart (
  t: TensorRecord,
  value: tf.Tensor,
  gradient: tf.Tensor,
  { apart, clipNorm }: { readonly apart: number, readonly clipNorm: number }
): TensorRecord {
  const parts = Object.entries({ value, gradient, first: input(t, 'first'), second: input(t, 'second') })
    .concat(Object.entries({ rate: input(t, 'rate'), decay: input(t, 'decay') }))
    .map(([name, x]) => [name, tf.split(x, [value.size - apart, apart])] as const)
  const part = (which: number): Omit<AdamWInput, 'scalars'> =>
    Object.fromEntries(parts.map(([name, both]) => [name, both[which]!])) as unknown as Omit<AdamWInput, 'scalars'>
  const [shared, own] = [part(0), part(1)]
  const one = adamw({ ...shared, gradient: clipByNorm(shared.gradient, clipNorm), scalars: input(t, 'scalars') })
  const other = adamw({ ...own, scalars: input(t, 'ownScalars'), beta2: OWN_BETA_2 })
  return {
    value: tf.concat([one.value, other.value]),
    first: tf.concat([one.first, other.first]),
    second: tf.concat([one.second, other.second])
  }
}

/** One optimiser step on the flat vector `value`. */
export function updated (t: TensorRecord, value: tf.Tensor, gradient: tf.Tensor): TensorRecord {
  return adamw({
    value,
    gradient,
    first: input(t, 'first'),
    second: input(t, 'second'),
    rate: input(t, 'rate'),
    decay: input(t, 'decay'),
    scalars: input(t, 'scalars')
  })
}
