import { expect } from 'chai'
import { passesOf } from '../../../bench/pfedsam/passes.ts'
import type { Job } from '../../../src/experiment/jobs.ts'

const JOB = { data: 'fundus-phantom', seed: 1, rounds: 10, train: 1, validation: 1, scoreEvery: 1 } as const
const CONSISTENT: Job['settings'] = { training: { views: { kind: 'gin', share: 1, consistency: 10 } } }

describe('what an image of a round costs', () => {
  const rows: readonly [string, Job['settings'], number][] = [
    ['frozen', {}, 0],
    ['fedavg-lora', {}, 2],
    ['gin', {}, 2],
    ['fedavg-lora', CONSISTENT, 6],
    ['feddg', {}, 6],
    ['fedda-joint', {}, 2 + 2 / 3],
    ['fedda-moments', {}, 2],
    // Of ten rounds four look at no label: 2·(1 + 2/3) of each image in place of 1.
    ['fedu', {}, 0.6 * 2 + 0.4 * 2 * 2 * (1 + 2 / 3)],
    ['fedu-unaligned', {}, 0.6 * 2 + 0.4 * 2 * 2 * (1 + 1 / 3)],
    // Six looks at an image for its pseudo-mask, and the mean teacher at half of the images of both steps.
    ['iscos', {}, 2 + 6 / 3 + 1 / 3],
    ['pfedsam-gossip', {}, 2 + 2 / 3],
    ['pfedsam-gossip', CONSISTENT, 8]
  ]
  for (const [method, settings, passes] of rows) {
    it(`is ${passes.toFixed(2)} passes by ${method}${settings === CONSISTENT ? ' with consistency' : ''}`, () => {
      expect(passesOf({ ...JOB, method, settings: settings ?? {} })).to.be.closeTo(passes, 1e-9)
    })
  }
})
