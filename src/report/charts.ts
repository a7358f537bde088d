import { BarChart, CustomChart, LineChart, type BarSeriesOption, type CustomSeriesOption, type LineSeriesOption } from 'echarts/charts'
import { GridComponent, MarkLineComponent } from 'echarts/components'
import { use, type ComposeOption } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { ACCENT, ALONE, BAD, FAINT, FROZEN, INK, LINE, siteColour, themed } from './palette.ts'
import { svgChart } from './svg-chart.ts'

use([BarChart, CustomChart, LineChart, GridComponent, MarkLineComponent, SVGRenderer])

type Option = ComposeOption<BarSeriesOption | CustomSeriesOption | LineSeriesOption>

type Range = readonly [low: number, high: number]

/** One site of a run, as the charts show it; Dice from 0 to 1, null where it is unknown. */
interface ChartedSite {
  readonly name: string
  readonly dice: Readonly<Record<'frozen' | 'local' | 'global' | 'personal', number | null>>
  readonly bytesSent: number
  readonly bytesReceived: number
  /** After each finished round. */
  readonly history: readonly ChartedRound[]
}

export interface ChartedRound {
  readonly round: number
  readonly global: number
  readonly personal: number
  /** 95 % intervals; drawn where two rounds and more have some. */
  readonly intervals?: Readonly<Record<'global' | 'personal', Range>> | undefined
}

/** Relative consensus distance after each round, last after the cool-down (round null). */
export type ChartedConsensus = readonly { readonly round: number | null, readonly distance: number }[]

interface Data {
  readonly hospitals: readonly ChartedSite[]
  readonly consensus: ChartedConsensus
}

// Near the widths at which the page shows them, so that letters keep their size.
export const WIDE = 980
export const HALF = 470
export const FONT = 'system-ui, sans-serif'
export const AXIS = {
  nameTextStyle: { color: FAINT, fontFamily: FONT, fontSize: 12 },
  axisLabel: { color: FAINT, fontFamily: FONT, fontSize: 12 },
  axisLine: { lineStyle: { color: LINE } },
  axisTick: { show: false },
  splitLine: { lineStyle: { color: LINE } },
  minorSplitLine: { show: false }
} as const
export const ROUNDS = {
  type: 'value',
  name: 'round',
  nameLocation: 'middle',
  nameGap: 26,
  minInterval: 1,
  ...AXIS,
  splitLine: { show: false }
} as const
export const NAMES_DOWN = { type: 'category', inverse: true, ...AXIS, axisLabel: { ...AXIS.axisLabel, color: INK } } as const
export const GRID = { left: 8, right: 24, top: 28, bottom: 34, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' } as const

/** Frozen, alone (with --compare), global and personal Dice side by side. */
export function finalDiceChart ({ hospitals }: Data): string {
  const modes = [
    ['frozen', FROZEN],
    ...(hospitals.some(({ dice }) => dice.local != null) ? [['local', ALONE]] : []),
    ['global', '#56b4e9'],
    ['personal', ACCENT]
  ] as [keyof ChartedSite['dice'], string][]
  return draw(WIDE, 300, {
    grid: { ...GRID, bottom: 8 },
    xAxis: {
      type: 'category',
      data: hospitals.map(({ name }) => name),
      ...AXIS,
      axisLabel: { ...AXIS.axisLabel, color: INK, interval: 0 }
    },
    yAxis: { type: 'value', min: 0, max: 1, ...AXIS },
    series: modes.map(([mode, color]) => ({
      type: 'bar',
      name: mode,
      data: hospitals.map(({ dice }) => dice[mode]),
      itemStyle: { color, borderRadius: [3, 3, 0, 0] },
      barMaxWidth: 34,
      barGap: '12%',
      label: {
        show: hospitals.length <= 6,
        position: 'top',
        color: INK,
        fontFamily: FONT,
        fontSize: 11,
        formatter: ({ value }) => Number(value).toFixed(2)
      }
    }))
  })
}

/** Personal (solid) and global (dashed) Dice after each round; before the first round both equal the frozen model. */
export function diceChart ({ hospitals }: { readonly hospitals: readonly Pick<ChartedSite, 'dice' | 'history'>[] }): string {
  const lowest = Math.min(1, ...hospitals.flatMap(({ dice, history }) => [dice.frozen ?? 1, ...history.map(lowestOf)]))
  const bands = hospitals.flatMap(({ history }, index) =>
    (['global', 'personal'] as const).flatMap((mode) => bandSeries(history, mode, siteColour(index))))
  const lines = hospitals.flatMap((hospital, index) =>
    (['global', 'personal'] as const).map((mode): LineSeriesOption => ({
      type: 'line',
      data: [
        ...(hospital.dice.frozen == null ? [] : [[0, hospital.dice.frozen]]),
        ...hospital.history.map((each) => [each.round, each[mode]])
      ],
      lineStyle: { color: siteColour(index), width: mode === 'personal' ? 2.5 : 1.5, type: mode === 'personal' ? 'solid' : 'dashed' },
      itemStyle: { color: siteColour(index) },
      symbol: 'circle',
      showSymbol: hospital.history.length <= MARKED,
      symbolSize: mode === 'personal' ? 6 : 4
    }))
  )
  return draw(HALF, 320, {
    grid: GRID,
    xAxis: ROUNDS,
    yAxis: { type: 'value', name: 'Dice', min: Math.floor(lowest * 10) / 10, max: 1, ...AXIS },
    series: [...bands, ...lines]
  })
}

/** More points than these are a line. */
const MARKED = 40

function lowestOf ({ global, personal, intervals }: ChartedRound): number {
  return Math.min(global, personal, intervals?.global[0] ?? 1, intervals?.personal[0] ?? 1)
}

/** A faint band from the lower to the upper bounds. */
function bandSeries (history: readonly ChartedRound[], mode: 'global' | 'personal', color: string): CustomSeriesOption[] {
  const known = history.flatMap(({ round, intervals }) => intervals == null ? [] : [{ round, range: intervals[mode] }])
  if (known.length < 2) return []
  const edge = (end: 0 | 1): [number, number][] => known.map(({ round, range }) => [round, range[end]])
  return [{
    type: 'custom',
    silent: true,
    data: edge(0),
    renderItem: ({ dataIndex }, api) => dataIndex > 0
      ? null
      : {
          type: 'polygon',
          shape: { points: [...edge(1), ...edge(0).toReversed()].map((point) => api.coord(point)) },
          style: { fill: color, opacity: mode === 'personal' ? 0.22 : 0.12 }
        }
  }]
}

/** Log axes have no 0, and what is smaller would only flatten the rest: drawn at the bottom, named as it is. */
const FLOOR = 1e-4
const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹'

/** Two digits; a power of ten where zeros would be many: 0.16, 7·10⁻⁸. */
export function describeDistance (distance: number): string {
  if (distance === 0 || distance >= 1e-3) return String(Number(distance.toPrecision(2)))
  const [digit, exponent] = distance.toExponential(0).split('e-')
  const power = `10⁻${[...exponent ?? ''].map((each) => SUPERSCRIPTS[Number(each)]).join('')}`
  return digit === '1' ? power : `${digit}·${power}`
}

/** Exact relative distance after each round and after the cool-down, log scale. */
export function consensusChart ({ consensus, limit }: Pick<Data, 'consensus'> & { readonly limit?: number }): string {
  const lastRound = Math.max(0, ...consensus.map(({ round }) => round ?? 0))
  const every = consensus.length <= 12
  const points = consensus.map(({ round, distance }, index) => ({
    value: [round == null ? 'end' : String(round), Math.max(distance, FLOOR)],
    label: { show: every || index === consensus.length - 1, formatter: describeDistance(distance) }
  }))
  return draw(HALF, 320, {
    grid: GRID,
    xAxis: {
      type: 'category',
      data: [...Array.from({ length: lastRound }, (_, index) => String(index + 1)), ...(consensus.at(-1)?.round === null ? ['end'] : [])],
      name: 'after round',
      nameLocation: 'middle',
      nameGap: 26,
      ...AXIS
    },
    yAxis: {
      type: 'log',
      name: 'relative distance',
      ...AXIS,
      nameTextStyle: { ...AXIS.nameTextStyle, align: 'left' },
      axisLabel: { ...AXIS.axisLabel, formatter: describeDistance },
      min: FLOOR,
      max: 10 ** Math.ceil(Math.log10(Math.max(1, ...consensus.map(({ distance }) => distance))))
    },
    series: [{
      type: 'line',
      data: points,
      symbol: 'circle',
      symbolSize: 7,
      lineStyle: { color: ACCENT, width: 2.5 },
      itemStyle: { color: ACCENT },
      showSymbol: consensus.length <= MARKED,
      label: { position: every ? 'top' : 'left', color: INK, fontFamily: FONT, fontSize: 11 },
      ...(limit == null ? {} : { markLine: limitLine(limit) })
    }]
  })
}

function limitLine (limit: number): NonNullable<LineSeriesOption['markLine']> {
  return {
    silent: true,
    symbol: 'none',
    data: [{ yAxis: limit }],
    lineStyle: { color: BAD, type: 'dashed', width: 1.5 },
    label: { formatter: `limit ${limit}`, position: 'insideEndTop', color: BAD, fontFamily: FONT, fontSize: 11 }
  }
}

type Carried = Pick<ChartedSite, 'name' | 'bytesSent' | 'bytesReceived'>

/** Megabytes where one of them fills one, else kilobytes; a count of bytes in them, and in words. */
export function byteUnit (all: readonly Pick<Carried, 'bytesSent' | 'bytesReceived'>[]): {
  unit: 'MB' | 'kB'
  of: (bytes: number) => number
  words: (bytes: number) => string
} {
  const isLarge = all.some(({ bytesSent, bytesReceived }) => Math.max(bytesSent, bytesReceived) >= 1e6)
  const of = (bytes: number): number => bytes / (isLarge ? 1e6 : 1e3)
  return { unit: isLarge ? 'MB' : 'kB', of, words: (bytes) => of(bytes).toFixed(1) }
}

/** Adapters sent and received. */
export function bytesChart ({ hospitals }: { readonly hospitals: readonly Carried[] }): string {
  const { unit, of } = byteUnit(hospitals)
  const bars = (name: string, color: string, pick: (hospital: Carried) => number): BarSeriesOption => ({
    type: 'bar',
    name,
    data: hospitals.map((hospital) => of(pick(hospital))),
    itemStyle: { color, borderRadius: [0, 3, 3, 0] },
    barMaxWidth: 16,
    label: { show: true, position: 'right', color: INK, fontFamily: FONT, fontSize: 11, formatter: ({ value }) => Number(value).toFixed(1) }
  })
  return draw(WIDE, 64 + 46 * hospitals.length, {
    grid: { ...GRID, right: 48, top: 8 },
    xAxis: { type: 'value', name: unit, nameLocation: 'middle', nameGap: 26, ...AXIS },
    yAxis: { ...NAMES_DOWN, data: hospitals.map(({ name }) => name) },
    series: [bars('sent', ACCENT, ({ bytesSent }) => bytesSent), bars('received', '#56b4e9', ({ bytesReceived }) => bytesReceived)]
  })
}

/** An SVG that follows the page's colours and width. */
export function draw (width: number, height: number, option: Option): string {
  return themed(svgChart(option, { width, height }).replace(/^<svg width="\d+" height="\d+"/, '<svg'))
}
