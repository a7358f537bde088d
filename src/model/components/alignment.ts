import * as tf from '@tensorflow/tfjs-core'
import type { HostRecord, TensorRecord } from '../../compute/index.ts'
import { DISCRIMINATOR_RATE, type TrainSettings } from '../../settings/training.ts'
import { discriminate, DISCRIMINATOR, discriminatorParameters } from '../blocks/discriminator.ts'
import { crossEntropy, meanDiscrepancy, stopped } from '../objectives/alignment.ts'
import { scalar, vector } from '../train/host-records.ts'
import type { Component, PhaseStart, Term } from './component.ts'

type Alignment = NonNullable<TrainSettings['align']>

/** The features shall pass for the other model's; to this term the discriminator is a constant. */
const FOOLS: Term = {
  name: 'alignment',
  weight: '@align',
  loss: ({ student: { embedding }, weights }) => crossEntropy(discriminate(embedding, fixed(weights)), 1)
}

/** The discriminator shall tell them apart; to this term the features are constants. */
const TELLS: Term = {
  name: 'discriminator',
  weight: 0.5,
  loss: ({ student: { embedding }, aligned, weights }) =>
    tf.add(crossEntropy(discriminate(stopped(embedding), weights), 0), crossEntropy(discriminate(aligned(), weights), 1))
}

const DISCREPANCY: Term = {
  name: 'discrepancy',
  weight: '@align',
  loss: ({ student: { embedding }, aligned }) => meanDiscrepancy(embedding, aligned())
}

/**
 * In phase G the features of the images are drawn towards those that another model makes of them, by a discriminator of the site's own or
 * by the discrepancy of both (docs/spec/alignment.md).
 */
export function alignment (settings: Alignment, width: number): Component {
  const { weight, by, rate = DISCRIMINATOR_RATE } = settings
  if (weight === 0) return { name: 'alignment' }
  const inputs: Component['inputs'] = (phase, start) => phase === 'G' ? feeds(settings, start) : {}
  if (by === 'mmd') return { name: 'alignment', terms: { G: [DISCREPANCY] }, inputs }
  const parameters = discriminatorParameters(width, rate)
  return {
    name: 'alignment',
    groups: [{ name: 'discriminator', owner: 'own', phase: 'G', parameters }],
    terms: { G: [FOOLS, TELLS] },
    inputs
  }
}

/** The weight rises over the first rounds, in which the discriminator learns already. */
function feeds ({ weight, warmupRounds, target }: Alignment, start: PhaseStart): HostRecord {
  const risen = warmupRounds === 0 ? 1 : Math.min(1, (start.round - 1) / warmupRounds)
  return { '@align': scalar(weight * risen), '@alignGamma': vector(target === 'joint' ? start.gamma : nextOf(start)) }
}

/** Each round another site's, so that in no round two sites have the same one; as long as none shows any, the average as it came. */
function nextOf ({ round, gamma, received, joined }: PhaseStart): Float32Array {
  const cores = received.filter(({ kind }) => kind === 'core-adapter')
  const core = cores[(round - 1) % cores.length]
  return core == null ? gamma : joined(core.values)
}

function fixed (weights: TensorRecord): TensorRecord {
  const own = Object.entries(weights).filter(([name]) => name.startsWith(DISCRIMINATOR))
  return Object.fromEntries(own.map(([name, tensor]) => [name, stopped(tensor)]))
}
