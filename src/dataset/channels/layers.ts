import type { Volume } from '../../formats/nifti.ts'
import type { Picture } from '../../formats/picture.ts'
import type { Statement } from '../names/dataset-json.ts'
import { readSidecar } from '../sidecar.ts'
import { shownOf, type Modality, type NormaliseOptions, type Shown, type Values } from '../transforms/normalise.ts'
import type { ReadOptions } from '../types.ts'
import type { ChannelFiles } from './case-files.ts'

/** Where an image lies; `files` where names say that files are its channels. */
export interface Source {
  readonly image: string
  readonly files?: ChannelFiles | undefined
}

export type CaseOptions = ReadOptions & {
  /** What the data set says of its images. */
  readonly said: Pick<Statement, 'stated' | 'modality' | 'channels' | 'names'>
}

/** Numbers that fill one plane of the model's input, or all, and how they are shown; `whole` decides how, where there is more of them. */
export interface Layer<T> {
  readonly source: T
  readonly how: NormaliseOptions
  readonly whole?: Values
}

export type Pixels = Pick<Picture, 'channels' | 'data'>

export interface OpenPicture extends Pick<Picture, 'height' | 'width' | 'orientation' | 'notes'> {
  readonly kind: 'picture'
  /** one, grey or in colour; or a grey one for each of the channels asked for */
  readonly layers: ReadonlyArray<Layer<Pixels>>
  /** channels that the image has */
  readonly found: readonly number[]
  /** those of its only file that are not read */
  readonly ignored: number
}

export interface OpenVolume {
  readonly kind: 'volume'
  readonly layers: ReadonlyArray<Layer<Volume>>
  readonly found: readonly number[]
  readonly ignored: number
  /** pages of a picture file, of which nothing says how large their pixels are */
  readonly pages: boolean
}

/** What the options say of how one image is shown, or entry `at` of its channels. */
export function howOf ({ window, windows, asBefore }: ReadOptions, modality: Modality, at = 0): NormaliseOptions {
  return { window: windows == null ? window : windows[at], modality, asBefore }
}

/** What is known of an image, or what the file beside it says that dcm2niix wrote, or its own header. */
export async function modalityOf (file: string, volume: Volume, known: Modality, { asBefore = false }: ReadOptions): Promise<Modality> {
  if (known !== 'unknown') return known
  const beside = await readSidecar(file)
  return beside === 'unknown' && !asBefore ? volume.modality ?? 'unknown' : beside
}

export function valuesOf ({ voxels, header: { slope, intercept } }: Volume): Values {
  return { stored: voxels, slope, intercept }
}

export function valuesIn ({ data }: Pick<Pixels, 'data'>): Values {
  return { stored: data, slope: 1, intercept: 0 }
}

/** The layers with how each is shown, decided once. @throws InputError when all values of one are alike */
export function withShown<T> (
  layers: ReadonlyArray<Layer<T>>,
  toValues: (source: T) => Values
): { readonly layers: ReadonlyArray<Layer<T>>, readonly shown: readonly Shown[] } {
  const shown = layers.map(({ source, how, whole }) => shownOf(whole ?? toValues(source), how))
  return { layers: layers.map((layer, at) => ({ ...layer, how: { ...layer.how, shown: shown[at]! } })), shown }
}

export function upTo (count: number): number[] {
  return Array.from({ length: count }, (_, channel) => channel)
}
