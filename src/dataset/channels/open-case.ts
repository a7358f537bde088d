import { parseName } from '../../formats/file.ts'
import { readPages } from '../../formats/pages/read-pages.ts'
import { stackOf } from '../../formats/picture-stack.ts'
import { pictureOf } from '../../formats/picture.ts'
import { readVolume } from '../../formats/volume.ts'
import { howOf, modalityOf, upTo, type CaseOptions, type OpenPicture, type OpenVolume, type Source } from './layers.ts'
import { openChannels } from './open-channels.ts'

/** Reads an image: its channel 0 or its colours, or the channels asked for. @throws InputError whose message is a reason without a name */
export async function openCase (source: Source, options: CaseOptions): Promise<OpenPicture | OpenVolume> {
  if (options.channels != null) return await openChannels(source, options, options.channels)
  const { image } = source
  const { said } = options
  const known = options.modality ?? said.modality
  if (parseName(image).kind === 'volume') {
    const volume = await readVolume(image, said.channels)
    const how = howOf(options, await modalityOf(image, volume, known, options))
    const { channels = 1 } = volume.header
    return { kind: 'volume', layers: [{ source: volume, how }], found: upTo(channels), ignored: channels - 1, pages: false }
  }
  const how = howOf(options, known)
  const pages = await readPages(image)
  if (pages.length > 1) return { kind: 'volume', layers: [{ source: stackOf(pages), how }], found: [0], ignored: 0, pages: true }
  const picture = pictureOf(pages[0]!)
  return { ...picture, kind: 'picture', layers: [{ source: picture, how }], found: upTo(picture.channels), ignored: 0 }
}
