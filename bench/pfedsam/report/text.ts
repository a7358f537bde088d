import Table from 'cli-table3'
import type { LabelNoise } from '../../../src/experiment/label-noise.ts'
import { conditionName, labellingInWords, MARKED } from '../labels.ts'
import { seedwise } from '../seedwise.ts'
import type { DataSummary, MethodSummary, Spread } from '../summary.ts'

const HEAD = [
  'Dice', 'worst site', 'sd over sites', 'agreement', 'global Dice', 'IoU', 'HD95 (missed)', 'passes', 'kB/site/round', 'MB at ViT-B',
  'rounds to 95 %', 'train s'
]
/** Columns of those data sets alone in which a method has them. */
const FOUND = [
  { head: 'own group %', value: ({ within }: MethodSummary) => within, shown: points },
  { head: 'Rand index', value: ({ rand }: MethodSummary) => rand, shown: (rand: Spread) => plain(rand, 2) }
] as const

const HEADS = { scribble: 'scribbles', points: 'points', box: 'boxes', block: 'blocks' } as const

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

/** The columns after a method's name. */
export function cellsOf (method: MethodSummary, summary: Pick<DataSummary, 'methods'>): string[] {
  const { dice, worst, overSites, agreement, globalDice, iou, hd95, missed, passes, bytes, roundsTo95, seconds } = method
  return [
    points(dice),
    points(worst),
    points(overSites),
    agreement == null ? '–' : plain(agreement, 2),
    points(globalDice),
    points(iou),
    `${hd95 == null ? '–' : plain(hd95, 1)} (${missed.mean.toFixed(0)})`,
    passes.toFixed(2),
    (bytes.mean / 1_000).toFixed(0),
    (bytesVitB(method) / 1e6).toFixed(2),
    plain(roundsTo95, 0),
    seconds.mean.toFixed(0),
    ...foundIn(summary).map(({ value, shown }) => {
      const found = value(method)
      return found == null ? '–' : shown(found)
    })
  ]
}

/** The columns after a method's name, of its sites. */
export function siteCellsOf ({ sites, worst, overSites }: MethodSummary): string[] {
  return [...sites.map(({ dice }) => dice), worst, overSites].map(points)
}

function foundIn ({ methods }: Pick<DataSummary, 'methods'>): readonly typeof FOUND[number][] {
  return FOUND.filter(({ value }) => methods.some((method) => value(method) != null))
}

export function headOf (summary: DataSummary): { readonly measures: readonly string[], readonly sites: readonly string[] } {
  const sites = summary.methods[0]?.sites.map(({ name }) => name) ?? []
  return { measures: [...HEAD, ...foundIn(summary).map(({ head }) => head)], sites: [...sites, 'worst site', 'sd over sites'] }
}

interface Rows { readonly head: readonly string[], readonly rows: readonly (readonly string[])[] }

/** Sites that took no part. */
export function unseenTable ({ unseen }: DataSummary): Rows {
  return {
    head: [
      'unseen site', 'zero-shot', 'less FedAvg-LoRA', 'without labels', 'after 2 rounds',
      'others alone, served', 'others alone, shared part'
    ],
    rows: unseen.map(({ title, zeroShot, overPlain, adapted, personalised, localServed, localShared }) =>
      [title, ...[zeroShot, overPlain, adapted, personalised, localServed, localShared].map(pointsOrNone)])
  }
}

/** What each site serves, on the images of the others. */
export function crossTable ({ methods }: DataSummary): Rows {
  return {
    head: ["a site's model on", 'its own images', 'those of sites alike', 'those of sites unlike it'],
    rows: methods.flatMap(({ title, dice, cross }) =>
      cross == null ? [] : [[title, points(dice), points(cross.alike), pointsOrNone(cross.unlike)]])
  }
}

/** Where training images lack masks: Dice by kind of marks, beside rows with masks of all; passes are what it costs. */
export function labelTable ({ labelling, methods, masked }: DataSummary): Rows {
  if (labelling == null) return { head: [], rows: [] }
  const marked = methods.find(({ method }) => method === MARKED)
  const kinds = methods[0]?.kinds.map(({ kind }) => kind) ?? []
  const row = (each: MethodSummary, title: string): string[] => {
    const apart = marked == null || each === marked ? undefined : seedwise(each, marked)
    const less = apart == null || apart.count === 0 ? '–' : points(apart)
    return [title, ...each.kinds.map(({ dice }) => points(dice)), points(each.dice), points(each.worst), less, each.passes.toFixed(2)]
  }
  return {
    head: ['Dice by kind of label', ...kinds.map((kind) => HEADS[kind]), 'all sites', 'worst site', `less ${MARKED}, by seed`, 'passes'],
    rows: [...methods.map((each) => row(each, each.title)), ...masked.map((each) => row(each, `${each.title}, all masks`))]
  }
}

export function noiseInWords ({ sites, share, radius }: LabelNoise): string {
  const who = `${(100 * share).toFixed(0)} % of the training patients of ${sites.join(', ')}`
  return `simulated noise: outlines of ${who} lie ${radius} pixels too far out or in`
}

function pointsOrNone (value: Spread | undefined): string {
  return value == null ? '–' : points(value)
}

/** What a terminal shows of one data set. */
export function textTable (summary: DataSummary): string {
  const { measures, sites } = headOf(summary)
  const style = { head: [], border: [] }
  const main = new Table({ head: ['method', ...measures], style })
  for (const method of summary.methods) main.push([method.title, ...cellsOf(method, summary)])
  const bySite = new Table({ head: ['Dice', ...sites], style })
  for (const method of summary.methods) bySite.push([method.title, ...siteCellsOf(method)])
  const given = [labelTable(summary), crossTable(summary), unseenTable(summary)].filter(({ rows }) => rows.length > 0)
  const further = given.map(({ head, rows }) => {
    const each = new Table({ head: [...head], style })
    each.push(...rows.map((row) => [...row]))
    return each.toString()
  })
  const { noise, labelling } = summary
  const simulated = [labelling == null ? [] : labellingInWords(labelling), noise == null ? [] : noiseInWords(noise)].flat()
  const title = [`${conditionName(summary)}, seeds ${summary.seeds.join(', ')}`, ...simulated].join('; ')
  return [title, main.toString(), bySite.toString(), ...further].join('\n')
}
