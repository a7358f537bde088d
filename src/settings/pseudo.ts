import { z } from 'zod'
import type { FederationSettings } from './federation-settings.ts'
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

const NEEDS_WEAK = 'it is for images without whole masks: say training.supervision, or leave it out'

/** What bases can be asked with: all at once, or one prompt, once. */
const SINGLE: Readonly<Record<string, readonly PseudoSettings['prompts'][number][]>> = { 'sam-tiny': ['box', 'point'], litemedsam: ['box'] }

/** Bases whose own masks were measured to be below the answers of the model in training (docs/spec/weak.md#pseudo-masks). */
const POOR: ReadonlySet<string> = new Set(['sam-tiny'])

/** The base knows several prompts at once, and masks as prompts. */
export function knowsAllPrompts (base: string): boolean {
  return SINGLE[base] == null
}

/** What the settings of pseudo-masks and the mean teacher cannot say one by one; undefined where all fits together. */
export function conflictInPseudo (settings: FederationSettings): string | undefined {
  const name = (['pseudo', 'teacher'] as const).find((each) => settings.method?.[each] != null)
  if (name == null) return undefined
  if (settings.training.supervision == null) return `method.${name}: ${NEEDS_WEAK}`
  const other = mixing(settings.training)
  if (other != null) return `method.${name}: it looks at one image by itself, and training.${other} at several: leave one of them out`
  return conflictInGenerator(settings) ?? conflictInPrompts(settings) ?? conflictInTeacher(settings)
}

function mixing ({ mixup, views }: FederationSettings['training']): string | undefined {
  return mixup != null ? 'mixup' : (views?.consistency ?? 0) > 0 ? 'views.consistency' : undefined
}

function conflictInGenerator ({ method: own, model, privacy: promised }: FederationSettings): string | undefined {
  if (own?.pseudo?.generator === 'frozen' && POOR.has(model.name)) {
    return `method.pseudo.generator: masks of the untrained ${model.name} are worse than the answers that they start from ` +
      '(docs/spec/weak.md#pseudo-masks): say "global", or take another base'
  }
  if (own?.pseudo?.generator !== 'personal') return undefined
  if (promised?.unit === 'patient') {
    return "method.pseudo.generator: a site's own model is trained without noise, and privacy of patients would promise nothing: say global"
  }
  return model.moe.blocks.length > 0 || own.keeps != null || own.units != null || own.relations != null
    ? undefined
    : 'method.pseudo.generator: sites of this method have no model of their own: say global'
}

function conflictInPrompts ({ method: own, model: { name } }: FederationSettings): string | undefined {
  const known = SINGLE[name]
  if (own?.pseudo == null || known == null) return undefined
  const { prompts, iterations } = own.pseudo
  if (prompts.length > 1 || !known.includes(prompts[0]!)) {
    return `method.pseudo.prompts: ${name} was trained with ${known.map((each) => `one ${each}`).join(' or ')}: say ${
      known.map((each) => `["${each}"]`).join(' or ')}`
  }
  return iterations === 1 ? undefined : `method.pseudo.iterations: ${name} was not trained with masks as prompts: say 1`
}

function conflictInTeacher ({ method: own, model, training: { teacherG } }: FederationSettings): string | undefined {
  if (own?.teacher == null) return undefined
  if (own.relations != null) return 'method.teacher: a mixture has no mean over steps: leave teacher or method.relations out'
  return teacherG === 'global' || (teacherG === 'personal' && model.moe.blocks.length > 0)
    ? `method.teacher: training.teacherG "${teacherG}" teaches phase G already: say "none" there, or leave teacher out`
    : undefined
}
