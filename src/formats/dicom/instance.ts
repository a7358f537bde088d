import { InputError } from '../../errors.ts'
import { decimals, item, items, longs, short, text } from './elements.ts'
import { CUT_OFF, PIXELS, readHeader, syntaxOf, type DataSet } from './parse.ts'

export type Vector = readonly [number, number, number]

/** Where a frame lies, in mm towards the patient's left, back and head. */
export interface Plane {
  /** middle of the first pixel */
  readonly position: Vector
  /** along a row, from pixel to pixel; and from row to row */
  readonly along: Vector
  readonly down: Vector
  /** mm between rows, mm between columns */
  readonly spacing: readonly [number, number]
}

/** One frame of a file, and what may tell it from another at the same place. */
export interface Frame {
  readonly file: string
  readonly sop: string
  /** from 0 within its file */
  readonly index: number
  readonly plane: Plane | undefined
  /** number of the instance, and values that differ between times, echoes and directions */
  readonly number: number
  readonly apart: readonly string[]
}

/** What a header says, without the elements: thousands of these stay in memory. */
export interface Instance {
  readonly file: string
  readonly kind: 'image' | 'seg' | 'rtstruct' | 'other'
  readonly sop: string
  readonly sopClass: string
  readonly series: string
  readonly study: string
  readonly frameOfReference: string | undefined
  readonly modality: string
  /** who made it, by the header */
  readonly maker: string | undefined
  /** The PatientID, which is hashed before anything is done with it. */
  readonly patient: string | undefined
  readonly rows: number
  readonly columns: number
  readonly frames: readonly Frame[]
  /** series that a segmentation or structure set was drawn on */
  readonly refersTo: readonly string[]
  /** and the images of these that it names */
  readonly images: readonly string[]
}

const SEGMENTATIONS = ['1.2.840.10008.5.1.4.1.1.66.4', '1.2.840.10008.5.1.4.1.1.66.7']
const STRUCTURES = '1.2.840.10008.5.1.4.1.1.481.3'
const [SHARED, PER_FRAME] = ['x52009229', 'x52009230']
const MOST_FRAMES = 2 ** 16
const MOST_SIDE = 16384
/** What tells frames at one place apart, in headers and in the groups of enhanced ones. */
const APART = ['x00200012', 'x00180081', 'x00200100', 'x00189087', 'x00180086', 'x00080008', 'x00080032']

/** Reads the header of one file. @throws InputError whose message is a reason without a file name */
export async function readInstance (file: string): Promise<Instance> {
  const { dataSet, size } = await readHeader(file)
  return describe(file, dataSet, size)
}

function describe (file: string, dataSet: DataSet, size: number): Instance {
  const sopClass = text(dataSet, 'x00080016') ?? ''
  const kind = SEGMENTATIONS.includes(sopClass) ? 'seg' : sopClass === STRUCTURES ? 'rtstruct' : isImage(dataSet) ? 'image' : 'other'
  const facts = {
    file,
    kind,
    sopClass,
    sop: text(dataSet, 'x00080018') ?? '',
    series: text(dataSet, 'x0020000e') ?? '',
    study: text(dataSet, 'x0020000d') ?? '',
    frameOfReference: text(dataSet, 'x00200052'),
    modality: text(dataSet, 'x00080060') ?? '',
    maker: text(dataSet, 'x00080070'),
    patient: text(dataSet, 'x00100020'),
    rows: short(dataSet, 'x00280010') ?? 0,
    columns: short(dataSet, 'x00280011') ?? 0,
    ...referencesOf(dataSet, kind)
  } as const
  if (kind !== 'image') return { ...facts, frames: [] }
  requireUsable(dataSet, facts, size)
  return { ...facts, frames: framesOf(file, dataSet, facts.sop) }
}

function isImage (dataSet: DataSet): boolean {
  return ['x7fe00008', 'x7fe00009', PIXELS].some((tag) => dataSet.elements[tag] != null) && dataSet.elements['x00280010'] != null
}

function requireUsable (dataSet: DataSet, { rows, columns, series }: Pick<Instance, 'rows' | 'columns' | 'series'>, size: number): void {
  if (!(rows >= 1 && columns >= 1 && rows <= MOST_SIDE && columns <= MOST_SIDE)) throw new InputError('the DICOM file gives no usable size')
  if (series === '') throw new InputError('the DICOM file does not say which series it belongs to')
  const { length = 0, dataOffset = 0, hadUndefinedLength } = dataSet.elements[PIXELS] ?? {}
  const isDeflated = syntaxOf(dataSet).endsWith('.1.99')
  if (hadUndefinedLength !== true && !isDeflated && dataOffset + length > size) throw new InputError(CUT_OFF)
}

/** How many frames a file holds. @throws InputError for more than any scanner makes */
export function frameCount (dataSet: DataSet): number {
  const count = Math.floor(decimals(dataSet, 'x00280008')?.[0] ?? 1)
  if (count > MOST_FRAMES) throw new InputError(`the DICOM file says that it holds more than ${MOST_FRAMES} frames`)
  return Math.max(1, count)
}

function framesOf (file: string, dataSet: DataSet, sop: string): Frame[] {
  const groups = items(dataSet, PER_FRAME)
  const shared = item(dataSet, SHARED)
  const number = decimals(dataSet, 'x00200013')?.[0] ?? 0
  const spacing = decimals(dataSet, 'x00280030', 2) ?? decimals(dataSet, 'x00181164', 2)
  const base = { file, sop, number }
  const count = frameCount(dataSet)
  if (groups.length === 0) {
    const plane = count === 1 ? planeOf(dataSet, dataSet, spacing) : undefined
    return Array.from({ length: count }, (_, index) => ({ ...base, index, plane, apart: APART.map((tag) => text(dataSet, tag) ?? '') }))
  }
  return Array.from({ length: count }, (_, index) => {
    const group = groups[index]
    return { ...base, index, plane: framePlane(group, shared), apart: apartIn(group) }
  })
}

/** The plane of a frame by its own group, or what is the same for all. */
export function framePlane (group: DataSet | undefined, shared: DataSet | undefined): Plane | undefined {
  const within = (tag: string): DataSet | undefined => item(group, tag) ?? item(shared, tag)
  return planeOf(within('x00209113'), within('x00209116'), decimals(within('x00289110'), 'x00280030', 2))
}

function planeOf (place: DataSet | undefined, turn: DataSet | undefined, spacing: number[] | undefined): Plane | undefined {
  const position = decimals(place, 'x00200032', 3)
  const axes = decimals(turn, 'x00200037', 6)
  if (position == null || axes == null) return undefined
  const [along, down] = [axes.slice(0, 3), axes.slice(3, 6)] as unknown as [Vector, Vector]
  const [rows = 1, columns = 1] = spacing ?? []
  const isSquare = Math.abs(dot(along, down)) < 0.01 && [along, down].every((axis) => Math.abs(dot(axis, axis) - 1) < 0.02)
  const isUsable = rows > 0 && columns > 0 && isSquare
  return isUsable ? { position: position.slice(0, 3) as unknown as Vector, along, down, spacing: [rows, columns] } : undefined
}

/** Stack, time, echo and direction of a frame of an enhanced file. */
function apartIn (group: DataSet | undefined): string[] {
  const content = item(group, 'x00209111')
  return [
    text(content, 'x00209056') ?? '',
    String(longs(content, 'x00209128')[0] ?? ''),
    bytesOf(item(group, 'x00189114'), 'x00189082'),
    bytesOf(item(group, 'x00189117'), 'x00189087'),
    text(item(group, 'x00189226') ?? item(group, 'x00189329'), 'x00089007') ?? ''
  ]
}

/** A number of whatever type, to be compared alone. */
function bytesOf (dataSet: DataSet | undefined, tag: string): string {
  const element = dataSet?.elements[tag]
  if (dataSet == null || element == null) return ''
  return Buffer.from(dataSet.byteArray.subarray(element.dataOffset, element.dataOffset + Math.min(8, element.length))).toString('hex')
}

/** The series that a segmentation names, and their images. */
function referencesOf (dataSet: DataSet, kind: Instance['kind']): Pick<Instance, 'refersTo' | 'images'> {
  const structures = (): DataSet[] => items(dataSet, 'x30060010').flatMap((frame) => items(frame, 'x30060012'))
    .flatMap((study) => items(study, 'x30060014'))
  const series = kind === 'seg' ? items(dataSet, 'x00081115') : kind === 'rtstruct' ? structures() : []
  const named = (within: DataSet, sequence: string): string[] => items(within, sequence).flatMap((each) => text(each, 'x00081155') ?? [])
  return {
    refersTo: [...new Set(series.flatMap((each) => text(each, 'x0020000e') ?? []))],
    images: series.flatMap((each) => [...named(each, 'x0008114a'), ...named(each, 'x30060016')])
  }
}

export function dot (a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

export function cross (a: Vector, b: Vector): Vector {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
