import type { GlobalGroup } from '../../settings/method.ts'
import type { ModelSettings } from '../../settings/model.ts'
import { globalGroups } from '../parameters/shared-set.ts'
import type { SamConfig } from '../sam/build-sam.ts'
import type { Component } from './component.ts'

/**
 * Γ: what of encoder and decoder is trained in phase G (docs/spec/pfedsam.md#shared-parameters). @throws InputError for a block that
 * the model lacks.
 */
export function globalComponent (
  config: SamConfig,
  settings: ModelSettings,
  keeps: readonly GlobalGroup[] = [],
  classes = 1
): Component {
  return { name: 'global', groups: globalGroups(config, settings, keeps, classes) }
}
