/** A point in pixels of a picture; whole numbers are middles of pixels. */
export type Point = readonly [number, number]

/** Pixels whose middles lie inside an odd number of polygons: from each crossing of a row with an edge to the next. */
export function fillPolygons (
  polygons: readonly (readonly Point[])[],
  columns: number,
  rows: number,
  put: (pixel: number) => void
): void {
  const heights = polygons.flatMap((polygon) => polygon.map(([, y]) => y))
  const [top, bottom] = [heights.reduce((a, b) => Math.min(a, b)), heights.reduce((a, b) => Math.max(a, b))]
  for (let row = Math.max(0, Math.floor(top)); row < Math.min(rows, Math.ceil(bottom) + 1); row++) {
    const crossings = polygons.flatMap((polygon) => polygon.flatMap(([x, y], at) => {
      const [x2, y2] = polygon[(at + 1) % polygon.length]!
      return (y <= row) === (y2 <= row) ? [] : [x + (row - y) / (y2 - y) * (x2 - x)]
    })).sort((a, b) => a - b)
    for (let at = 0; at + 1 < crossings.length; at += 2) {
      const last = Math.min(columns, Math.ceil(crossings[at + 1]!))
      for (let column = Math.max(0, Math.ceil(crossings[at]!)); column < last; column++) put(row * columns + column)
    }
  }
}
