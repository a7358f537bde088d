import Table from 'cli-table3'
import type { DataSummary, MethodSummary, Spread } from '../summary.ts'

const HEAD = [
  'Dice', 'worst site', 'global Dice', 'IoU', 'HD95 (missed)', 'passes', 'kB/site/round', 'MB at ViT-B', 'rounds to 95 %', 'train s'
]

/** Dice in points: "87.4 ± 0.6". */
export function points ({ mean, sd, count }: Spread): string {
  return count < 2 ? (100 * mean).toFixed(1) : `${(100 * mean).toFixed(1)} ± ${(100 * sd).toFixed(1)}`
}

function plain ({ mean, sd, count }: Spread, digits: number): string {
  return count < 2 ? mean.toFixed(digits) : `${mean.toFixed(digits)} ± ${sd.toFixed(digits)}`
}

/** Bytes per site and round of ViT-B's adapter at the measured bytes per number: computed, not measured. */
function bytesVitB ({ bytes, numbers, numbersVitB }: Pick<MethodSummary, 'bytes' | 'numbers' | 'numbersVitB'>): number {
  return bytes.mean / numbers * numbersVitB
}

/** The columns after a method's name, without and with its sites. */
export function cellsOf (method: MethodSummary): string[] {
  const { dice, worst, globalDice, iou, hd95, missed, passes, bytes, roundsTo95, seconds } = method
  return [
    points(dice),
    points(worst),
    points(globalDice),
    points(iou),
    `${hd95 == null ? '–' : plain(hd95, 1)} (${missed.mean.toFixed(0)})`,
    passes.toFixed(2),
    (bytes.mean / 1_000).toFixed(0),
    (bytesVitB(method) / 1e6).toFixed(2),
    plain(roundsTo95, 0),
    seconds.mean.toFixed(0)
  ]
}

export function headOf ({ methods }: DataSummary): { readonly measures: readonly string[], readonly sites: readonly string[] } {
  return { measures: HEAD, sites: methods[0]?.sites.map(({ name }) => name) ?? [] }
}

/** What a terminal shows of one data set. */
export function textTable (summary: DataSummary): string {
  const { measures, sites } = headOf(summary)
  const style = { head: [], border: [] }
  const main = new Table({ head: ['method', ...measures], style })
  for (const method of summary.methods) main.push([method.title, ...cellsOf(method)])
  const bySite = new Table({ head: ['Dice', ...sites], style })
  for (const method of summary.methods) bySite.push([method.title, ...method.sites.map(({ dice }) => points(dice))])
  const unseen = new Table({
    head: ['unseen site', 'zero-shot', 'after 2 rounds', 'others alone, served', 'others alone, shared part'],
    style
  })
  for (const { title, zeroShot, personalised, localServed, localShared } of summary.unseen) {
    unseen.push([
      title,
      points(zeroShot),
      points(personalised),
      ...[localServed, localShared].map((each) => each == null ? '–' : points(each))
    ])
  }
  const title = `${summary.data}, seeds ${summary.seeds.join(', ')}`
  return [title, main.toString(), bySite.toString(), ...(summary.unseen.length === 0 ? [] : [unseen.toString()])].join('\n')
}
