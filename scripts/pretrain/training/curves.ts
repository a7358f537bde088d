import { LineChart, type LineSeriesOption } from 'echarts/charts'
import { GridComponent, LegendComponent, type GridComponentOption, type LegendComponentOption } from 'echarts/components'
import { use, type ComposeOption } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { svgChart } from '../../../src/report/svg-chart.ts'
import { PROMPTS } from '../batches/batch.ts'
import type { Scores } from './scores.ts'

use([LineChart, GridComponent, LegendComponent, SVGRenderer])

type Option = ComposeOption<LineSeriesOption | GridComponentOption | LegendComponentOption>

/** What is known at a checkpoint. */
export interface Mark {
  readonly step: number
  /** Mean training loss of the last steps. */
  readonly loss: number
  readonly scores: Scores
}

const SIZE = { width: 720, height: 360 }
const TEXT = { fontFamily: 'system-ui, sans-serif', color: '#1b2430' } as const
const AXIS = { nameLocation: 'middle', nameTextStyle: TEXT, axisLabel: TEXT } as const
const COLOURS = { none: '#0072b2', point: '#d55e00', box: '#009e73' } as const

/** Held-out IoU for each kind of prompt, and the training loss, by step: one SVG that needs nothing else. */
export function curvesSvg (history: readonly Mark[]): string {
  return svgChart(option(history), SIZE)
}

function option (history: readonly Mark[]): Option {
  const line = (name: string, color: string, value: (mark: Mark) => number, axis: 0 | 1): LineSeriesOption => ({
    type: 'line',
    name,
    yAxisIndex: axis,
    data: history.map((mark) => [mark.step, value(mark)]),
    symbol: 'circle',
    symbolSize: 4,
    lineStyle: { color, width: axis === 0 ? 2.5 : 1.5, type: axis === 0 ? 'solid' : 'dashed' },
    itemStyle: { color }
  })
  return {
    backgroundColor: '#ffffff',
    legend: { top: 8, textStyle: TEXT },
    grid: { left: 64, right: 64, top: 44, bottom: 48 },
    xAxis: { type: 'value', name: 'step', nameGap: 28, max: history.at(-1)?.step ?? 1, ...AXIS, splitLine: { show: false } },
    yAxis: [
      {
        type: 'value',
        name: 'held-out IoU',
        nameGap: 40,
        min: 'dataMin',
        ...AXIS,
        axisLabel: { ...TEXT, formatter: (value: number) => value.toFixed(2) },
        splitLine: { lineStyle: { color: '#dfe4ea' } }
      },
      {
        type: 'value',
        name: 'training loss',
        nameGap: 40,
        min: 'dataMin',
        ...AXIS,
        axisLabel: { ...TEXT, formatter: (value: number) => value.toFixed(2) },
        splitLine: { show: false }
      }
    ],
    series: [
      ...PROMPTS.map((prompt) => line(prompt, COLOURS[prompt], ({ scores }) => scores[prompt], 0)),
      line('loss', '#7a7a7a', ({ loss }) => loss, 1)
    ]
  }
}
