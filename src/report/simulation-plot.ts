import { LineChart, type LineSeriesOption } from 'echarts/charts'
import {
  GridComponent,
  LegendComponent,
  TitleComponent,
  type GridComponentOption,
  type LegendComponentOption,
  type TitleComponentOption
} from 'echarts/components'
import { use, type ComposeOption } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { html, Markup } from './markup.ts'
import { renderHtml } from './page.ts'
import { siteColour } from './palette.ts'
import { svgChart } from './svg-chart.ts'

use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer])

type Option = ComposeOption<LineSeriesOption | GridComponentOption | LegendComponentOption | TitleComponentOption>

interface Described {
  readonly peers: number
  readonly dim: number
  readonly partner: string
  readonly codec: string
  readonly seed: number
}

interface Measured {
  /** Variance over the honest sites, and over those among them that are not slow where sites train; cycle 0 is the start. */
  readonly cycles: readonly { readonly cycle: number, readonly variance: number, readonly others?: number }[]
  /** Factor of the variance per cycle; null where theory says nothing. */
  readonly theoryRate: number | null
}

/** What stands beside the measured line. */
interface Beside {
  readonly name: string
  readonly data: [number, number][]
}

const SIZE = { width: 720, height: 420 }
/** Of the variance, relative to the start: below is rounding. */
const FLOOR = 1e-12
const TEXT = { fontFamily: 'system-ui, sans-serif', color: '#1b2430' } as const
const AXIS = { nameLocation: 'middle', nameTextStyle: TEXT, axisLabel: TEXT, splitLine: { lineStyle: { color: '#dfe4ea' } } } as const

/** Variance per cycle relative to the start, on a log scale, beside theory or sites that are not slow: one SVG that needs nothing else. */
export function plotSvg (options: Described, { cycles, theoryRate }: Measured): string {
  const first = cycles[0]?.variance ?? 1
  const measured = cycles.map(({ cycle, variance }): [number, number] => [cycle, Math.max(variance / first, FLOOR)])
  const start = cycles[0]?.others ?? 1
  const others = cycles.flatMap((each): [number, number][] =>
    each.others == null ? [] : [[each.cycle, Math.max(each.others / start, FLOOR)]]
  )
  const theory = theoryRate == null
    ? []
    : cycles.map(({ cycle }): [number, number] => [cycle, theoryRate ** cycle]).filter(([, value]) => value >= FLOOR)
  const beside: Beside = others.length > 0 ? { name: 'sites that are not slow', data: others } : { name: 'theory', data: theory }
  const least = Math.min(...[...measured, ...others].map(([, value]) => value))
  return svgChart(chartOption(options, measured, beside, least), SIZE)
}

// White, as the chart is, which must be readable as a file of its own too.
const STYLE = 'body { font: 16px/1.5 system-ui, sans-serif; max-width: 760px; margin: 32px auto; padding: 0 16px; color: #1b2430; ' +
  'background: #fff } svg { width: 100%; height: auto } pre { overflow-x: auto }'

/** The same as a page, with the figures below. */
export function plotPage (svg: string, summary: string): string {
  const body = html`<h1>Simulated averaging</h1>
${new Markup(svg)}
<pre>${summary}</pre>`
  return renderHtml({ title: 'Consilium: simulated averaging', style: STYLE, body })
}

function chartOption (
  { peers, dim, partner, codec, seed }: Described,
  measured: [number, number][],
  beside: Beside,
  least: number
): Option {
  return {
    backgroundColor: '#ffffff',
    title: {
      text: `${peers} sites × ${dim} numbers, partner ${partner}, codec ${codec}, seed ${seed}`,
      left: 'center',
      top: 8,
      textStyle: { ...TEXT, fontSize: 14, fontWeight: 'normal' }
    },
    legend: { top: 32, textStyle: TEXT },
    grid: { left: 72, right: 24, top: 64, bottom: 48 },
    xAxis: { type: 'value', name: 'cycle', nameGap: 28, minInterval: 1, max: measured.length - 1, ...AXIS },
    yAxis: {
      type: 'log',
      name: 'variance relative to the start',
      nameGap: 48,
      min: 10 ** Math.floor(Math.log10(least)),
      max: 1,
      ...AXIS,
      axisLabel: { ...TEXT, formatter: (value: number) => value.toExponential(0) }
    },
    series: [
      {
        type: 'line',
        name: 'measured',
        data: measured,
        symbol: 'circle',
        symbolSize: 6,
        lineStyle: { color: siteColour(0), width: 2.5 },
        itemStyle: { color: siteColour(0) }
      },
      {
        type: 'line',
        ...beside,
        symbol: 'none',
        lineStyle: { color: siteColour(1), width: 1.5, type: 'dashed' },
        itemStyle: { color: siteColour(1) }
      }
    ]
  }
}
