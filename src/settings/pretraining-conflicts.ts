import type { MethodSettings } from './method.ts'
import type { ModelSettings } from './model.ts'
import { pretrainingOf, type Pretraining } from './pretraining.ts'
import type { PrivacySettings } from './privacy.ts'
import type { TrainSettings } from './training.ts'

interface Sections {
  readonly model: Pick<ModelSettings, 'encoder' | 'lora'>
  readonly training: TrainSettings & { readonly rounds: number }
  readonly method?: MethodSettings | undefined
  readonly privacy?: PrivacySettings | undefined
}

/** What label-free rounds do not go together with; undefined where all fits. */
export function conflictInPretraining (settings: Sections): string | undefined {
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

function conflictInLabelFree ({ model: { lora }, privacy }: Sections, { stay, objective }: Pretraining): string | undefined {
  if (stay > 0 && (lora.aggregation ?? 'factors') !== 'factors') {
    return 'method.pretrain.stay: what travels is mixed as it is trained: say "aggregation": "factors" in model.lora'
  }
  return privacy?.unit === 'patient' && objective === 'contrast'
    ? 'method.pretrain.objective: contrast tells patients from each other, and privacy is of each: say "byol"'
    : undefined
}
