import type { GlobalGroup, MethodSettings } from '../../settings/method.ts'
import type { ModelSettings } from '../../settings/model.ts'
import { selects } from '../../settings/facts.ts'
import { pretrainingOf } from '../../settings/pretraining.ts'
import { CONSISTENT_VIEWS, dualTeacherOf, type TrainSettings } from '../../settings/training.ts'
import { projectionGroups } from '../blocks/projection.ts'
import { lowResSide, type SamConfig } from '../sam/build-sam.ts'
import { alignment } from './alignment.ts'
import type { Component } from './component.ts'
import { consistency } from './consistency.ts'
import { dualTeacher } from './dual-teacher.ts'
import { distillation } from './distillation.ts'
import { episode } from './episode.ts'
import { expertComponent } from './experts.ts'
import { globalComponent } from './global-parameters.ts'
import { meanTeacher } from './mean-teacher.ts'
import { mixup } from './mixup.ts'
import { perturbedFeatures } from './perturbed-features.ts'
import { pseudoMasks } from './pseudo-masks.ts'
import { relationPull } from './relations.ts'
import { siteContrast } from './site-contrast.ts'
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
  const canvas = { side: config.imageSize, pixels: model.pixels }
  return [
    globalComponent(config, model, keeps, classes),
    supervised,
    ...(model.moe.blocks.length === 0 ? [] : [expertComponent(config, model, train.beta)]),
    distillation(train),
    ...acrossSites(train, config, canvas),
    ...betweenSites(method, config, rounds),
    ...(train.mixup == null ? [] : [mixup(train.mixup)]),
    ...(train.structure == null ? [] : [structure(train.structure, lowResSide(config))]),
    ...teaching(train, config, canvas),
    ...guessing(method, { maskSide: lowResSide(config), classes }),
    ...(viewsOf(train) === 1 ? [] : [consistency(train.views!.consistency!)])
  ]
}

type Canvas = Parameters<typeof dualTeacher>[1]

/** For sites whose images look unlike. */
function acrossSites ({ swap, episode: asked, align }: TrainSettings, config: SamConfig, canvas: Canvas): Component[] {
  return [
    ...(swap == null ? [] : [styleSwap(swap, canvas)]),
    ...(asked == null ? [] : [episode(asked, { ...canvas, maskSide: lowResSide(config) })]),
    ...(align == null ? [] : [alignment(align, config.width)])
  ]
}

/** What a site learns of how it is to the others, and with them of images alone. */
function betweenSites (method: MethodSettings | undefined, { width }: SamConfig, rounds: number): Component[] {
  const pretrained = pretrainingOf(method)
  return [
    ...(selects(method) ? [siteContrast(method.siteContrast, width)] : []),
    ...(pretrained == null ? [] : [{ name: 'label-free', groups: projectionGroups(width, pretrained) }]),
    ...(method?.relations == null ? [] : [relationPull(method.relations, rounds)])
  ]
}

/** What teaches where nothing is marked, and what goes with it. */
function teaching (train: TrainSettings, { width }: SamConfig, canvas: Canvas): Component[] {
  const taught = dualTeacherOf(train)
  const { perturbedFeatures: perturbed } = train
  return [
    ...(taught == null ? [] : [dualTeacher(taught, canvas)]),
    ...(perturbed == null || perturbed.weight === 0 ? [] : [perturbedFeatures(perturbed, width)])
  ]
}

/** What learns from images without whole masks by the model's own answers. */
function guessing (
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
