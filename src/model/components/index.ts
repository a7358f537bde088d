import type { GlobalGroup, MethodSettings } from '../../settings/method.ts'
import type { ModelSettings } from '../../settings/model.ts'
import { CONSISTENT_VIEWS, type TrainSettings } from '../../settings/training.ts'
import { lowResSide, type SamConfig } from '../sam/build-sam.ts'
import { alignment } from './alignment.ts'
import type { Component } from './component.ts'
import { consistency } from './consistency.ts'
import { distillation } from './distillation.ts'
import { episode } from './episode.ts'
import { expertComponent } from './experts.ts'
import { globalComponent } from './global-parameters.ts'
import { meanTeacher } from './mean-teacher.ts'
import { mixup } from './mixup.ts'
import { pseudoMasks } from './pseudo-masks.ts'
import { relationPull } from './relations.ts'
import { structure } from './structure.ts'
import { styleSwap } from './style-swap.ts'
import { supervised } from './supervised.ts'
import { uncertaintyAware } from './uncertainty-aware.ts'

export type { Component } from './component.ts'

/** What decides which pieces a federation's method is made of. */
export interface MethodInit {
  readonly config: SamConfig
  readonly model: ModelSettings
  readonly train: TrainSettings
  /** Groups of the global parameters that stay at the site; none if not given. */
  readonly keeps?: readonly GlobalGroup[] | undefined
  readonly method?: MethodSettings | undefined
  /** Of the whole training; no end if not given. */
  readonly rounds?: number
  /** 1 if not given. */
  readonly classes?: number
}

/** The pieces of a method, in the order in which their terms are summed. @throws InputError when the settings do not fit the model. */
export function componentsOf ({ config, model, train, keeps, method, rounds = Infinity, classes = 1 }: MethodInit): readonly Component[] {
  return [
    globalComponent(config, model, keeps, classes),
    supervised,
    ...(model.moe.blocks.length === 0 ? [] : [expertComponent(config, model, train.beta)]),
    distillation(train),
    ...(train.swap == null ? [] : [styleSwap(train.swap, { side: config.imageSize, pixels: model.pixels })]),
    ...(train.episode == null
      ? []
      : [episode(train.episode, { side: config.imageSize, pixels: model.pixels, maskSide: lowResSide(config) })]),
    ...(train.align == null ? [] : [alignment(train.align, config.width)]),
    ...(method?.relations == null ? [] : [relationPull(method.relations, rounds)]),
    ...(train.mixup == null ? [] : [mixup(train.mixup)]),
    ...(train.structure == null ? [] : [structure(train.structure, lowResSide(config))]),
    ...ofUnlabelled(method, { maskSide: lowResSide(config), classes }),
    ...(viewsOf(train) === 1 ? [] : [consistency(train.views!.consistency!)])
  ]
}

/** What learns from images without whole masks by the model's own answers. */
function ofUnlabelled (
  { pseudo, teacher, uncertaintyAware: undecided = 0 }: MethodSettings = {},
  init: Parameters<typeof pseudoMasks>[1]
): Component[] {
  return [
    ...(pseudo == null ? [] : [pseudoMasks(pseudo, init)]),
    ...(undecided === 0 ? [] : [uncertaintyAware(undecided)]),
    ...(teacher == null ? [] : [meanTeacher])
  ]
}

/** How often each image is in a batch. */
export function viewsOf ({ views }: TrainSettings): number {
  return (views?.consistency ?? 0) > 0 ? CONSISTENT_VIEWS : 1
}
