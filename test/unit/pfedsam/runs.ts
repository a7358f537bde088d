import type { Job } from '../../../src/experiment/jobs.ts'
import { packBits } from '../../../src/experiment/masks.ts'
import type { RunRecord } from '../../../src/experiment/run-job.ts'

/** A run whose sites have these Dice. */
export function runOf (job: Job, dice: readonly number[]): RunRecord {
  const image = { dice: 0, iou: 0, hd95: null }
  return {
    job,
    sites: dice.map((value, site) => ({
      name: `site-${site}`,
      images: 4,
      bytesSent: 4_000,
      globalDice: value,
      dice: value,
      iou: value,
      hd95: null,
      missed: 0,
      perImage: [image],
      example: { index: 0, dice: value, mask: packBits(new Uint8Array(4)) }
    })),
    curve: [{ round: 0, dice }, { round: 2, dice }],
    size: 10,
    trainSeconds: 1,
    seconds: 1
  }
}
