import type { Shown } from '../transforms/normalise.ts'
import { toPlanes } from './planes.ts'

/** How an image, by its place in the folder, is shown, or the channel of it that fills `plane`, from 1, where a federation says which. */
export type ShownPlane = Shown & { readonly image: number, readonly plane?: number, readonly channel?: number }

/** Which channels the images of a folder have, and which are read. */
export interface ChannelFacts {
  readonly found: ReadonlyArray<{
    readonly channel: number
    /** as dataset.json calls it */
    readonly name?: string
    readonly images: number
  }>
  /** the channel in each plane of the model's input by `model.channels`; null where the document says nothing */
  readonly planes: readonly number[] | null
}

export function channelFacts (
  found: ReadonlyArray<readonly number[]>,
  names: ReadonlyMap<number, string>,
  channels: readonly number[] | undefined
): ChannelFacts {
  const counts = new Map<number, number>()
  for (const channel of found.flat()) counts.set(channel, (counts.get(channel) ?? 0) + 1)
  return {
    found: [...counts].sort(([a], [b]) => a - b).map(([channel, images]) => {
      const name = names.get(channel)
      return { channel, ...name == null ? {} : { name }, images }
    }),
    planes: channels == null ? null : toPlanes(channels)
  }
}

/** What was shown, with the planes that it fills. */
export function planesShown (shown: readonly Shown[], image: number, channels: readonly number[] | undefined): ShownPlane[] {
  return shown.map((each, at) => ({ ...each, image, ...channels == null ? {} : { plane: at + 1, channel: channels[at]! } }))
}

/** The same in lines; none where images have one channel, or colours, and no federation says what to read of them. */
export function describeChannels ({ found, planes }: ChannelFacts, ignored: number): string[] {
  const nameOf = (channel: number): string => {
    const name = found.find((each) => each.channel === channel)?.name
    return name == null ? String(channel) : `${channel} (${name})`
  }
  const list = found.map(({ channel, images }) => `${nameOf(channel)} in ${images} ${images === 1 ? 'image' : 'images'}`).join(', ')
  if (planes == null) return ignored === 0 ? [] : [`channels found: ${list}; model.channels of a federation may say which are read`]
  return [
    `channels found: ${list === '' ? 'none' : list}`,
    `by model.channels ${planes.map((channel, at) => `plane ${at + 1} shows channel ${nameOf(channel)}`).join(', ')}`
  ]
}
