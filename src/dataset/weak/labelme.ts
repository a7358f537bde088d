import { InputError } from '../../errors.ts'
import type { Point } from '../../formats/polygons.ts'
import { isNumbers, isRecord, joinedMarks, NO_MARKS, type StatedMarks } from './stated.ts'

/** A circle becomes an outline of so many corners. */
const CORNERS = 64

/** Whether a JSON file is of labelme's form. */
export function isLabelme (value: unknown): value is Record<string, unknown> & { readonly shapes: unknown[] } {
  return isRecord(value) && Array.isArray(value['shapes']) && ('imagePath' in value || 'imageData' in value)
}

/**
 * The shapes of a labelme file: polygons and circles are outlines, rectangles boxes, points points, lines scribbles; undefined where it has
 * none. @throws InputError whose message is a reason without the file's name
 */
export function parseLabelme (
  { shapes, imageWidth: width, imageHeight: height }: Record<string, unknown> & { readonly shapes: unknown[] },
  file: string
): StatedMarks | undefined {
  const size = typeof width === 'number' && typeof height === 'number' ? { width, height } : undefined
  const marks = shapes.map((shape): StatedMarks => ({ file, size, ...shapeOf(shape) }))
  return marks.length === 0 ? undefined : marks.reduce(joinedMarks)
}

function shapeOf (stated: unknown): Omit<StatedMarks, 'file' | 'size'> {
  const { label, at, type } = partsOf(stated)
  const needs = (least: number): void => {
    if (at.length < least) throw new InputError(`a ${type} has too few points: draw it again`)
  }
  switch (type) {
    case 'polygon':
      needs(3)
      return { ...NO_MARKS, outlines: [{ label, shape: [at] }] }
    case 'circle':
      needs(2)
      return { ...NO_MARKS, outlines: [{ label, shape: [around(at[0]!, at[1]!)] }] }
    case 'rectangle':
      needs(2)
      return { ...NO_MARKS, boxes: [{ corners: [at[0]!, at[1]!], label }] }
    case 'point':
    case 'points':
      return { ...NO_MARKS, points: at.map((one) => ({ at: one, label })) }
    case 'line':
    case 'linestrip':
      needs(2)
      return { ...NO_MARKS, lines: [{ points: at, label }] }
    default:
      throw new InputError(`a shape is of the kind ${type}: use polygon, rectangle, circle, point or linestrip`)
  }
}

function partsOf (stated: unknown): { readonly label: string, readonly at: readonly Point[], readonly type: string } {
  const { label, points, shape_type: type = 'polygon' } = isRecord(stated) ? stated : {}
  if (typeof label !== 'string' || !Array.isArray(points) || !points.every((each) => isNumbers(each) && each.length === 2)) {
    throw new InputError('a shape has no label or no points: save the file again')
  }
  return { label, at: points as Point[], type: String(type) }
}

function around ([x, y]: Point, [edgeX, edgeY]: Point): Point[] {
  const radius = Math.hypot(edgeX - x, edgeY - y)
  return Array.from({ length: CORNERS }, (_, i): Point => {
    const angle = 2 * Math.PI * i / CORNERS
    return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)]
  })
}
