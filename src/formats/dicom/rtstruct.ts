import { InputError } from '../../errors.ts'
import { readCapped } from '../file.ts'
import { fillPolygons, type Point } from '../polygons.ts'
import { Canvas, type DrawnLabels, type Segment, type SegmentRule } from './canvas.ts'
import { decimals, items, text } from './elements.ts'
import { dot, type Vector } from './instance.ts'
import { parseWhole, type DataSet } from './parse.ts'
import { depthIn, minus, slicesByDepth } from './seg.ts'
import type { PlacedFrame, Stack } from './stacks.ts'

const ACROSS = 'contours that run across slices: leave them out'
const NO_PLACE = 'its images do not say where they lie, so contours cannot be drawn on them: use a DICOM SEG'

/** The regions of a structure set. */
function regionsOf (dataSet: DataSet): Segment[] {
  const types = new Map(items(dataSet, 'x30060080').map((each) => [number(each, 'x30060084'), text(each, 'x300600a4')]))
  return items(dataSet, 'x30060020').map((each) => {
    const own = number(each, 'x30060022')
    return { number: own, names: [text(each, 'x30060026') ?? ''], isBody: types.get(own) === 'EXTERNAL' }
  })
}

/**
 * The labels of an RTSTRUCT on the voxels of its stack: on each slice a pixel is inside where its middle is, by the even-odd rule over all
 * contours of the region there. @throws InputError whose message has no file name
 */
export async function readStructures (file: string, stack: Stack, rule: SegmentRule): Promise<DrawnLabels> {
  if (stack.place == null) throw new InputError(NO_PLACE)
  const placed = stack.frames as readonly PlacedFrame[]
  const dataSet = parseWhole(await readCapped(file))
  const regions = regionsOf(dataSet)
  const { valueOf, notes } = rule(regions)
  const canvas = new Canvas(stack)
  for (const region of regions) {
    const { value, isKnown } = valueOf(region)
    if (value === 0) continue
    if (isKnown) canvas.know(value)
    const contours = items(dataSet, 'x30060039').filter((each) => number(each, 'x30060084') === region.number)
    for (const [slice, polygons] of bySlice(contours, placed)) {
      fillPolygons(polygons, stack.dims[0], stack.dims[1], (pixel) => { canvas.put(slice * canvas.size + pixel, value) })
    }
  }
  return { voxels: canvas.labels, notes }
}

function number (dataSet: DataSet, tag: string): number {
  return decimals(dataSet, tag)?.[0] ?? 0
}

/** Closed contours by the slice nearest to their plane, in its pixels; what lies more than half a slice from any is beyond the image. */
function bySlice (regions: readonly DataSet[], placed: readonly PlacedFrame[]): Map<number, Point[][]> {
  const found = new Map<number, Point[][]>()
  const nearest = slicesByDepth(placed)
  for (const contour of regions.flatMap((each) => items(each, 'x30060040'))) {
    if (!/^CLOSED/.test(text(contour, 'x30060042') ?? '')) continue
    const points = pointsOf(contour)
    if (points.length < 3) continue
    const depths = points.map((point) => depthIn(placed, point))
    const [low, high] = [nearest(depths.reduce((a, b) => Math.min(a, b))), nearest(depths.reduce((a, b) => Math.max(a, b)))]
    const { slice, off } = nearest(depths[0]!)
    if (low.slice !== high.slice) throw new InputError(ACROSS)
    if (off > 0.5) continue
    const { position, along, down, spacing } = placed[slice]!.plane
    const polygon = points.map((point): Point => {
      const offset = minus(point, position)
      return [dot(offset, along) / spacing[1], dot(offset, down) / spacing[0]]
    })
    found.set(slice, [...found.get(slice) ?? [], polygon])
  }
  return found
}

function pointsOf (contour: DataSet): Vector[] {
  const values = decimals(contour, 'x30060050') ?? []
  return Array.from({ length: Math.floor(values.length / 3) }, (_, at) => values.slice(3 * at, 3 * at + 3) as unknown as Vector)
}
