import type { FederationSettings } from './schema.ts'

/**
 * Averaging settings of docs/spec/gossip.md#default-values; one initiation instead of two, because under `exponential` it stands for
 * two steps (docs/gossip.md).
 */
export function defaultAveraging ({ coolDownSeconds }: { coolDownSeconds: number }): FederationSettings['averaging'] {
  return {
    codec: 'auto',
    partner: 'exponential',
    weighting: 'images',
    maxMass: 1_000,
    initiationsPerRound: 1,
    clipRadius: 100,
    normBound: 10_000,
    staleness: 3,
    coolDown: { distance: 0.02, seconds: coolDownSeconds }
  }
}
