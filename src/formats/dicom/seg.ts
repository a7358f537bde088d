import { InputError } from '../../errors.ts'
import type { Voxels } from '../nifti.ts'
import { Canvas, slicesByReference, type DrawnLabels, type Segment, type SegmentRule } from './canvas.ts'
import { decimals, item, items, short, shorts, text } from './elements.ts'
import { cross, dot, framePlane, type Plane, type Vector } from './instance.ts'
import type { DataSet } from './parse.ts'
import { openPixels, type PixelFile } from './pixels.ts'
import { depthOf, type PlacedFrame, type Stack } from './stacks.ts'

const [SHARED, PER_FRAME] = ['x52009229', 'x52009230']
/** How far from the middle of an image's voxel that of a segment may lie, in voxels. */
const OFF_VOXEL = 0.1
const HALF = 'DICOM segmentations of shares (FRACTIONAL): what is at least half is foreground'
const OFF = 'the segmentation does not lie on the voxels of its series: it was drawn on another image, or resampled'

/** What a segmentation says of its segments. */
function segmentsOf (dataSet: DataSet): Segment[] {
  return items(dataSet, 'x00620002').map((each) => ({
    number: short(each, 'x00620004') ?? 0,
    names: ['x00620005', 'x00620006'].flatMap((tag) => text(each, tag) ?? [])
      .concat(['x0062000f'].flatMap((tag) => text(item(each, tag), 'x00080104') ?? [])),
    isBody: false
  }))
}

/** The labels of a DICOM SEG on the voxels of the stack that it was drawn on. @throws InputError whose message has no file name */
export async function readSeg (file: string, stack: Stack, rule: SegmentRule): Promise<DrawnLabels> {
  const pixels = await openPixels(file)
  const { dataSet } = pixels
  const type = text(dataSet, 'x00620001') ?? 'BINARY'
  const segments = segmentsOf(dataSet)
  const { valueOf, notes } = rule(segments)
  const values = new Map(segments.map((segment) => [segment.number, valueOf(segment)]))
  const canvas = new Canvas(stack)
  for (const { value, isKnown } of values.values()) if (isKnown) canvas.know(value)
  const least = type === 'FRACTIONAL' ? (short(dataSet, 'x0062000e') ?? 255) / 2 : 1
  const place = placer(stack, pixels)
  for (let index = 0; index < pixels.frames; index++) {
    const group = items(dataSet, PER_FRAME)[index]
    const own = segmentOf(group, dataSet)
    const stored = await pixels.frame(index)
    const target = place(group)
    draw(stored, target, pixels, (voxel, number) => {
      const { value = 0 } = (type === 'LABELMAP' ? values.get(number) : number >= least ? values.get(own) : undefined) ?? {}
      if (value > 0) canvas.put(voxel, value)
    })
  }
  return { voxels: canvas.labels, notes: type === 'FRACTIONAL' ? [...notes, HALF] : notes }
}

function segmentOf (group: DataSet | undefined, dataSet: DataSet): number {
  const within = item(group, 'x0062000a') ?? item(dataSet, SHARED, 'x0062000a')
  return shorts(within ?? dataSet, 'x0062000b')[0] ?? 1
}

/** Pixel (i, j) of a frame is voxel start + i·across + j·down of the stack, as far as it lies in it. */
interface Target {
  readonly slice: number
  readonly start: readonly [number, number]
  readonly across: readonly [number, number]
  readonly down: readonly [number, number]
  readonly columns: number
  readonly rows: number
}

function draw (stored: Voxels, target: Target, { columns }: PixelFile, put: (voxel: number, value: number) => void): void {
  const { slice, start, across, down } = target
  const first = slice * target.columns * target.rows
  for (let at = 0; at < stored.length; at++) {
    const value = stored[at]!
    if (value === 0) continue
    const [i, j] = [at % columns, Math.floor(at / columns)]
    const x = start[0] + i * across[0] + j * down[0]
    const y = start[1] + i * across[1] + j * down[1]
    if (x < 0 || y < 0 || x >= target.columns || y >= target.rows) throw new InputError(OFF)
    put(first + y * target.columns + x, value)
  }
}

/** Where frames of a segmentation belong: by their planes, or by the images that they name. */
function placer (stack: Stack, { dataSet, rows, columns }: PixelFile): (group: DataSet | undefined) => Target {
  const shared = item(dataSet, SHARED)
  const referred = slicesByReference(stack)
  const size = { columns: stack.dims[0], rows: stack.dims[1] }
  const whole = (slice: number): Target => ({ slice, start: [0, 0], across: [1, 0], down: [0, 1], ...size })
  const placed = stack.place == null ? [] : stack.frames as readonly PlacedFrame[]
  const nearest = slicesByDepth(placed)
  return (group) => {
    const plane = framePlane(group, shared)
    if (plane != null && placed.length > 0) return onPlane(plane, { placed, nearest }, { rows, columns }, size)
    const source = item(group, 'x00089124', 'x00082112') ?? item(shared, 'x00089124', 'x00082112')
    const named = referred(text(source, 'x00081155') ?? '', decimals(source, 'x00081160')?.[0])
    const slice = named ?? (stack.frames.length === 1 ? 0 : undefined)
    if (slice == null || rows !== size.rows || columns !== size.columns) throw new InputError(OFF)
    return whole(slice)
  }
}

type Size = Pick<Target, 'rows' | 'columns'>

interface Slices { readonly placed: readonly PlacedFrame[], readonly nearest: ReturnType<typeof slicesByDepth> }

function onPlane (plane: Plane, { placed, nearest }: Slices, { rows, columns }: Size, size: Size): Target {
  const { slice, off } = nearest(depthIn(placed, plane.position))
  if (off > OFF_VOXEL) throw new InputError(OFF)
  const image = placed[slice]!.plane
  const inPixels = (vector: Vector): [number, number] =>
    [dot(vector, image.along) / image.spacing[1], dot(vector, image.down) / image.spacing[0]]
  const times = (vector: Vector, factor: number): Vector => [vector[0] * factor, vector[1] * factor, vector[2] * factor]
  const exact = {
    start: inPixels(minus(plane.position, image.position)),
    across: inPixels(times(plane.along, plane.spacing[1])),
    down: inPixels(times(plane.down, plane.spacing[0]))
  }
  const whole = (pair: readonly [number, number]): [number, number] => [Math.round(pair[0]), Math.round(pair[1])]
  const steps = { start: whole(exact.start), across: whole(exact.across), down: whole(exact.down) }
  const away = [0, 1].map((axis) => Math.abs(exact.start[axis]! - steps.start[axis]!) +
    (columns - 1) * Math.abs(exact.across[axis]! - steps.across[axis]!) + (rows - 1) * Math.abs(exact.down[axis]! - steps.down[axis]!))
  const isFlat = Math.abs(dot(cross(plane.along, plane.down), cross(image.along, image.down))) > 0.999
  if (!isFlat || Math.max(...away) > OFF_VOXEL) throw new InputError(OFF)
  return { slice, ...steps, ...size }
}

/** Finds the slice nearest to a depth along the normal, and how far it is, in distances of slices. */
export function slicesByDepth (placed: readonly PlacedFrame[]): (depth: number) => { slice: number, off: number } {
  const depths = placed.map(depthOf)
  return (depth) => {
    let slice = 0
    for (let at = 1; at < depths.length; at++) if (Math.abs(depths[at]! - depth) < Math.abs(depths[slice]! - depth)) slice = at
    const other = depths[slice === 0 ? 1 : slice - 1]
    const step = other == null ? 1 : Math.abs(other - depths[slice]!)
    return { slice, off: Math.abs(depths[slice]! - depth) / step }
  }
}

/** mm of a place along the normal of a stack. */
export function depthIn ([first]: readonly PlacedFrame[], place: Vector): number {
  return dot(place, cross(first!.plane.along, first!.plane.down))
}

export function minus (a: Vector, b: Vector): Vector {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}
