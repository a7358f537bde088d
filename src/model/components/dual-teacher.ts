import * as tf from '@tensorflow/tfjs-core'
import { branched } from '../../common/random.ts'
import { inOtherLight, toImages, type Fitted, type Pixels } from '../../dataset/index.ts'
import type { TrainSettings } from '../../settings/training.ts'
import { pseudoLabels, pseudoLoss } from '../objectives/pseudo-labels.ts'
import { scalar } from '../train/host-records.ts'
import { studiedOf } from '../train/paired-batches.ts'
import type { Component, Run, Term } from './component.ts'

type DualTeacher = NonNullable<TrainSettings['dualTeacher']>

const TERM: Term = {
  name: 'dual teacher',
  weight: '@taught',
  loss: (run) => {
    const teachers = run.taught()
    const { targets, kept } = pseudoLabels(teachers, run.weights['@threshold']!)
    const last = lastOf(teachers[0]!.shape[0])
    const known = run.known == null ? tf.zerosLike(kept) : last(run.known)
    return pseudoLoss(last(run.student.masks), { targets, kept: tf.mul(kept, tf.sub(1, known)) })
  }
}

/**
 * In phase G the last images of a batch, which have no whole mask, are shown in another light, and learnt from what teachers that see them
 * as they are say of what is not known of them (docs/spec/teachers.md#dual-teacher). A site with whole masks alone trains as without it.
 */
export function dualTeacher (
  { weight }: DualTeacher,
  { side, pixels }: { readonly side: number, readonly pixels: Pixels | undefined }
): Component {
  return {
    name: 'dual-teacher',
    terms: { G: [TERM] },
    views: (phase, batch, random, { samples }) => {
      const studied = phase === 'G' ? studiedOf(samples, batch.length) : 0
      if (studied === 0) return batch
      const own = branched(random)
      return batch.map((each, i) => i < batch.length - studied ? each : inOtherLight(each, own))
    },
    feeds: (phase, _shown, _random, { samples, batch }) => {
      const studied = phase === 'G' ? studiedOf(samples, batch.length) : 0
      if (studied === 0) return {}
      const plain: readonly Fitted[] = batch.slice(-studied)
      return { '@taught': scalar(weight), '@weak': { shape: [studied, side, side, 3], data: toImages(plain, pixels) } }
    }
  }
}

function lastOf (count: number): (x: NonNullable<Run['known']>) => tf.Tensor {
  return (x) => tf.slice(x, [x.shape[0] - count, 0, 0, 0], [count, ...x.shape.slice(1)])
}
