import * as tf from '@tensorflow/tfjs-core'
import type { ModelSettings } from '../../settings/model.ts'
import { balanceLoss } from '../blocks/experts.ts'
import { expertTensors, gateNoise } from '../parameters/expert-set.ts'
import type { SamConfig } from '../sam/build-sam.ts'
import { encoderPlan } from '../sam/encoder-plan.ts'
import type { Component } from './component.ts'

/**
 * Λ: experts beside blocks of the encoder, this site's own, trained in phase L with a term that keeps all of them in use
 * (docs/spec/pfedsam.md#private-experts). @throws InputError for a block that the model lacks or more experts per token than there are.
 */
export function expertComponent (config: SamConfig, { moe }: Pick<ModelSettings, 'moe'>, beta: number): Component {
  const parameters = expertTensors(config, moe)
  const { tokens } = encoderPlan(config)
  // Blocks may see different numbers of tokens; each takes as much noise as it needs.
  const rows = moe.gate === 'image' ? 1 : Math.max(0, ...moe.blocks.map((block) => tokens(block).side ** 2))
  return {
    name: 'experts',
    groups: [{ name: 'experts', owner: 'own', phase: 'L', parameters }],
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
