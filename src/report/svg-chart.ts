import { init, type EChartsCoreOption } from 'echarts/core'

/** Draws a chart whose parts were registered with echarts' `use`: one SVG, `width` × `height` pixels, that needs nothing else. */
export function svgChart (option: EChartsCoreOption, { width, height }: { readonly width: number, readonly height: number }): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  chart.setOption({ animation: false, ...option })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}
