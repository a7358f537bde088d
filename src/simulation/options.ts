import { z } from 'zod'
import { averaging } from '../settings/averaging.ts'
import { count, defaultsOf, setting } from '../settings/setting.ts'

/** Virtual milliseconds in which every live site initiates once. */
export const CYCLE_MS = 10_000
/** Liars' noise, in multiples of the spread at the start. */
export const LIE = 100
/** What one step of training adds to each number, in multiples of the spread at the start: far below the spread to be reached. */
export const LEARNING = 1e-5
/** Streams of random numbers, apart, so that one setting does not change what another draws. */
export const STREAM = { values: 0, roles: 1, churn: 2, network: 3, turns: 4, lies: 5, gossip: 6, training: 7, facts: 8 } as const
/** Rounds where there are stragglers and nothing else is said. */
const ROUNDS = 20

const number = z.number()

export const simulation = z.strictObject({
  peers: setting(count.min(2).max(100_000), 'Virtual sites', { default: 100 }),
  dim: setting(count.max(10_000_000), 'Numbers in each vector', { default: 256 }),
  cycles: setting(count.max(10_000), 'Cycles: in each, every site that is there initiates one exchange; of no account with --rounds', {
    default: 30
  }),
  rounds: setting(
    number.int().min(0).max(10_000).optional(),
    "Rounds of training, until every site has finished them: each by the daemon's own plan, pace and catching up; 0 for exchanges alone",
    { otherwise: `${ROUNDS} with --stragglers or --secure, else 0` }
  ),
  partner: averaging.shape.partner,
  codec: averaging.shape.codec,
  loss: setting(number.min(0).max(0.9), 'Share of messages that never arrive', { default: 0 }),
  churn: setting(number.min(0).max(0.9), 'Share of sites that are away in each cycle and then return with their state', { default: 0 }),
  stragglers: setting(number.min(0).max(1), 'Share of sites that are slow', { default: 0 }),
  slowness: setting(count.max(1_000), 'A step of training takes slow sites so many times as long, or their turns and messages do', {
    default: 4
  }),
  clusters: setting(
    number.int().min(0).max(8),
    'Kinds of sites: each tells facts of its kind, and goes to those first that it finds alike; 0: sites tell nothing, and go to any',
    { default: 0 }
  ),
  secure: setting(z.boolean(), 'Sites seal what they train: masked groups carry it', { default: false }),
  spread: setting(
    number.min(1e-6).max(1),
    'With rounds: how long until the sites that are not slow are so close to their mean, relative to the start, is said',
    { default: 0.001 }
  ),
  liars: setting(number.min(0).max(0.5), `Share of sites that send noise of ${LIE} times the spread`, { default: 0 }),
  delay: setting(number.min(0).max(2_000), `Average time of a message, where a cycle takes ${CYCLE_MS}`, {
    default: 0,
    unit: 'milliseconds'
  }),
  offset: setting(number.min(0).max(1e6), 'Size of a vector that all have in common, in multiples of the spread', { default: 0 }),
  maxMass: setting(number.min(1).max(1e6), 'Masses are drawn from 1 to this, evenly on a log scale', { default: 1 }),
  radius: setting(number.min(0.01).max(1e9), 'Clip radius at the start, in multiples of the spread', { default: 4 }),
  seed: setting(z.number().int().min(0).max(2 ** 31 - 1), 'Same seed, same history', { default: 1 })
})

export type SimulationOptions = Readonly<z.infer<typeof simulation>>

export const DEFAULTS: SimulationOptions = simulation.parse(defaultsOf(simulation))

/** Rounds of training; 0 where sites do nothing but exchange. */
export function roundsOf ({ rounds, stragglers, secure }: SimulationOptions): number {
  return rounds ?? (stragglers > 0 || secure ? ROUNDS : 0)
}
