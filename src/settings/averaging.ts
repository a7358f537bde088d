import { z } from 'zod'
import { CODECS } from '../gossip-aggregation/codecs/codec.ts'
import { PARTNER_RULES } from '../gossip-aggregation/partner-choice.ts'
import { secure } from './secure.ts'
import { count, defaultsOf, positive, setting } from './setting.ts'

/** A slip of the hand shall not become a federation that never ends: a week. */
const MOST_COOL_DOWN_SECONDS = 604_800

const coolDown = z.strictObject({
  distance: setting(positive, 'Relative distance from the others at which a site that has finished stops exchanging', { default: 0.02 }),
  seconds: setting(positive.max(MOST_COOL_DOWN_SECONDS), 'Longest exchange-only time after the last round', {
    default: 120,
    unit: 'seconds'
  })
})

/**
 * How sites average (docs/spec/gossip.md#default-values); one initiation instead of two, because under `exponential` it stands for two
 * steps (docs/gossip.md).
 */
export const averaging = z.strictObject({
  codec: setting(
    z.enum([...CODECS, 'auto']),
    'How vectors travel; auto begins coarse and goes up when quantisation is what keeps sites apart',
    { default: 'auto' }
  ),
  partner: setting(z.enum(PARTNER_RULES), 'How sites choose whom to ask', { default: 'exponential' }),
  weighting: setting(z.enum(['images', 'uniform']), 'What a site counts for: its training images, or the same as any other', {
    default: 'images'
  }),
  maxMass: setting(positive, 'No site counts for more than this', { default: 1_000, unit: 'images' }),
  initiationsPerRound: setting(count, 'Exchanges that a site begins after phase G of a round', { default: 1 }),
  clipRadius: setting(positive, 'Largest length of a change that one exchange may apply', { default: 100 }),
  normBound: setting(positive, 'Largest length of the adapter that the release gate lets out', { default: 10_000 }),
  staleness: setting(count, 'Most rounds by which two sites may differ and still exchange', { default: 3, unit: 'rounds' }),
  coolDown,
  secure: secure.optional()
})

export type AveragingSettings = Readonly<z.infer<typeof averaging>>

export function defaultAveraging ({ coolDownSeconds }: { coolDownSeconds: number }): AveragingSettings {
  return averaging.parse({ ...defaultsOf(averaging), coolDown: { ...defaultsOf(coolDown), seconds: coolDownSeconds } })
}
