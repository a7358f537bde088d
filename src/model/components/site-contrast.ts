import * as tf from '@tensorflow/tfjs-core'
import type { HostRecord } from '../../compute/index.ts'
import type { MethodSettings } from '../../settings/method.ts'
import { ownVector, selection } from '../blocks/site-selection.ts'
import { stopped } from '../objectives/alignment.ts'
import { selectionGroups } from '../parameters/site-selection.ts'
import { scalar } from '../train/host-records.ts'
import type { Component, Term } from './component.ts'

/** So many other sites are contrasted with in a round. */
export const MOST_OTHERS = 16

const TERM: Term = {
  name: 'site contrast',
  weight: '@siteContrast',
  loss: ({ student: { unselected }, weights }) => {
    const own = selection(unselected, ownVector(weights), weights)
    const others = stopped(selection(unselected, weights['@siteVectors']!, weights))
    return siteContrastLoss(own, others, weights['@siteShares']!)
  }
}

/**
 * Minus the mean squared difference of what the site selects [B,1,d] and what others would [B,n,d], by their shares [n]: −1 to 0, lower
 * where they differ more.
 */
export function siteContrastLoss (own: tf.Tensor, others: tf.Tensor, shares: tf.Tensor): tf.Scalar {
  const bySite = tf.mean(tf.mean(tf.square(tf.sub(own, others)), 2), 0)
  return tf.neg(tf.sum(tf.mul(bySite, shares)))
}

/**
 * In phase G a site learns to select channels of the embedding otherwise than the others whose vectors it knows
 * (docs/spec/weak.md#site-contrast); without any it selects all the same.
 */
export function siteContrast (settings: NonNullable<MethodSettings['siteContrast']>, width: number): Component {
  return {
    name: 'site contrast',
    groups: selectionGroups(width, settings),
    terms: { G: [TERM] },
    inputs: (phase, { round, siteVectors = [] }) => phase === 'G' ? feeds(inTurn(siteVectors, round), settings) : {}
  }
}

function feeds (vectors: readonly Float32Array[], { weight, size }: { readonly weight: number, readonly size: number }): HostRecord {
  if (weight === 0 || vectors.length === 0) return {}
  const data = new Float32Array(MOST_OTHERS * size)
  vectors.forEach((vector, i) => { data.set(vector, i * size) })
  const shares = Float32Array.from({ length: MOST_OTHERS }, (_, i) => i < vectors.length ? 1 / vectors.length : 0)
  return {
    '@siteContrast': scalar(weight),
    '@siteVectors': { shape: [MOST_OTHERS, size], data },
    '@siteShares': { shape: [MOST_OTHERS], data: shares }
  }
}

/** Those whose turn it is, where there are more: each comes as often as any other. */
export function inTurn<T> (all: readonly T[], round: number): T[] {
  const count = Math.min(MOST_OTHERS, all.length)
  return Array.from({ length: count }, (_, i) => all[((round - 1) * count + i) % all.length]!)
}
