import { init, type EChartsCoreOption } from 'echarts/core'

/**
 * Draws a chart whose parts were registered with echarts' `use`: one SVG, `width` × `height` pixels, that needs nothing else, no style of
 * its own either: a page may forbid them.
 */
export function svgChart (option: EChartsCoreOption, { width, height }: { readonly width: number, readonly height: number }): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height })
  chart.setOption({ animation: false, ...option })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return withAttributes(svg)
}

/** What the renderer says as styles, as attributes; its classes serve styles under the pointer alone. */
function withAttributes (svg: string): string {
  return svg.replaceAll(/<style[^>]*>[^]*?<\/style>/g, '').replaceAll(/ class="[^"]*"/g, '')
    .replaceAll(/ style="([^"]*)"/g, (_, style: string) =>
      style.split(';').filter((each) => each !== '').map((each) => {
        const at = each.indexOf(':')
        return ` ${each.slice(0, at)}="${each.slice(at + 1)}"`
      }).join(''))
}
