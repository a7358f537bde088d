import type { HostRecord } from '../../compute/index.ts'
import type { MethodSettings } from '../../settings/method.ts'
import { perElement, type Layout } from '../parameters/layout.ts'
import { vector } from './host-records.ts'

type Turns = NonNullable<MethodSettings['alternate']>

/** What a mask is made by of the features, as the output convolution is in other networks. */
const HEAD = /^mask_decoder\.(passes\.\d+\.)?(mask_tokens|output_hypernetworks_mlps)\b/

/**
 * `@rate` of each step of phase G (from 1 at the start of the site's training): first the head alone, then everything else, and again; what
 * has no turn has the rate 0. Numbers beyond the layout always learn. Nothing where the method has no turns.
 */
export function ratesInTurn (layout: Layout, rate: Float32Array, turns: Turns | undefined): (step: number) => HostRecord {
  if (turns == null) return () => ({})
  const ofHead = perElement(layout, ({ name }) => HEAD.test(name) ? 1 : 0)
  const [head, body] = [1, 0].map((turn) => vector(rate.map((each, i) => i >= layout.size || ofHead[i] === turn ? each : 0)))
  const cycle = turns.head + turns.body
  return (step) => ({ '@rate': (step - 1) % cycle < turns.head ? head! : body! })
}
