import * as tf from '@tensorflow/tfjs-core'
import type { HostRecord, TensorRecord } from '../../compute/index.ts'
import type { PublicationKind } from '../../settings/publication-kinds.ts'
import { MOMENT_CHANNELS } from '../../settings/publications.ts'
import { DISCRIMINATOR_RATE, type TrainSettings } from '../../settings/training.ts'
import { discriminate, DISCRIMINATOR, discriminatorParameters } from '../blocks/discriminator.ts'
import { crossEntropy, meanDiscrepancy, stopped, withMoments } from '../objectives/alignment.ts'
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
const TELLS = {
  name: 'discriminator',
  weight: 0.5,
  loss: ({ student: { embedding }, aligned, weights }) =>
    tf.add(crossEntropy(discriminate(stopped(embedding), weights), 0), crossEntropy(discriminate(aligned(), weights), 1))
} as const satisfies Term

const DISCREPANCY: Term = {
  name: 'discrepancy',
  weight: '@align',
  loss: ({ student: { embedding }, aligned }) => meanDiscrepancy(embedding, aligned())
}

/** The same terms, where features go to what they would be with the moments of another site; without them there is none. */
function towardsMoments (term: Term): Term {
  return {
    name: term.name,
    weight: term.weight === '@align' ? '@align' : '@alignTells',
    loss: (run) => term.loss({ ...run, aligned: () => withMoments(stopped(run.student.embedding), run.weights['@alignMoments']!) })
  }
}

/**
 * In phase G the features of the images are drawn towards those that another model makes of them, by a discriminator of the site's own or
 * by the discrepancy of both (docs/spec/alignment.md).
 */
export function alignment (settings: Alignment, width: number): Component {
  const { weight, by, target, rate = DISCRIMINATOR_RATE } = settings
  if (weight === 0) return { name: 'alignment' }
  const inputs: Component['inputs'] = (phase, start) => phase === 'G' ? feeds(settings, start, width) : {}
  const terms = (by === 'mmd' ? [DISCREPANCY] : [FOOLS, TELLS]).map((term) => target === 'moments' ? towardsMoments(term) : term)
  if (by === 'mmd') return { name: 'alignment', terms: { G: terms }, inputs }
  const parameters = discriminatorParameters(width, rate)
  return {
    name: 'alignment',
    groups: [{ name: 'discriminator', owner: 'own', phase: 'G', parameters }],
    terms: { G: terms },
    inputs
  }
}

/** The weight rises over the first rounds, in which the discriminator learns already. */
function feeds ({ weight, warmupRounds, target }: Alignment, start: PhaseStart, width: number): HostRecord {
  const risen = warmupRounds === 0 ? 1 : Math.min(1, (start.round - 1) / warmupRounds)
  const align = scalar(weight * risen)
  if (target !== 'moments') return { '@align': align, '@alignGamma': vector(target === 'joint' ? start.gamma : nextOf(start)) }
  const shown = turnOf(start, 'moments')
  return shown == null ? {} : { '@align': align, '@alignTells': scalar(TELLS.weight), '@alignMoments': momentsOf(shown, width) }
}

/** Means, then deviations, of the channels that this base has. */
function momentsOf (shown: Float32Array, width: number): HostRecord[string] {
  const data = new Float32Array(2 * width)
  data.set(shown.subarray(0, width))
  data.set(shown.subarray(MOMENT_CHANNELS, MOMENT_CHANNELS + width), width)
  return { shape: [2, width], data }
}

/** As long as none shows any, the average as it came. */
function nextOf (start: PhaseStart): Float32Array {
  const core = turnOf(start, 'core-adapter')
  return core == null ? start.gamma : start.joined(core)
}

/** Each round another site's, so that in no round two sites have the same one. */
function turnOf ({ round, received }: PhaseStart, of: PublicationKind): Float32Array | undefined {
  const shown = received.filter(({ kind }) => kind === of)
  return shown[(round - 1) % shown.length]?.values
}

function fixed (weights: TensorRecord): TensorRecord {
  const own = Object.entries(weights).filter(([name]) => name.startsWith(DISCRIMINATOR))
  return Object.fromEntries(own.map(([name, tensor]) => [name, stopped(tensor)]))
}
