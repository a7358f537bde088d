import type { MethodSettings } from '../../settings/method.ts'
import { learnsThreshold, type TrainSettings } from '../../settings/training.ts'
import { driftParts } from './drift.ts'
import { mixedParts, type MixedParts } from './element-mix.ts'
import type { GlobalVector } from './global-vector.ts'
import type { ParameterGroup } from './groups.ts'
import type { Layout } from './layout.ts'
import type { PrivateLayouts } from './private-state.ts'
import { relationCount, relationSizes, type RelationSizes } from './relations.ts'
import { unitsOf, type Units } from './units.ts'

/** What of a method's own there is, and how it lies. */
export interface OwnParts {
  readonly layouts: PrivateLayouts
  readonly units: Units | undefined
  readonly relations: RelationSizes | undefined
  readonly mix: MixedParts | undefined
  /** What is trained beside a core, and at which rate. */
  readonly apart: { readonly count: number, readonly rate: number } | undefined
}

export function ownParts (
  global: GlobalVector,
  experts: Layout,
  { method, train, groups }: {
    readonly method?: MethodSettings | undefined,
    readonly train: TrainSettings,
    readonly groups: readonly ParameterGroup[]
  }
): OwnParts {
  const { layout, kept } = global
  const units = method?.units == null ? undefined : unitsOf(layout)
  const asked = method?.relations
  const relations = asked == null ? undefined : relationSizes(layout, asked)
  const mix = method?.elementMix == null ? undefined : mixedParts(global.schema, groups, method.elementMix)
  const layouts = {
    experts,
    kept,
    copy: method?.personal === 'copy' ? layout.size : 0,
    units: units == null ? undefined : { size: layout.size, count: units.count },
    relations,
    mix,
    drift: driftParts(global.schema, groups, method),
    threshold: learnsThreshold(train)
  }
  return { layouts, units, relations, mix, apart: asked == null ? undefined : { count: relationCount(relations!), rate: asked.rate } }
}
