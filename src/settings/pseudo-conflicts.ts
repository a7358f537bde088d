import { selects } from './facts.ts'
import type { MethodSettings } from './method.ts'
import type { ModelSettings } from './model.ts'
import type { PrivacySettings } from './privacy.ts'
import { SINGLE_PROMPTS } from './pseudo.ts'
import type { TrainSettings } from './training.ts'

interface Sections {
  readonly model: Pick<ModelSettings, 'moe'> & { readonly name: string }
  readonly training: TrainSettings
  readonly method?: MethodSettings | undefined
  readonly privacy?: PrivacySettings | undefined
}

const NEEDS_WEAK = 'it is for images without whole masks: say training.supervision, or leave it out'

const TAUGHT_ALREADY = {
  pseudo: 'training.dualTeacher makes up what is not known of an image otherwise: leave one of them out',
  teacher: 'training.dualTeacher has a mean of what is trained that teaches already: leave one of them out'
} as const

/** Bases whose own masks were measured to be below the answers of the model in training (docs/spec/weak.md#pseudo-masks). */
const POOR: ReadonlySet<string> = new Set(['sam-tiny'])

/** What the settings of pseudo-masks and the mean teacher cannot say one by one; undefined where all fits together. */
export function conflictInPseudo (settings: Sections): string | undefined {
  const name = (['pseudo', 'teacher'] as const).find((each) => settings.method?.[each] != null)
  if (name == null) return conflictInCertainty(settings)
  if (settings.training.supervision == null) return `method.${name}: ${NEEDS_WEAK}`
  const other = mixing(settings.training)
  if (other != null) return `method.${name}: it looks at one image by itself, and training.${other} at several: leave one of them out`
  if (settings.training.dualTeacher != null) return `method.${name}: ${TAUGHT_ALREADY[name]}`
  return conflictInGenerator(settings) ?? conflictInPrompts(settings) ?? conflictInTeacher(settings)
}

function conflictInCertainty ({ method: own, training: { views } }: Sections): string | undefined {
  return (own?.uncertaintyAware ?? 0) > 0 && (views?.consistency ?? 0) > 0
    ? 'method.uncertaintyAware: it looks at one image by itself, and training.views.consistency at several: leave one of them out'
    : undefined
}

function mixing ({ mixup, views }: TrainSettings): string | undefined {
  return mixup != null ? 'mixup' : (views?.consistency ?? 0) > 0 ? 'views.consistency' : undefined
}

/** What serves a site's own patients differs from what is shared. */
function hasOwn (method: MethodSettings, { moe }: Sections['model']): boolean {
  const { keeps, units, relations, elementMix } = method
  return moe.blocks.length > 0 || selects(method) || [keeps, units, relations, elementMix].some((each) => each != null)
}

function conflictInGenerator ({ method: own, model, privacy: promised }: Sections): string | undefined {
  if (own?.pseudo?.generator === 'frozen' && POOR.has(model.name)) {
    return `method.pseudo.generator: masks of the untrained ${model.name} are worse than the answers that they start from ` +
      '(docs/spec/weak.md#pseudo-masks): say "global", or take another base'
  }
  if (own?.pseudo?.generator !== 'personal') return undefined
  if (promised?.unit === 'patient') {
    return "method.pseudo.generator: a site's own model is trained without noise, and privacy of patients would promise nothing: say global"
  }
  return hasOwn(own, model)
    ? undefined
    : 'method.pseudo.generator: sites of this method have no model of their own: say global'
}

function conflictInPrompts ({ method: own, model: { name } }: Sections): string | undefined {
  const known = SINGLE_PROMPTS[name]
  if (own?.pseudo == null || known == null) return undefined
  const { prompts, iterations } = own.pseudo
  if (prompts.length > 1 || !known.includes(prompts[0]!)) {
    return `method.pseudo.prompts: ${name} was trained with ${known.map((each) => `one ${each}`).join(' or ')}: say ${
      known.map((each) => `["${each}"]`).join(' or ')}`
  }
  return iterations === 1 ? undefined : `method.pseudo.iterations: ${name} was not trained with masks as prompts: say 1`
}

function conflictInTeacher ({ method: own, model, training: { teacherG } }: Sections): string | undefined {
  if (own?.teacher == null) return undefined
  if (own.relations != null) return 'method.teacher: a mixture has no mean over steps: leave teacher or method.relations out'
  return teacherG === 'global' || (teacherG === 'personal' && model.moe.blocks.length > 0)
    ? `method.teacher: training.teacherG "${teacherG}" teaches phase G already: say "none" there, or leave teacher out`
    : undefined
}
