import { InputError } from '../../errors.ts'
import { parseName } from '../../formats/file.ts'
import type { Volume } from '../../formats/nifti.ts'
import { readPages } from '../../formats/pages/read-pages.ts'
import type { Samples } from '../../formats/pages/samples.ts'
import { stackOf } from '../../formats/picture-stack.ts'
import { pictureOf, type Picture } from '../../formats/picture.ts'
import { readVolumeChannels } from '../../formats/volume.ts'
import { modalityNamed } from '../names/dataset-json.ts'
import { sameGrid } from '../transforms/orientation.ts'
import type { ChannelFiles } from './case-files.ts'
import {
  howOf,
  modalityOf,
  upTo,
  valuesIn,
  type CaseOptions,
  type Layer,
  type OpenPicture,
  type OpenVolume,
  type Source
} from './layers.ts'

/** One channel, and the file that holds it. */
type Part = { readonly file: string } & (
  | { readonly kind: 'picture', readonly picture: Picture, readonly whole?: Picture['data'] }
  | { readonly kind: 'volume', readonly volume: Volume, readonly pages: boolean }
)

/** Reads the channels asked for, each from its file or all from one. @throws InputError whose message is a reason without a file name */
export async function openChannels (source: Source, options: CaseOptions, channels: readonly number[]): Promise<OpenPicture | OpenVolume> {
  const { parts, found, ignored } = await partsOf(source, options, [...new Set(channels)])
  const first = parts.get(channels[0]!)!
  for (const [channel, part] of parts) {
    const difference = differenceOf(first, part)
    if (difference != null) throw new InputError(`its channels ${channels[0]} and ${channel} ${difference}`)
  }
  const hows = await Promise.all(channels.map(async (channel, at) => {
    const known = options.modalities?.[at] ?? modalityNamed(options.said.names.get(channel))
    const part = parts.get(channel)!
    return howOf(options, part.kind === 'volume' ? await modalityOf(part.file, part.volume, known, options) : known, at)
  }))
  if (first.kind === 'volume') {
    const layers = channels.map((channel, at) => ({ source: (parts.get(channel) as typeof first).volume, how: hows[at]! }))
    return { kind: 'volume', layers, found, ignored, pages: first.pages }
  }
  const layers = channels.map((channel, at): Layer<Picture> => {
    const { picture, whole } = parts.get(channel) as typeof first
    // Colours by windows of their own would be other colours.
    return { source: picture, how: hows[at]!, ...whole == null || options.windows != null ? {} : { whole: valuesIn({ data: whole }) } }
  })
  const notes = [...new Set(layers.flatMap((layer) => layer.source.notes))]
  return { ...first.picture, kind: 'picture', layers, notes, found, ignored }
}

interface Parts extends Pick<OpenPicture, 'found' | 'ignored'> { readonly parts: ReadonlyMap<number, Part> }

async function partsOf ({ image, files }: Source, { said }: CaseOptions, wanted: readonly number[]): Promise<Parts> {
  const stated = said.stated ? said.channels : undefined
  if (files != null && (files.size > 1 || !files.has(0))) return await partsOfFiles(files, wanted, stated)
  const held = await channelsIn(image, stated)
  const missing = wanted.find((channel) => held[channel] == null)
  if (missing != null) throw files != null && held.length === 1 ? lacking(missing) : notIn(held.length, missing)
  const parts = new Map(wanted.map((channel) => [channel, held[channel]!]))
  return { parts, found: upTo(held.length), ignored: held.length - parts.size }
}

async function partsOfFiles (files: ChannelFiles, wanted: readonly number[], stated: number | undefined): Promise<Parts> {
  const missing = wanted.find((channel) => !files.has(channel))
  if (missing != null) throw lacking(missing)
  const parts = new Map<number, Part>()
  for (const channel of wanted) {
    const held = await channelsIn(files.get(channel)!, stated)
    if (held.length > 1) {
      throw new InputError(
        `its file _${suffix(channel)} holds ${held.length} channels where several files are one case: store one channel per file, or ` +
          'give images of their own names that do not end in _ and four digits'
      )
    }
    parts.set(channel, held[0]!)
  }
  return { parts, found: [...files.keys()].sort((a, b) => a - b), ignored: 0 }
}

function notIn (count: number, channel: number): InputError {
  const has = count === 1 ? 'one channel' : `the channels 0 to ${count - 1}`
  return new InputError(`the file has ${has}, and model.channels names channel ${channel}: store that with it, or leave the image out`)
}

function lacking (channel: number): InputError {
  const add = `add its file _${suffix(channel)}, or leave the case out`
  return new InputError(`the case lacks channel ${channel}, which model.channels names: ${add}`)
}

function suffix (channel: number): string {
  return String(channel).padStart(4, '0')
}

async function channelsIn (file: string, stated: number | undefined): Promise<Part[]> {
  if (parseName(file).kind === 'volume') {
    return (await readVolumeChannels(file, stated)).map((volume) => ({ file, kind: 'volume', volume, pages: false }))
  }
  const pages = await readPages(file)
  if (pages.length > 1) return [{ file, kind: 'volume', volume: stackOf(pages), pages: true }]
  const picture = pictureOf(pages[0]!)
  return apart(picture, coloursOf(pages[0]!)).map((data) => ({
    file,
    kind: 'picture',
    picture: { ...picture, channels: 1, data },
    ...picture.channels === 1 ? {} : { whole: picture.data }
  }))
}

/** How many channels a page has beside its transparency; a grey picture in RGB has three. */
function coloursOf ({ channels, palette }: Samples): 1 | 3 {
  return palette != null || channels >= 3 ? 3 : 1
}

function apart ({ channels, data }: Picture, colours: 1 | 3): Array<Picture['data']> {
  return upTo(colours).map((colour) => {
    if (channels === 1) return data
    const own = data.slice(0, data.length / channels)
    for (let i = 0; i < own.length; i++) own[i] = data[i * channels + colour]!
    return own
  })
}

/** Why two channels cannot be one image; undefined where they lie pixel on pixel. */
function differenceOf (a: Part, b: Part): string | undefined {
  if (a.kind === 'picture' && b.kind === 'picture') {
    const { height, width, orientation } = a.picture
    if (height !== b.picture.height || width !== b.picture.width) {
      return `differ in size (${width}×${height} and ${b.picture.width}×${b.picture.height} pixels): store them on one grid`
    }
    return orientation === b.picture.orientation ? undefined : 'are turned differently (EXIF orientation): store them in one orientation'
  }
  if (a.kind !== 'volume' || b.kind !== 'volume') return 'are a volume and a picture: store both as volumes'
  const [dims, others] = [a.volume.header.dims.join('×'), b.volume.header.dims.join('×')]
  if (dims !== others) return `differ in size (${dims} and ${others} voxels): resample them onto one grid`
  return sameGrid(a.volume.header, b.volume.header)
    ? undefined
    : 'lie at different places by their headers: resample them onto one grid'
}

/** Whether a file is a picture of several channels; what cannot be read is none. */
export async function isColour (file: string): Promise<boolean> {
  if (parseName(file).kind !== 'picture') return false
  try {
    return (await readPages(file)).some((page) => coloursOf(page) > 1)
  } catch (error) {
    if (error instanceof InputError) return false
    throw error
  }
}
