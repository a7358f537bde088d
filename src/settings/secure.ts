import { z } from 'zod'
import type { SecureSettings } from '../gossip-aggregation/groups/group-types.ts'
import { gridScale, mostMembers } from '../gossip-aggregation/groups/sealed-delta.ts'
import { count, oneOf, positive, setting } from './setting.ts'

/** With two, either would know what the other trained. */
const LEAST_MEMBERS = 3
const MOST_SIZE = 16
/** Parts of 1 that a group's sum must tell apart. */
const LEAST_SCALE = 10_000
const DEFAULTS = { size: 4, minimum: LEAST_MEMBERS, bound: 1, patience: 5 } as const

/** Who may see what one site trained (docs/privacy.md#sealed). */
export const secure = z.strictObject({
  mode: setting(
    oneOf(['none', 'sealed']),
    'Whether partners see what each site trained (none), or means of groups alone (sealed)',
    { otherwise: 'must be said with any of the others' }
  ),
  size: setting(count.min(LEAST_MEMBERS).max(MOST_SIZE).optional(), 'Sites of a group, where so many have something to carry', {
    otherwise: String(DEFAULTS.size)
  }),
  minimum: setting(
    count.min(LEAST_MEMBERS).max(MOST_SIZE).optional(),
    'Least sites of a group: two fewer may put together what they know and still learn of no site by itself',
    { otherwise: String(DEFAULTS.minimum) }
  ),
  bound: setting(positive.max(1_000).optional(), 'Largest number of a change that one group carries; the rest goes along with the next', {
    otherwise: String(DEFAULTS.bound)
  }),
  patience: setting(count.max(1_000).optional(), 'Rounds without a group after which a site warns', {
    otherwise: String(DEFAULTS.patience),
    unit: 'rounds'
  })
})

export interface SealedSettings extends SecureSettings {
  /** Rounds. */
  readonly patience: number
}

interface Around {
  readonly maxMass: number
  readonly secure?: z.infer<typeof secure> | undefined
}

/** What holds of a federation that seals; undefined of one that does not. */
export function sealedOf ({ secure: given }: Pick<Around, 'secure'>): SealedSettings | undefined {
  if (given?.mode !== 'sealed') return undefined
  const { size = DEFAULTS.size, minimum = DEFAULTS.minimum, bound = DEFAULTS.bound, patience = DEFAULTS.patience } = given
  return { size, minimum, bound, patience }
}

/** As a document has it that says no more than sealed. */
export function defaultSealed (): SealedSettings {
  return { ...DEFAULTS }
}

/** What would make sums of groups wrong, or too coarse; undefined where all fits together. */
export function conflictInSecure (averaging: Around): string | undefined {
  const sealed = sealedOf(averaging)
  if (sealed == null) return undefined
  const { size, minimum, bound } = sealed
  const { maxMass } = averaging
  if (minimum > size) return `averaging.secure: a group of ${size} is never one of at least ${minimum}: say a larger size`
  if (!Number.isInteger(maxMass)) return 'averaging.secure: sums of groups are exact for whole masses alone: say a whole averaging.maxMass'
  if (gridScale(sealed, maxMass) >= LEAST_SCALE) return undefined
  return `averaging.secure: up to ${mostMembers({ size })} masses of ${maxMass} and numbers to ${bound} leave sums too coarse: ` +
    'say a smaller averaging.maxMass, bound or size'
}
