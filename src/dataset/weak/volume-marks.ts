import { InputError } from '../../errors.ts'
import type { NiftiHeader, Triple } from '../../formats/nifti-header.ts'
import { placeInCut, type Stack } from '../transforms/slicing.ts'
import { NO_MARKS, type StatedMarks } from './stated.ts'

interface Grid { readonly header: Pick<NiftiHeader, 'dims'>, readonly stack: Stack }
type Flat = Omit<StatedMarks, 'file' | 'size'>
type Place = ReturnType<typeof placeInCut>

/**
 * Marks of a volume by slice, in the pixels of its slices. A box is on every slice that it reaches over. @throws InputError whose message
 * is a reason without a file name
 */
export function marksBySlice ({ points, boxes, outlines, lines }: StatedMarks, grid: Grid): Map<number, Flat> {
  if (outlines.length + lines.length > 0) {
    throw new InputError('outlines and lines have no slice, and it is a volume: draw its masks in a program for volumes')
  }
  const found = new Map<number, { points: Flat['points'][number][], boxes: Flat['boxes'][number][] }>()
  const on = (slice: number): { points: Flat['points'][number][], boxes: Flat['boxes'][number][] } => {
    const own = found.get(slice) ?? { points: [], boxes: [] }
    found.set(slice, own)
    return own
  }
  for (const { at, label } of points) {
    const place = placeOf(at, grid)
    on(place.slice).points.push({ at: middle(place, grid.stack), label })
  }
  for (const { corners: [a, b], label } of boxes) {
    const [from, to] = [placeOf(a, grid), placeOf(b, grid)]
    const corners = [middle(least(from, to), grid.stack, 0), middle(most(from, to), grid.stack, 1)] as const
    for (let slice = Math.min(from.slice, to.slice); slice <= Math.max(from.slice, to.slice); slice++) {
      on(slice).boxes.push({ corners, label })
    }
  }
  return new Map([...found].map(([slice, own]) => [slice, { ...NO_MARKS, ...own }]))
}

function placeOf (at: readonly number[], { header: { dims }, stack }: Grid): Place {
  if (at.length !== 3) throw new InputError('its marks name no slice, and it is a volume: write x, y and z in voxels')
  const voxel = at.map(Math.floor) as unknown as Triple
  const isOutside = voxel.some((each, axis) => each < 0 || each >= dims[axis]!)
  if (isOutside) throw new InputError('a mark lies outside the volume: count voxels from 0')
  return placeInCut(dims, stack.cut, voxel)
}

/** Where in the slice's square pixels a voxel lies: its middle, or an edge. */
function middle ({ row, column }: Place, { cut: { rows, columns }, height, width }: Stack, part = 0.5): [number, number] {
  return [(column + part) * width / columns.count, (row + part) * height / rows.count]
}

function least (a: Place, b: Place): Place {
  return { slice: 0, row: Math.min(a.row, b.row), column: Math.min(a.column, b.column) }
}

function most (a: Place, b: Place): Place {
  return { slice: 0, row: Math.max(a.row, b.row), column: Math.max(a.column, b.column) }
}
