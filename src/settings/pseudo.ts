import { z } from 'zod'
import { count, notNegative, positive, setting } from './setting.ts'

/** Pseudo-masks of images without whole masks (docs/spec/weak.md#pseudo-masks). */
export const pseudo = z.strictObject({
  generator: setting(
    z.enum(['frozen', 'global', 'personal']),
    "Which model is asked for masks with prompts: the base as it came, the shared adapter, or the site's own"
  ),
  prompts: setting(
    z.array(z.enum(['box', 'point', 'mask'])).min(1).max(3),
    "What of the shared adapter's own answer it is asked with, where the site gave no points or boxes; sam-tiny knows one box or one " +
      'point, litemedsam one box'
  ),
  views: setting(count.max(8), 'How many of the eight mirrors and turns of an image are looked at, and undone', { unit: 'views' }),
  iterations: setting(count.max(10), 'How often it is asked, each time with its last answer as mask; once with sam-tiny and litemedsam'),
  pool: setting(count.max(16), 'Pseudo-masks that are kept of an image, the best of its rounds'),
  images: setting(count.max(1e6).optional(), 'Images of which a round makes pseudo-masks, in turn', { unit: 'images', otherwise: 'all' }),
  entropy: setting(z.number().min(0).max(1), 'Bits of entropy above which a cell of a mask is uncertain'),
  absolute: setting(z.number().min(0).max(1), 'A pseudo-mask is used where its share of uncertain cells is below this'),
  relative: setting(positive.max(1e6), 'And where it has fewer uncertain cells than this for each cell of certain foreground'),
  weight: setting(notNegative.max(100), 'Weight of their loss in phase G; 0: none are made')
})

export type PseudoSettings = Readonly<z.infer<typeof pseudo>>

/** What learns slowly, and teaches on images without whole masks (docs/spec/weak.md#mean-teacher). */
export const teacher = z.strictObject({
  ema: setting(z.number().min(0).max(0.9999), 'Part of itself that the mean teacher keeps in each step; the rest is the student'),
  weight: setting(notNegative.max(100), 'Weight of what it teaches in phase G; 0: it does not')
})

export const uncertaintyAware = setting(
  notNegative.max(100).optional(),
  'Weight, to which it rises within each phase G, of a loss that draws answers away from undecided',
  { otherwise: '0' }
)

/** Bases that can be asked with one prompt, once, and with which; others with all. */
export const SINGLE_PROMPTS: Readonly<Record<string, PseudoSettings['prompts']>> = {
  'sam-tiny': ['box', 'point'], litemedsam: ['box']
}

/** The base was trained with points as prompts. */
export function knowsPoints (base: string): boolean {
  return SINGLE_PROMPTS[base]?.includes('point') ?? true
}

/** The base knows several prompts at once, and masks as prompts. */
export function knowsAllPrompts (base: string): boolean {
  return SINGLE_PROMPTS[base] == null
}
