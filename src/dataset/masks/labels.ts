import { InputError } from '../../errors.ts'
import { mapInto } from '../../formats/map-into.ts'
import type { Voxels } from '../../formats/nifti.ts'
import type { Samples } from '../../formats/pages/samples.ts'
import type { LabelBook } from '../labels/label-book.ts'
import { COLOURS_FILE, hex, type ColourTable } from './colour-table.ts'
import { isNearlyBinary, thresholded } from './near-binary.ts'
import { checkPalette, type PaletteBook } from './palette-book.ts'
import { checkIsMask, NOT_LABELS, wholeLabels } from './whole-labels.ts'

/** What the masks of one folder have in common. */
export interface MaskReading {
  readonly colours?: ColourTable | undefined
  readonly palettes?: PaletteBook
  /** where values become bytes; without it they must be bytes */
  readonly book?: LabelBook | undefined
  /** numbers are labels as they stand, 255 too: nothing is cut at the half */
  readonly exact?: boolean
}

export interface Labels {
  readonly data: Uint8Array
  /** what had to be decided, each in a sentence without a name */
  readonly notes: readonly string[]
}

const BY_INDEX = `masks with a palette: the index of a colour is the label (${COLOURS_FILE} can say it otherwise)`
const BY_COLOUR = `masks in colour: read by ${COLOURS_FILE}`
const FROM_ALPHA = 'masks of one colour: read from their transparency'
const ALPHA_CUT = 'masks with transparent parts: what is less than half opaque is background'
const JPEG_CUT = 'masks stored as JPEG: what is at least half bright is foreground, since JPEG blurs labels'
/** What is said of masks that JPEG or resizing left nearly black and white. */
export const NEARLY = 'masks nearly black and white: what is at least half bright is foreground'
const INVERTED = 'masks stored inverted (0 is white): their stored numbers are the labels'
const MAX_NAMED = 4

/** height·width labels of a page. @throws InputError whose message is a reason without a file name */
export function labelsOf (page: Samples, reading: MaskReading = {}): Labels {
  const { data, notes } = valuesOf(page, reading)
  return { data: encoded(data, reading), notes }
}

/** Whole numbers as bytes. @throws InputError for what is none where nothing says what it becomes */
export function encoded (values: Voxels, { book }: MaskReading): Uint8Array {
  if (book != null) return book.encode(values)
  if (values instanceof Uint8Array) return values
  let high = 0
  for (const value of values) high = Math.max(high, value)
  if (high <= 255) return mapInto(values, new Uint8Array(values.length), (value) => value)
  throw new InputError(`the mask holds the label ${high}: number the labels from 1 to 255`)
}

function valuesOf (page: Samples, { colours, palettes, exact }: MaskReading): { data: Voxels, notes: readonly string[] } {
  if (colours != null && (page.palette != null || page.channels >= 3)) return { data: byColour(page, colours), notes: [BY_COLOUR] }
  if (page.palette != null) return byIndex(page, page.palette, palettes)
  const notes: string[] = []
  const grey = greyOf(page)
  const bright = grey.alpha == null ? grey.values : throughAlpha(grey.values, grey.alpha, 2 ** page.bits - 1, notes)
  if (page.inverted === true) {
    requireBlackBorder(bright, page)
    notes.push(INVERTED)
  }
  const data = settle(bright, page, notes, exact)
  if (data instanceof Uint8Array) palettes?.addGrey(data)
  return { data, notes }
}

function byColour ({ data, channels, palette }: Samples, colours: ColourTable): Uint8Array {
  if (palette != null) {
    const labels = [...new Set(data)].map((index) => [index, labelOf(palette[index] ?? [], colours)] as const)
    const table = new Uint8Array(256)
    for (const [index, label] of labels) table[index] = label
    return mapInto(data, new Uint8Array(data.length), (index) => table[index]!)
  }
  const out = new Uint8Array(data.length / channels)
  const known = new Map<number, number>()
  for (let i = 0; i < out.length; i++) {
    const at = i * channels
    const key = ((data[at]! * 256 + data[at + 1]!) * 256 + data[at + 2]!) * 2 + (channels === 4 && data[at + 3] === 0 ? 0 : 1)
    const label = known.get(key) ?? labelOf([...data.subarray(at, at + channels)], colours)
    known.set(key, label)
    out[i] = label
  }
  return out
}

/** @throws InputError for a colour that the table lacks */
function labelOf ([red = 0, green = 0, blue = 0, alpha = 255]: readonly number[], colours: ColourTable): number {
  const label = alpha === 0 ? 0 : colours.get(hex(red, green, blue))
  if (label == null) throw new InputError(`the mask holds the colour ${hex(red, green, blue)}, which ${COLOURS_FILE} lacks: add it there`)
  return label
}

function byIndex (page: Samples, palette: NonNullable<Samples['palette']>, palettes: PaletteBook | undefined): Labels {
  const data = page.data as Uint8Array
  const used = [...new Set(data)]
  const isClear = (index: number): boolean => (palette[index]?.[3] ?? 255) === 0
  if (!isClear(0) && used.some((index) => index > 0 && isClear(index))) {
    throw new InputError(`the mask has transparent parts that its palette does not number 0: say what each colour means in ${COLOURS_FILE}`)
  }
  if (used.every((index) => palette[index]?.slice(0, 3).every((value) => value === index))) {
    palettes?.addGrey(data)
    return { data, notes: [] }
  }
  checkPalette(used, palette, palettes)
  return { data, notes: [BY_INDEX] }
}

interface Grey { readonly values: Voxels, readonly alpha?: Voxels }

/** One value a pixel, and its opacity where that varies. @throws InputError for colours */
function greyOf (page: Samples): Grey {
  const { data, channels, lossy = false } = page
  if (channels === 1) return { values: data }
  const count = data.length / channels
  const colour = channels >= 3
  const [values, alpha] = [data.slice(0, count), data.slice(0, count)]
  // JPEG keeps grey in three channels that differ by roundings and blurred edges.
  const near = lossy ? 32 : 0
  for (let i = 0; i < count; i++) {
    const at = i * channels
    if (colour && Math.max(Math.abs(data[at]! - data[at + 1]!), Math.abs(data[at]! - data[at + 2]!)) > near) {
      throw new InputError(inColour(page))
    }
    values[i] = data[at + (colour ? 1 : 0)]!
    alpha[i] = data[at + channels - 1]!
  }
  const opaque = 2 ** page.bits - 1
  return channels === 3 || alpha.every((value) => value === opaque) ? { values } : { values, alpha }
}

function inColour ({ data, channels, bits, lossy = false }: Samples): string {
  if (lossy) return 'the mask is a JPEG in colour, which blurs labels: store one label per pixel as PNG'
  const sentence = `the mask is in colour: say in ${COLOURS_FILE} beside the folder of masks which colour is which label`
  if (bits !== 8) return sentence
  const found = new Set<string>()
  for (let i = 0; i < data.length && found.size <= MAX_NAMED; i += channels) found.add(hex(data[i]!, data[i + 1]!, data[i + 2]!))
  const named = [...found].slice(0, MAX_NAMED)
  return `${sentence}, as { ${named.map((colour, i) => `"${colour}": ${i}`).join(', ')}${found.size > MAX_NAMED ? ', …' : ''} }`
}

/**
 * Values as transparency changes them: taken from it where there is one colour alone, cut where what is transparent is 0 anyway.
 * @throws InputError where the two say different things
 */
function throughAlpha (values: Voxels, alpha: Voxels, opaque: number, notes: string[]): Voxels {
  if (values.every((value) => value === values[0])) {
    notes.push(FROM_ALPHA)
    return alpha
  }
  if (values.some((value, i) => value !== 0 && alpha[i] === 0)) {
    throw new InputError('the mask has transparent parts with labels under them: store one label per pixel without transparency')
  }
  notes.push(ALPHA_CUT)
  return values.map((value, i) => alpha[i]! * 2 >= opaque ? value : 0)
}

/** Where 0 is white, programs disagree on what is foreground; a border of stored zeros shows that zero is background. */
function requireBlackBorder (values: Voxels, { height, width }: Samples): void {
  for (let i = 0; i < values.length; i++) {
    const [x, y] = [i % width, Math.floor(i / width)]
    if ((x === 0 || y === 0 || x === width - 1 || y === height - 1) && values[i] !== 0) {
      throw new InputError('the mask is stored inverted (0 is white), and programs disagree on what that means: store it with 0 as black')
    }
  }
}

/**
 * Labels of grey values: near ones cut at the half, whole ones as they are. @throws InputError whose message is a reason without a file
 * name
 */
export function settle (
  values: Voxels,
  page: Pick<Samples, 'height' | 'width' | 'lossy'>,
  notes: string[],
  exact = false
): Voxels {
  const { height, width, lossy = false } = page
  if (exact) return exactLabels(values, lossy)
  const data = brightnessOf(values)
  const picture = data == null ? undefined : { data, height, width }
  if (lossy) {
    if (picture == null || !isNearlyBinary(picture, true)) {
      throw new InputError('the mask is a JPEG, which blurs labels, and is not black and white: store one label per pixel as PNG')
    }
    notes.push(JPEG_CUT)
    return thresholded(picture)
  }
  if (picture != null && isNearlyBinary(picture)) {
    notes.push(NEARLY)
    return thresholded(picture)
  }
  const labels = wholeLabels(values)
  if (labels == null) throw new InputError(NOT_LABELS)
  checkIsMask(labels, page)
  return labels
}

const LOSSY_MARKS = 'its scribbles or blocks are a JPEG, which blurs labels: store one label per pixel as PNG'

function exactLabels (values: Voxels, lossy: boolean): Voxels {
  const labels = lossy ? undefined : wholeLabels(values)
  if (labels != null) return labels
  throw new InputError(lossy ? LOSSY_MARKS : NOT_LABELS)
}

/** 0..255 for values that may be shades of black and white: bytes, 16 bit up to its end, fractions up to 1. */
function brightnessOf (values: Voxels): Uint8Array | undefined {
  if (values instanceof Uint8Array) return values
  let [low, high, whole] = [Infinity, -Infinity, true]
  for (const value of values) {
    low = Math.min(low, value)
    high = Math.max(high, value)
    whole &&= Number.isInteger(value)
  }
  const top = whiteOf(high, whole)
  if (top == null || !(low >= 0)) return undefined
  return mapInto(values, new Uint8Array(values.length), (value) => Math.round(value * 255 / top))
}

/** What white is where the highest value is this. */
function whiteOf (high: number, whole: boolean): number | undefined {
  if (!whole && high <= 1.001) return 1
  if (high <= 255) return 255
  return high > 57344 && high <= 65535 ? 65535 : undefined
}
