import * as tf from '@tensorflow/tfjs-core'
import type { ModelSettings } from '../../settings/model.ts'
import { balanceLoss } from '../blocks/experts.ts'
import { expertTensors, gateNoise } from '../parameters/expert-set.ts'
import { gridSide, type SamConfig } from '../sam/build-sam.ts'
import type { Component } from './component.ts'

/**
 * Λ: experts beside blocks of the encoder, this site's own, trained in phase L with a term that keeps all of them in use
 * (docs/spec/pfedsam.md#private-experts). @throws InputError for a block that the model lacks or more experts per token than there are.
 */
export function expertComponent (config: SamConfig, { moe }: Pick<ModelSettings, 'moe'>, beta: number): Component {
  const rows = moe.gate === 'image' ? 1 : gridSide(config) ** 2
  return {
    name: 'experts',
    groups: [{ name: 'experts', owner: 'own', phase: 'L', parameters: expertTensors(config, moe) }],
    terms: {
      L: [{
        name: 'balance',
        weight: beta,
        loss: ({ student: { routing } }) => tf.div(tf.addN(routing.map(balanceLoss)), routing.length)
      }]
    },
    feeds: (phase, batch, random) => phase === 'L' ? gateNoise(moe, batch.length * rows, random) : {}
  }
}
