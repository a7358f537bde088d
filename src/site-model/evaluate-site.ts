import { mean } from '../common/mean.ts'
import { loadDataset, splitSlices } from '../dataset/index.ts'
import { InputError } from '../errors.ts'
import type { Mode } from '../settings/model.ts'
import type { ComputeSettings } from '../settings/site/compute.ts'
import { openSiteModel } from './site-model.ts'
import { fitScored } from './split.ts'

interface Score { readonly dice: number, readonly iou: number, readonly hd95: number }
interface ModeScore extends Score { readonly perSlice: readonly (Score & { readonly id: string })[] }
export type Evaluation = Record<Mode, ModeScore> & { readonly round: number, readonly slices: number, readonly skipped: number }

/** Dice, IoU and HD95 (pixels) of all three modes on a data set; `validation` keeps only the split that training never saw. */
export async function evaluateSite (
  home: string,
  data: string,
  split: 'validation' | 'all',
  compute: Partial<ComputeSettings> = {}
): Promise<Evaluation> {
  const site = await openSiteModel(home, compute)
  try {
    const dataset = await loadDataset(data, { axis: site.config.axis, labels: site.labels })
    const slices = split === 'all'
      ? dataset.slices
      : splitSlices(dataset.slices, { seed: site.federation.document.training.seed }).validation
    if (slices.length === 0) {
      throw new InputError(
        `${data} has ${
          split === 'all' ? 'no slices' : `no slices to validate with (${dataset.slices.length} in all): use --split all`
        }, or look at it with consilium data check`
      )
    }
    const samples = await fitScored(slices, site.learner.inputSize)
    const score = async (mode: Mode): Promise<ModeScore> => {
      const { dice, perSample } = await site.learner.evaluate({ adapter: site.adapter, samples, mode })
      return {
        dice,
        iou: finiteMean(perSample.map((each) => each.iou)),
        hd95: finiteMean(perSample.map((each) => each.hd95)),
        perSlice: perSample
      }
    }
    return {
      round: site.round,
      slices: slices.length,
      skipped: dataset.problems.length,
      frozen: await score('frozen'),
      global: await score('global'),
      personal: await score('personal')
    }
  } finally {
    await site.close()
  }
}

/** HD95 is undefined where only one of truth and prediction is empty; such slices are left out of its mean. */
function finiteMean (values: readonly number[]): number {
  return mean(values.filter(Number.isFinite))
}
