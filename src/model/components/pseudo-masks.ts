import * as tf from '@tensorflow/tfjs-core'
import type { HostRecord } from '../../compute/index.ts'
import { toPseudoTargets, type Fitted } from '../../dataset/index.ts'
import type { PseudoSettings } from '../../settings/pseudo.ts'
import { edgeWeightedLoss, edgeWeights } from '../objectives/edge-weighted.ts'
import { scalar } from '../train/host-records.ts'
import type { Component, Run, Term } from './component.ts'

interface PseudoInit {
  readonly maskSide: number
  readonly classes: number
}

const TERM: Term = {
  name: 'pseudo-masks',
  weight: '@pseudo',
  loss: (run) => {
    const { '@guesses': targets, '@edges': edges, '@certainty': certainty } = run.weights
    return edgeWeightedLoss(run.student.masks, { targets: targets!, edges: edges!, certainty: tf.mul(certainty!, unknownOf(run)) })
  }
}

/** 1 where nothing is known of a class, [B,C,L,L]: what is known stands above what is guessed. */
export function unknownOf ({ known, targets }: Pick<Run, 'known' | 'targets'>): tf.Tensor {
  return known == null ? tf.zerosLike(targets) : tf.sub(1, known)
}

/** In phase G images are trained on the masks that a generator made up for them (docs/spec/weak.md#pseudo-masks). */
export function pseudoMasks ({ weight }: PseudoSettings, { maskSide, classes }: PseudoInit): Component {
  return {
    name: 'pseudo-masks',
    terms: { G: [TERM] },
    feeds: (phase, batch, _, { samples }): HostRecord =>
      phase === 'G' && samples.some(({ pseudo }) => pseudo != null)
        ? { '@pseudo': scalar(weight), ...guesses(batch, maskSide, classes) }
        : {}
  }
}

function guesses (batch: readonly Fitted[], side: number, classes: number): HostRecord {
  const shape = [batch.length, classes, side, side]
  const { targets, certainty } = toPseudoTargets(batch, side, classes)
  const edges = new Float32Array(targets.length)
  for (let from = 0; from < targets.length; from += side ** 2) edges.set(edgeWeights(targets.subarray(from, from + side ** 2), side), from)
  return { '@guesses': { shape, data: targets }, '@certainty': { shape, data: certainty }, '@edges': { shape, data: edges } }
}
