import { z } from 'zod'
import type { FederationSettings } from './federation-settings.ts'
import type { MethodSettings } from './method.ts'
import type { Preset } from './methods/preset.ts'
import { count, notNegative, positive, setting } from './setting.ts'

/** Of a federation of few rounds, this part of them is without labels where a preset does not know how many there are. */
const PART = 0.4

/** First rounds, in which sites learn from all their images and no label (docs/spec/label-free.md). */
export const pretrain = z.strictObject({
  rounds: setting(
    z.number().int().min(0).max(100_000),
    'First rounds of the federation, in which no label is looked at; 0: training is as without all of this',
    { unit: 'rounds' }
  ),
  objective: setting(
    z.enum(['byol', 'contrast']),
    'How two looks at an image are brought together: one tells what a moving mean of the model makes of the other (byol), or they are ' +
      'drawn nearer to each other than to other images of the site (contrast)'
  ),
  rate: setting(positive.max(10), 'What the learning rates of these rounds are, in parts of those of training'),
  align: setting(notNegative.max(1_000), 'Weight of how far what is made of an image is from what the common start makes of it'),
  ema: setting(z.number().min(0).max(0.99999), 'What of the moving mean stays in each step'),
  temperature: setting(z.number().min(0.02).max(10), 'Temperature of the contrast; contrast alone'),
  queue: setting(count.max(4_096), 'Earlier images of a round that each is told from, at most; contrast alone', { unit: 'images' }),
  stay: setting(
    z.number().min(0).max(1),
    'Part of its own encoder that a site goes on from in place of the average, at the distance that it first had from it; nearer, less; ' +
      '0: from the average'
  )
})

export type Pretraining = Readonly<z.infer<typeof pretrain>>

type Pretrained = { readonly pretrain?: Pretraining | undefined } | undefined

/** Undefined where no round is without labels. */
export function pretrainingOf (method: Pretrained): Pretraining | undefined {
  return method?.pretrain?.rounds === 0 ? undefined : method?.pretrain
}

/** Round `round`, from 1, is one of the federation's first, which look at no label. */
export function isLabelFree (method: Pretrained, round: number): boolean {
  return round <= (method?.pretrain?.rounds ?? 0)
}

/** Which rounds are label-free; undefined where none is. */
export function labelFreeTest (method: Pretrained): ((round: number) => boolean) | undefined {
  return pretrainingOf(method) == null ? undefined : (round) => isLabelFree(method, round)
}

/** Of so many label-free rounds of a preset, those that a federation of `rounds` has. */
export function labelFreeRounds (asked: number, rounds: number): number {
  return Math.min(asked, Math.max(1, Math.floor(PART * rounds)), rounds - 1)
}

/** A preset's settings with no more label-free rounds than a federation of so many rounds has room for. */
export function withinRounds (settings: Preset['settings'], rounds: number): Preset['settings'] {
  const { method } = settings
  const asked = method?.pretrain?.rounds
  return asked == null
    ? settings
    : { ...settings, method: { ...method, pretrain: { ...method?.pretrain, rounds: labelFreeRounds(asked, rounds) } } }
}

/** What label-free rounds do not go together with; undefined where all fits. */
export function conflictInPretraining (settings: FederationSettings): string | undefined {
  const { method, model, training: { rounds, augment } } = settings
  const asked = pretrainingOf(method)
  if (asked == null) return undefined
  if (asked.rounds >= rounds) {
    return `method.pretrain.rounds: ${asked.rounds} of ${rounds} rounds look at no label, so none is left: take fewer, or more rounds`
  }
  if (!augment) {
    return 'method.pretrain: images are shown unaltered where training.augment is false; set it to true, or leave this out'
  }
  if ((model.encoder ?? 'lora') === 'lora' && model.lora.blocks.length === 0) {
    return 'method.pretrain: it trains the encoder, of which model.lora.blocks lets nothing be trained: name blocks, or leave this out'
  }
  return conflictWithMethod(method!, asked) ?? conflictInLabelFree(settings, asked)
}

function conflictWithMethod ({ keeps, units, relations, personal }: MethodSettings, asked: Pretraining): string | undefined {
  if (keeps?.includes('encoder') === true) {
    return 'method.pretrain: the encoder that it trains stays at every site by method.keeps: leave one of them out'
  }
  const copy = personal === 'copy' ? 'method.personal copy' : undefined
  const other = units != null ? 'method.units' : relations != null ? 'method.relations' : copy
  if (other != null) return `method.pretrain: it trains the shared adapter, and ${other} another one: leave one of them out`
  return asked.stay > 0 && keeps != null
    ? 'method.pretrain.stay: method.keeps is what stays at a site already: say 0, or leave method.keeps out'
    : undefined
}

function conflictInLabelFree ({ model: { lora }, privacy }: FederationSettings, { stay, objective }: Pretraining): string | undefined {
  if (stay > 0 && (lora.aggregation ?? 'factors') !== 'factors') {
    return 'method.pretrain.stay: what travels is mixed as it is trained: say "aggregation": "factors" in model.lora'
  }
  return privacy?.unit === 'patient' && objective === 'contrast'
    ? 'method.pretrain.objective: contrast tells patients from each other, and privacy is of each: say "byol"'
    : undefined
}

/** One sentence where a federation has label-free rounds. */
export function pretrainingInWords (method: Pretrained): string[] {
  const asked = pretrainingOf(method)
  if (asked == null) return []
  const { rounds } = asked
  const first = rounds === 1 ? 'the first round looks' : `the first ${rounds} rounds look`
  return [`${first} at no label, and sites without any take part; what is trained there beside the adapter stays at each site`]
}
