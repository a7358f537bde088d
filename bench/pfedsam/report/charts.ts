import type { BarSeriesOption, LineSeriesOption } from 'echarts/charts'
import { METHODS } from '../../../src/experiment/methods.ts'
import { AXIS, FONT, GRID, HALF, NAMES_DOWN, ROUNDS, WIDE, draw } from '../../../src/report/charts.ts'
import { ACCENT, INK, siteColour } from '../../../src/report/palette.ts'
import type { MethodSummary } from '../summary.ts'
import { points } from './text.ts'

const LABEL = { show: true, position: 'right', color: INK, fontFamily: FONT, fontSize: 11 } as const
const OURS = 'pfedsam-gossip'

/** A method's colour in every chart of a page. */
export function methodColour (method: string): string {
  return method === OURS ? ACCENT : siteColour(METHODS.findIndex(({ name }) => name === method))
}

/** Mean Dice of every method as a bar; sd in its label. */
export function diceBars (methods: readonly MethodSummary[]): string {
  const least = Math.min(...methods.map(({ dice }) => dice.mean))
  return bars(methods, methods.map(({ dice }) => ({ value: 100 * dice.mean, label: points(dice) })), {
    type: 'value',
    min: Math.max(0, Math.floor(10 * least) * 10 - 10),
    max: 100,
    ...AXIS
  })
}

/** Kilobytes per site and round, log scale; methods that send nothing are left out. */
export function byteBars (methods: readonly MethodSummary[]): string {
  const sending = methods.filter(({ bytes }) => bytes.mean > 0)
  return bars(sending, sending.map(({ bytes }) => ({ value: bytes.mean / 1_000, label: (bytes.mean / 1_000).toFixed(0) })), {
    type: 'log',
    min: 1,
    ...AXIS
  })
}

function bars (methods: readonly MethodSummary[], values: readonly { value: number, label: string }[], xAxis: object): string {
  const series: BarSeriesOption = {
    type: 'bar',
    data: values.map(({ value, label }, index) => ({
      value,
      itemStyle: { color: methodColour(methods[index]!.method), borderRadius: [0, 3, 3, 0] },
      label: { ...LABEL, formatter: label }
    })),
    barMaxWidth: 18
  }
  return draw(WIDE, 50 + 30 * methods.length, {
    // Where there is no browser's font, text is measured narrower than some are.
    grid: { ...GRID, left: 48, right: 90, top: 8 },
    xAxis,
    yAxis: { ...NAMES_DOWN, data: methods.map(({ title }) => title) },
    series: [series]
  })
}

/** Mean Dice over the sites after every scored round. */
export function curves (methods: readonly MethodSummary[]): string {
  const series = methods.map(({ method, curve }): LineSeriesOption => ({
    type: 'line',
    data: curve.map(({ round, dice }) => [round, 100 * dice.mean]),
    lineStyle: { color: methodColour(method), width: method === OURS ? 3 : 1.6 },
    itemStyle: { color: methodColour(method) },
    symbol: 'circle',
    symbolSize: method === OURS ? 6 : 4,
    z: method === OURS ? 3 : 2
  }))
  return draw(HALF, 340, {
    grid: GRID,
    xAxis: ROUNDS,
    yAxis: { type: 'value', name: 'Dice, points', min: 0, max: 100, ...AXIS },
    series
  })
}

/** Dice of every site, a group of bars each. */
export function siteBars (methods: readonly MethodSummary[]): string {
  const sites = methods[0]?.sites.map(({ name }) => name) ?? []
  return draw(HALF, 340, {
    grid: { ...GRID, bottom: 8 },
    xAxis: { type: 'category', data: sites, ...AXIS, axisLabel: { ...AXIS.axisLabel, color: INK, interval: 0, rotate: 20, fontSize: 10 } },
    yAxis: { type: 'value', min: 0, max: 100, ...AXIS },
    series: methods.map(({ method, sites: own }): BarSeriesOption => ({
      type: 'bar',
      data: own.map(({ dice }) => 100 * dice.mean),
      itemStyle: { color: methodColour(method) },
      barGap: '8%',
      barCategoryGap: '24%'
    }))
  })
}
