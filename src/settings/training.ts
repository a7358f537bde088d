import { z } from 'zod'
import { baseKind, count, defaultsOf, notNegative, positive, setting } from './setting.ts'

const MOST_ROUNDS = 100_000
/** Numbers of steps are stated to partners in 32 bits. */
const MOST_STEPS = 1_000_000
/** One epoch of 32 images: what the defaults were tuned with (docs/evidence.md). */
export const STEPS_PER_ROUND = 16
/** So many times as many images are in a step where a federation has several classes (docs/evidence.md#two-classes). */
export const BATCH_OF_SEVERAL = 2
/** A site that cannot keep up trains at least this part of a round's steps. */
export const LEAST_SHARE = 0.1
/** Random streams take 32 bits of it. */
const MOST_SEED = 2 ** 32 - 1

/** Three views of an image are compared. */
export const CONSISTENT_VIEWS = 3

/** What sites may know of their images, the strongest first (docs/data.md#weak-labels). */
export const LABEL_KINDS = ['mask', 'block', 'scribble', 'points', 'box', 'none'] as const

/** How images are shown in training, anew each time, beside flips and turns (docs/spec/views.md). */
const views = z.strictObject({
  kind: setting(
    z.enum(['gin', 'spatial', 'frequency', 'strong']),
    'What is changed: brightness and texture by a random network, or by one random convolution; the amplitudes of low frequencies, ' +
      'mixed with those of another own image; or shape, contrast and noise'
  ),
  share: setting(z.number().min(0).max(1), 'Part of the training images that is changed'),
  consistency: setting(
    notNegative.max(1_000).optional(),
    'Weight with which three views of each image are drawn together; gin and spatial',
    { otherwise: '0: one view' }
  ),
  blend: setting(z.boolean().optional(), 'Two changed images are mixed, by a smooth map over the image; gin and spatial', {
    otherwise: 'false'
  })
})

/** Patches of images take styles of others in training (docs/spec/views.md#style-swap). */
const swap = z.strictObject({
  patches: setting(count.max(16), 'Patches across and down into which the tokens of an image are cut'),
  probability: setting(z.number().min(0).max(1), 'Part of the steps in which their styles are swapped'),
  donors: setting(z.number().int().min(0).max(64), 'Further own images that lend their styles', { unit: 'images' })
})

/** Phase G is trained on images that are mixed in pairs, and so are their masks (docs/spec/mixing.md#mixup). */
const mixup = z.strictObject({
  alpha: setting(positive.max(1), 'The share of each image of a pair is drawn from Beta(alpha, alpha): the smaller, the less is mixed')
})

/** In every step of phase G, a second look at the images as another site might take them (docs/spec/publications.md#episodes). */
const episode = z.strictObject({
  weight: setting(notNegative.max(100), "Weight of the loss of the images in another site's look; 0: training is as without an episode"),
  window: setting(
    z.number().int().min(0).max(4),
    'Frequencies up to this one, across and down, whose amplitudes make the look; 0: the mean brightness alone'
  ),
  ratio: setting(
    z.union([z.literal('uniform'), z.number().min(0).max(1)]),
    'How far amplitudes move to the other ones; uniform: drawn from 0 to 1'
  ),
  innerRate: setting(notNegative.max(1), 'Rate of the trial step that is made before the look is tried, and then undone'),
  contrast: setting(notNegative.max(100), 'Weight of the term that tells the features of borders from those around them'),
  temperature: setting(z.number().min(0.02).max(10), 'Temperature of that term'),
  ring: setting(z.number().min(0).max(0.25), 'How wide around an organ its surroundings are, in parts of the side of an image'),
  group: setting(z.number().int().min(5).max(1_000), 'Fewest patients in a mean that a site shows; one with fewer shows nothing', {
    unit: 'patients'
  })
})

/** In phase G, images without whole masks are learnt from what two teachers are sure of (docs/spec/teachers.md#dual-teacher). */
const dualTeacher = z.strictObject({
  weight: setting(notNegative.max(100), 'Weight of what the teachers say; 0: training is as without them'),
  teachers: setting(
    z.array(z.enum(['round-start', 'ema'])).min(1).max(2),
    'Who teaches: the shared adapter as the phase found it, and a moving mean of what is trained since'
  ),
  ema: setting(z.number().min(0).max(0.99999), 'What of that mean stays in each step'),
  quantileStart: setting(
    z.number().min(0).max(1),
    'Part of the pixels that are surest on labelled images, in the first step of all: how unsure the least sure of them is goes into the ' +
      "teachers' threshold"
  ),
  quantileEnd: setting(z.number().min(0).max(1), 'The same in the last step of all rounds; linear in between'),
  thresholdEma: setting(z.number().min(0).max(0.99999), 'What of the threshold stays in each step'),
  threshold: setting(
    positive.max(Math.LN2).optional(),
    'Entropy up to which the teachers count, the same for all sites and steps',
    { unit: 'nats', otherwise: "a site's own, by the quantiles; of a site without labels the median of the others'" }
  )
})

/** In phase G, the decoder is to see the same where channels of the features are missing (docs/spec/teachers.md#perturbed-features). */
const perturbedFeatures = z.strictObject({
  weight: setting(notNegative.max(100), 'Weight of how far apart both runs of the decoder are; 0: training is as without a second one'),
  rate: setting(z.number().min(0).max(0.9), 'Part of the channels of the image embedding that the second run lacks')
})

/** What a discriminator learns by where a document does not say it. */
export const DISCRIMINATOR_RATE = 1e-4

/** In phase G, features are drawn towards those that another model makes of the same images (docs/spec/alignment.md). */
const align = z.strictObject({
  target: setting(
    z.enum(['joint', 'cyclic', 'moments']),
    "Whose features: those of the shared adapter as the phase found it; of another site's own, each round the next one's, which " +
      "method.sharing core-adapter shows; or the site's own with mean and deviation of another site's, which method.sharing moments shows"
  ),
  by: setting(
    z.enum(['adversarial', 'mmd']),
    "How they are drawn: by a discriminator of the site's own that tells both apart, or by their maximum mean discrepancy"
  ),
  weight: setting(notNegative.max(100), 'Weight of that in phase G; 0: training is as without it'),
  rate: setting(positive.max(1).optional(), 'Learning rate of the discriminator; with adversarial alone', {
    otherwise: String(DISCRIMINATOR_RATE)
  }),
  warmupRounds: setting(notNegative, 'Rounds over which the weight rises linearly from 0', { unit: 'rounds' })
})

/** The same part of an image, whatever the base. */
const PARTS = "256ths of the mask's side"

/** In phase G of images without whole masks, what is not known follows from what is (docs/spec/weak.md#structure). */
const structure = z.strictObject({
  tree: setting(notNegative.max(100).optional(), 'Weight of the tree energy: of what is not known, paths of alike cells decide', {
    otherwise: '0'
  }),
  sigma: setting(positive.max(100), 'Squared difference of colours, each from 0 to 1, over which likeness along a path falls to 1/e'),
  crf: setting(notNegative.max(100).optional(), 'Weight of the gated CRF: near cells of like colour are to have one answer', {
    otherwise: '0'
  }),
  radius: setting(count.max(16), 'How far apart cells of the mask are compared at most, either way; one cell at least', { unit: PARTS }),
  xy: setting(positive.max(100), 'Distance by which two cells count less', { unit: PARTS }),
  rgb: setting(positive.max(10), 'Difference of colour by which two cells count less')
})

/**
 * How every site trains. Defaults: what the columns of docs/spec/pfedsam.md#default-values have in common; batches, and the small
 * model's rates, schedule and lambdaG, by docs/evidence.md. `large`: published fine-tunes of SAM use lower rates, above all for the
 * pretrained heads. `medical`: docs/models/litemedsam.md.
 */
export const training = z.strictObject({
  rounds: setting(count.max(MOST_ROUNDS), 'Local rounds of every site', { default: 20 }),
  stepsPerRound: setting(
    count.max(MOST_STEPS).optional(),
    'Optimiser steps of each phase of a round, the same at every site; a site goes through its images again and again across rounds',
    { default: STEPS_PER_ROUND, unit: 'steps', otherwise: 'none where a document says epochs' }
  ),
  epochsG: setting(
    count.optional(),
    'Epochs of phase G, which trains the shared adapter, in one round, instead of stepsPerRound: a site with ten times the images then ' +
      'takes ten times as long for a round',
    { unit: 'epochs', otherwise: 'none: stepsPerRound holds' }
  ),
  epochsL: setting(
    z.number().int().min(0).optional(),
    'Epochs of phase L, which fits the private experts, in one round, instead of stepsPerRound',
    { unit: 'epochs', otherwise: 'none: stepsPerRound holds' }
  ),
  batchSize: setting(count, 'Images of one training step', { default: 2, unit: 'images', otherwise: 'twice as many for several classes' }),
  lrLora: setting(positive, 'Learning rate of the low-rank updates', { default: 2e-2, large: 1e-3, medical: 3e-3 }),
  lrHeads: setting(
    positive,
    'Learning rate of the layers that are trained whole: of the mask decoder, and of an encoder that is not low-rank',
    { default: 2e-2, large: 1e-4, medical: 1e-3 }
  ),
  lrMoe: setting(positive, 'Learning rate of the experts and their gates', { default: 1e-2, large: 1e-3, medical: 3e-3 }),
  weightDecay: setting(notNegative, 'Weight decay of the optimiser', { default: 0.01 }),
  clipNorm: setting(positive, 'Longest gradient of one step; a longer one is shortened to this', { default: 1 }),
  warmupSteps: setting(z.number().int().min(0), 'Steps of linear warm-up, counted over all rounds', { default: 20, unit: 'steps' }),
  schedule: setting(z.enum(['constant', 'poly']).optional(), 'Learning rates from round to round: the same, or falling towards 0', {
    default: 'poly',
    otherwise: 'constant where a document does not say it'
  }),
  lambdaG: setting(notNegative, 'Weight of distillation in phase G', { default: 0.1, large: 0.5 }),
  lambdaL: setting(notNegative, 'Weight of distillation in phase L', { default: 0.1 }),
  tau: setting(positive, 'Temperature of distillation', { default: 2 }),
  beta: setting(notNegative, 'Weight of the loss that keeps the experts evenly used', { default: 0.01 }),
  warmupRounds: setting(notNegative, 'Rounds over which lambdaG rises linearly from 0', { default: 2, large: 5, unit: 'rounds' }),
  teacherG: setting(z.enum(['personal', 'global', 'none']), 'Who teaches in phase G', { default: 'personal' }),
  teacherL: setting(z.enum(['global', 'none']), 'Who teaches in phase L', { default: 'global' }),
  distil: setting(z.enum(['logits', 'features']).optional(), 'What student and teacher are compared by: mask logits, or image embeddings', {
    otherwise: 'logits'
  }),
  order: setting(
    z.enum(['G-exchange-L', 'GL-local']).optional(),
    "When experts are fitted: after the exchange, or before it, to the site's own adapter",
    { otherwise: 'G-exchange-L' }
  ),
  prompt: setting(z.enum(['none', 'box']), 'What training and scoring give the decoder: nothing, or a box around the mask', {
    default: 'none'
  }),
  augment: setting(z.boolean(), 'Flips, turns and intensity changes; without them the features of frozen blocks are computed once', {
    default: true,
    medical: false
  }),
  views: views.optional(),
  swap: swap.optional(),
  episode: episode.optional(),
  align: align.optional(),
  mixup: mixup.optional(),
  structure: structure.optional(),
  dualTeacher: dualTeacher.optional(),
  perturbedFeatures: perturbedFeatures.optional(),
  targets: setting(
    z.enum(['nearest', 'area']).optional(),
    'What an image that is shrunk is trained for: the labels of the nearest pixels, or the share of each label in the area of a pixel, ' +
      'by which thin structures survive',
    { otherwise: 'nearest', medical: 'area' }
  ),
  supervision: setting(
    z.array(z.enum(LABEL_KINDS)).min(1).max(LABEL_KINDS.length).optional(),
    'What may be known of an image that is trained on: a whole mask, blocks, scribbles, points, boxes, or none of it',
    { otherwise: 'mask; images without one are left out' }
  ),
  emptyShare: setting(
    z.number().min(0).max(0.9).optional(),
    'Part of the training images that show no foreground, where a site has so many; in scores of patients all of them count anyway',
    { otherwise: '0: training is on images with foreground alone' }
  ),
  seed: setting(z.number().int().min(0).max(MOST_SEED), 'Seed of the common start, the splits and the augmentation', { default: 1 })
})

const trainSettings = training.omit({ rounds: true, seed: true })

export type TrainSettings = Readonly<z.infer<typeof trainSettings>>

/** Who teaches what is not known; nobody where it would count for nothing. */
export function dualTeacherOf ({ dualTeacher: given }: Pick<TrainSettings, 'dualTeacher'>): TrainSettings['dualTeacher'] {
  return given?.weight === 0 ? undefined : given
}

/** Each site finds by its labelled images how sure its teachers must be. */
export function learnsThreshold (settings: Pick<TrainSettings, 'dualTeacher'>): boolean {
  const taught = dualTeacherOf(settings)
  return taught != null && taught.threshold == null
}

const UNALTERED = 'images are shown unaltered where training.augment is false; set it to true, or leave this out'

/** What the settings of training cannot say one by one; undefined where all fits together. */
export function conflictInTraining (settings: TrainSettings): string | undefined {
  const { stepsPerRound, epochsG, epochsL, augment, swap: swapped } = settings
  if (stepsPerRound == null && (epochsG == null || epochsL == null)) return 'training: say stepsPerRound, or both epochsG and epochsL'
  if (stepsPerRound != null && (epochsG ?? epochsL) != null) return 'training: say stepsPerRound, or epochsG and epochsL, not both'
  if (swapped != null && !augment) return `training.swap: ${UNALTERED}`
  const parts = [
    conflictInPrompt, conflictInEpisode, conflictInAlign, conflictInMixup, conflictInStructure, conflictInTeachers, conflictInShown
  ]
  return parts.map((conflict) => conflict(settings)).find((each) => each != null)
}

function conflictInShown ({ views: shown, augment }: TrainSettings): string | undefined {
  return shown == null ? undefined : conflictInViews(shown, augment)
}

const NO_BOX_AROUND = 'training.prompt: a box around the mask needs whole masks: say "none", or leave training.supervision out'

function conflictInPrompt ({ supervision, prompt }: TrainSettings): string | undefined {
  return supervision != null && prompt === 'box' ? NO_BOX_AROUND : undefined
}

function conflictInEpisode ({ episode: tried, augment, views: shown }: TrainSettings): string | undefined {
  if (tried == null) return undefined
  if (!augment) return `training.episode: ${UNALTERED}`
  return (shown?.consistency ?? 0) > 0 ? 'training.episode: it tries one view of an image: leave views.consistency out' : undefined
}

function conflictInAlign ({ align: aligned }: TrainSettings): string | undefined {
  return aligned?.by === 'mmd' && aligned.rate != null
    ? 'training.align.rate: with by "mmd" there is no discriminator that could learn: leave it out'
    : undefined
}

function conflictInStructure ({ structure: drawn, supervision, mixup: mixed, views: shown }: TrainSettings): string | undefined {
  if (drawn == null) return undefined
  if (supervision == null) return 'training.structure: it is for images without whole masks: say training.supervision, or leave it out'
  const other = mixed != null ? 'mixup' : (shown?.consistency ?? 0) > 0 ? 'views.consistency' : undefined
  return other == null ? undefined : `training.structure: it looks at one image by itself, and ${other} at several: leave one of them out`
}

function conflictInTeachers (settings: TrainSettings): string | undefined {
  const { dualTeacher: taught, supervision, augment, batchSize, mixup: mixed, swap: swapped, episode: tried, views: shown } = settings
  if (taught == null) return undefined
  if (supervision == null) {
    return 'training.dualTeacher: it is for images without whole masks: say training.supervision, or leave it out'
  }
  if (!augment) return `training.dualTeacher: ${UNALTERED}`
  if (batchSize < 2) return 'training.dualTeacher: half of a batch has labels and half has none: take a batchSize of 2 or more'
  const consistent = (shown?.consistency ?? 0) > 0 ? 'views.consistency' : undefined
  const other = mixed != null ? 'mixup' : swapped != null ? 'swap' : tried != null ? 'episode' : consistent
  return other == null
    ? undefined
    : `training.dualTeacher: it compares two looks of one image, and ${other} changes one of them otherwise: leave one of them out`
}

function conflictInMixup (settings: TrainSettings): string | undefined {
  const { mixup: mixed, augment, batchSize, prompt, swap: swapped, episode: tried, views: shown } = settings
  if (mixed == null) return undefined
  if (!augment) return `training.mixup: ${UNALTERED}`
  if (batchSize < 2) return 'training.mixup: it mixes images of one batch: take a batchSize of 2 or more'
  if (prompt === 'box') return 'training.mixup: a box is around the mask of one image: take "prompt": "none"'
  const other = swapped != null ? 'swap' : tried != null ? 'episode' : (shown?.consistency ?? 0) > 0 ? 'views.consistency' : undefined
  return other == null ? undefined : `training.mixup: it mixes whole images, and ${other} changes them otherwise: leave one of them out`
}

function conflictInViews ({ kind, consistency = 0, blend = false }: z.infer<typeof views>, augment: boolean): string | undefined {
  if (!augment) return `training.views: ${UNALTERED}`
  if (kind === 'gin' || kind === 'spatial') return undefined
  if (consistency > 0) return `training.views.consistency: it compares views of "gin" or "spatial", not of "${kind}"`
  return blend ? `training.views.blend: it mixes views of "gin" or "spatial", not of "${kind}"` : undefined
}

export function defaultTrainSettings ({ name }: { readonly name: string }): TrainSettings {
  return trainSettings.parse(defaultsOf(trainSettings, baseKind(name)))
}
