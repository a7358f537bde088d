import * as tf from '@tensorflow/tfjs-core'
import type { RelationSettings } from '../parameters/relations.ts'
import { scalar } from '../train/host-records.ts'
import type { Component, Term } from './component.ts'

/** Of the pull at the end of an exponential fall. */
const LEAST = 1e-3

const PULL: Term = { name: 'pull', weight: '@pull', loss: ({ relations }) => tf.sum(tf.square(relations())) }

/** In the first rounds what a site takes of the others' cores is drawn to the average alone (docs/spec/mixing.md#relations). */
export function relationPull (settings: RelationSettings, rounds: number): Component {
  return {
    name: 'relations',
    terms: { G: [PULL] },
    inputs: (phase, { round }) => {
      const pull = phase === 'G' ? pullIn(round, rounds, settings) : 0
      return pull > 0 ? { '@pull': scalar(pull) } : {}
    }
  }
}

/** In `round` (from 1) of `rounds`. */
export function pullIn (round: number, rounds: number, { pull, fade, pulled }: Pick<RelationSettings, 'pull' | 'fade' | 'pulled'>): number {
  const last = pulled * rounds
  if (last === 0 || round - 1 >= last) return 0
  const done = (round - 1) / last
  return pull * (fade === 'exponential' ? LEAST ** done : (1 + Math.cos(Math.PI * done)) / 2)
}
