import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'chai'
import fc from 'fast-check'
import type { CompiledStep, HostRecord } from '../../../src/compute/index.ts'
import { knownLoss } from '../../../src/model/objectives/supervised.ts'
import { testEngine } from './golden.ts'

const SHAPE: [number, number, number, number] = [2, 1, 2, 3]
const values = (least: number, most: number): fc.Arbitrary<number[]> =>
  fc.array(fc.double({ min: least, max: most, noNaN: true }).map(Math.fround), { minLength: 12, maxLength: 12 })

interface Outcome { readonly loss: number, readonly gradient: readonly number[] }

let step: CompiledStep

async function outcome (
  logits: readonly number[],
  targets: readonly number[],
  known: readonly number[],
  overlap: readonly number[] = [1, 1]
): Promise<Outcome> {
  const of = (data: readonly number[], shape: readonly number[] = SHAPE): HostRecord[string] => ({ shape, data: Float32Array.from(data) })
  const { loss, gradient } = await step.run({ z: of(logits), y: of(targets), w: of(known), counted: of(overlap, [2, 1]) })
  return { loss: loss!.data[0]!, gradient: [...gradient!.data] }
}

describe('the loss of what is known', () => {
  before(async () => {
    step = (await testEngine()).compile((t) => {
      const { value, grad } = tf.valueAndGrad((z) => knownLoss(z, { targets: t['y']!, known: t['w']!, overlap: t['counted'] }))(t['z']!)
      return { loss: tf.reshape(value, [1]), gradient: grad }
    })
  })
  after(async () => { await step.dispose() })

  it('is the same whatever stands where nothing is known, and so is its gradient', async () => {
    const bits = fc.array(fc.constantFrom(0, 1), { minLength: 12, maxLength: 12 })
    const [logit, share] = [values(-8, 8), values(0, 1)]
    await fc.assert(fc.asyncProperty(logit, share, logit, share, bits, async (logits, targets, other, otherTargets, known) => {
      const before = await outcome(logits, targets, known)
      const mixed = (own: readonly number[], rest: readonly number[]): number[] => own.map((each, i) => known[i] === 1 ? each : rest[i]!)
      const after = await outcome(mixed(logits, other), mixed(targets, otherTargets), known)
      expect(after.loss).to.equal(before.loss)
      known.forEach((each, i) => {
        if (each === 1) expect(after.gradient[i]).to.equal(before.gradient[i])
        else expect([before.gradient[i], after.gradient[i]].map((x) => Math.abs(x!))).to.deep.equal([0, 0])
      })
    }), { numRuns: 50 })
  })

  it('is 0 without gradient where nothing is known at all', async () => {
    const { loss, gradient } = await outcome(Array<number>(12).fill(3), Array<number>(12).fill(1), Array<number>(12).fill(0))
    expect(Math.abs(loss)).to.equal(0)
    expect(gradient.every((each) => each === 0)).to.equal(true)
  })

  it('is the cross-entropy alone of images whose Dice does not count', async () => {
    const [logits, targets, known] = [[1, -2, 0.5, 3, 0, 1], [1, 0, 1, 0, 0, 0], [1, 1, 1, 0, 0, 1]] as [number[], number[], number[]]
    const twice = (all: readonly number[]): number[] => [...all, ...all]
    const bce = logits.reduce((sum, z, i) => sum + known[i]! * (Math.log1p(Math.exp(z)) - z * targets[i]!), 0) / 4
    expect((await outcome(twice(logits), twice(targets), twice(known), [0, 0])).loss).to.be.closeTo(0.2 * bce, 1e-6)
    const both = await outcome(twice(logits), twice(targets), twice(known))
    // Of two equal images one says as much of Dice as both do.
    expect((await outcome(twice(logits), twice(targets), twice(known), [1, 0])).loss).to.be.closeTo(both.loss, 1e-6)
    expect(both.loss).to.be.above(0.2 * bce + 0.01)
  })
})
