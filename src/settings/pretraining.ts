import { z } from 'zod'
import { count, notNegative, positive, setting } from './setting.ts'

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

/** One sentence where a federation has label-free rounds. */
export function pretrainingInWords (method: Pretrained): string[] {
  const asked = pretrainingOf(method)
  if (asked == null) return []
  const { rounds } = asked
  const first = rounds === 1 ? 'the first round looks' : `the first ${rounds} rounds look`
  return [`${first} at no label, and sites without any take part; what is trained there beside the adapter stays at each site`]
}
