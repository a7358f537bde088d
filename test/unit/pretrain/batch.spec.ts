import { expect } from 'chai'
import { BatchStream } from '../../../scripts/pretrain/batches/batch-stream.ts'
import { fitted, PROMPTS, toTaskBatch } from '../../../scripts/pretrain/batches/batch.ts'
import { drawSample } from '../../../scripts/pretrain/scenes/sample.ts'

const SIDE = 128
const LOW = 32
const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((total, value) => total + value, 0)

describe('batches of tasks', () => {
  const samples = [5, 6, 7].map((index) => drawSample(1, index, SIDE))
  const batch = toTaskBatch(samples, LOW)

  it('hold the targets prompt by prompt, averaged over the area of each cell', () => {
    expect(batch.targets).to.have.length(PROMPTS.length * samples.length * LOW * LOW)
    PROMPTS.forEach((prompt, k) => {
      samples.forEach((sample, i) => {
        const at = (k * samples.length + i) * LOW * LOW
        const target = batch.targets.subarray(at, at + LOW * LOW)
        expect(sum(target) * (SIDE / LOW) ** 2).to.be.closeTo(sum(sample[prompt].mask), 0.01)
        expect(Math.max(...target)).to.be.at.most(1.0001)
      })
    })
  })

  it('are zero beyond the content', () => {
    samples.forEach(({ height, width }, i) => {
      const image = batch.images.subarray(i * SIDE * SIDE * 3, (i + 1) * SIDE * SIDE * 3)
      const beyond = image.filter((_, at) => Math.floor(at / 3) % SIDE >= width || Math.floor(at / 3 / SIDE) >= height)
      expect(beyond.every((value) => value === 0)).to.equal(true)
    })
  })

  it('cut image and mask to the content for scoring', () => {
    for (const sample of samples) {
      const slice = fitted(sample, 'box')
      expect(slice.mask).to.have.length(sample.height * sample.width)
      expect(sum(slice.mask)).to.equal(sum(sample.box.mask))
    }
  })

  it('come from the worker in the order of the steps, from any step on', async () => {
    const options = { seed: 9, batch: 2, side: SIDE, lowResSide: LOW }
    const expected = (step: number) => toTaskBatch([2 * step, 2 * step + 1].map((index) => drawSample(9, index, SIDE)), LOW)
    const stream = new BatchStream({ ...options, first: 3 })
    try {
      for (const step of [3, 4, 5, 6, 7]) expect(await stream.next()).to.deep.equal(expected(step))
    } finally {
      await stream.close()
    }
  })

  it('reject when the worker fails', async () => {
    const stream = new BatchStream({ seed: 9, batch: 1, side: SIDE, lowResSide: 33, first: 0 })
    try {
      const failure: unknown = await stream.next().catch((error: unknown) => error)
      expect(failure).to.be.instanceOf(Error)
    } finally {
      await stream.close()
    }
  })
})
