import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import sharp from 'sharp'
import {
  describeSummary,
  filesRead,
  listImages,
  readImage,
  scanDataset,
  summarise,
  type Dataset,
  type LoadOptions
} from '../../../src/dataset/index.ts'
import { readVolumeChannels } from '../../../src/formats/volume.ts'
import { folderOf, niftiBytes, png } from './fixtures.ts'

const DIMS = [4, 5, 3] as const
const COUNT = 60
const first = Array.from({ length: COUNT }, (_, i) => 100 + i * 3)
const second = Array.from({ length: COUNT }, (_, i) => 900 - (i * i) % 700)
const volume = (values: readonly number[], dims: readonly number[] = DIMS): Uint8Array => niftiBytes({ dims, values, datatype: 4 })
const label = niftiBytes({ dims: DIMS, values: first.map((_, i) => i % 4 === 1 ? 1 : 0) })
const T2_ADC = '{"channel_names":{"0":"T2","1":"ADC"},"labels":{"background":0,"x":1}}'

/** A NRRD or MetaImage of several channels from its header's lines. */
function raw (header: readonly string[], values: readonly number[]): Uint8Array {
  return Buffer.concat([Buffer.from(header.join('\n') + '\n'), Buffer.from(Int16Array.from(values).buffer)])
}

function together (...channels: readonly (readonly number[])[]): number[] {
  return channels[0]!.flatMap((_, i) => channels.map((values) => values[i]!))
}

const NRRD = ['NRRD0004', 'type: short', 'encoding: raw', 'endian: little']
const META = ['ObjectType = Image', 'ElementType = MET_SHORT', 'BinaryData = True', 'BinaryDataByteOrderMSB = False']

/** One file of channels in every way that holds several. */
function inOneFile (...channels: readonly (readonly number[])[]): Record<string, Uint8Array> {
  const [count, side] = [channels.length, DIMS.join(' ')]
  return {
    'four.nii': volume(channels.flat(), [...DIMS, count]),
    'vector.nii': volume(channels.flat(), [...DIMS, 1, count]),
    'inside.nrrd': raw([
      ...NRRD, 'dimension: 4', `sizes: ${count} ${side}`, 'kinds: vector domain domain domain',
      'space directions: none (1,0,0) (0,1,0) (0,0,1)', ''
    ], together(...channels)),
    'outside.nrrd': raw([
      ...NRRD, 'dimension: 4', `sizes: ${side} ${count}`, 'kinds: domain domain domain list',
      'space directions: (1,0,0) (0,1,0) (0,0,1) none', ''
    ], channels.flat()),
    'space.nrrd': raw([
      ...NRRD, 'dimension: 4', 'space dimension: 4', `sizes: ${side} ${count}`, 'kinds: domain domain domain domain',
      'space directions: (1,0,0,0) (0,1,0,0) (0,0,1,0) (0,0,0,1)', 'space origin: (0,0,0,0)', ''
    ], channels.flat()),
    'inside.mha': raw([
      'NDims = 3', `DimSize = ${side}`, ...META, `ElementNumberOfChannels = ${count}`, 'ElementDataFile = LOCAL'
    ], together(...channels)),
    'outside.mha': raw(['NDims = 4', `DimSize = ${side} ${count}`, ...META, 'ElementDataFile = LOCAL'], channels.flat())
  }
}

describe('channels', () => {
  let clear: Array<() => Promise<void>> = []
  afterEach(async () => {
    await Promise.all(clear.map((each) => each()))
    clear = []
  })

  async function made (files: Record<string, Uint8Array | string>): Promise<string> {
    const folder = await folderOf(files)
    clear.push(folder.clear)
    return folder.path
  }

  async function scan (files: Record<string, Uint8Array | string>, options: LoadOptions = {}): Promise<Dataset> {
    return await scanDataset(await made(files), options)
  }

  const reasonsOf = ({ problems }: Dataset): Record<string, string> =>
    Object.fromEntries(problems.map(({ file, reason }) => [file, reason]))
  const planesOf = (image: Uint8Array): number[][] => [0, 1, 2].map((plane) => [...image].filter((_, i) => i % 3 === plane))
  const T2 = { 'imagesTr/a_0000.nii': volume(first), 'labelsTr/a.nii': label, 'dataset.json': T2_ADC }
  const CASE = { ...T2, 'imagesTr/a_0001.nii': volume(second) }

  describe('of nnU-Net', () => {
    it('fill the planes that the federation says, each shown by its own values', async () => {
      const alone = await Promise.all([first, second].map(async (values) =>
        (await scan({ ...T2, 'imagesTr/a_0000.nii': volume(values) })).slices.map(({ image }) => [...image])))
      const both = await scan(CASE, { channels: [1, 0] })
      expect(both.problems).to.deep.equal([])
      expect(both.slices.map(({ id, subject, channels }) => [id, subject, channels])).to.deep.equal(
        [0, 1, 2].map((at) => [`a#00${at}`, 'a', 3])
      )
      for (const [at, { image }] of both.slices.entries()) {
        expect(planesOf(image)).to.deep.equal([alone[1]![at], alone[0]![at], alone[0]![at]])
      }
      const same = await scan(CASE, { channels: [1, 0, 0] })
      expect(same.slices).to.deep.equal(both.slices)
    })

    it('are one grey image where there is one entry', async () => {
      const [plain, one] = [await scan({ ...T2, 'imagesTr/a_0000.nii': volume(second) }), await scan(CASE, { channels: [1] })]
      expect(one.slices).to.deep.equal(plain.slices)
    })

    it('are found and told', async () => {
      const none = summarise(await scan(CASE))
      expect(none.channels).to.deep.equal({
        found: [{ channel: 0, name: 'T2', images: 1 }, { channel: 1, name: 'ADC', images: 1 }],
        planes: null
      })
      expect(describeSummary(none)).to.include('channels found: 0 (T2) in 1 image, 1 (ADC) in 1 image; model.channels')
      const both = summarise(await scan({ ...CASE, 'imagesTr/a_0002.nii': volume(second) }, { channels: [0, 1] }))
      expect(both.channels.planes).to.deep.equal([0, 1, 1])
      expect(describeSummary(both)).to.include('plane 1 shows channel 0 (T2), plane 2 shows channel 1 (ADC), plane 3 shows channel 1 (ADC)')
        .and.include('plane 2, channel 1: 1 image shown between two percentiles').and.include('1 further channel not read')
        .and.include('of several planes')
    })

    it('may each have a line in subjects.csv', async () => {
      for (const channels of [undefined, [0, 1]]) {
        const { problems, slices } = await scan(
          { ...CASE, 'subjects.csv': 'file,subject\na_0000.nii,P7\na_0001.nii,P7\n' },
          channels == null ? {} : { channels }
        )
        expect(problems).to.deep.equal([])
        expect(slices[0]!.subject).to.equal('P7')
      }
    })

    it('that a case lacks leave it out, in one sentence', async () => {
      const dataset = await scan({ ...CASE, 'imagesTr/b_0001.nii': volume(second), 'labelsTr/b.nii': label }, { channels: [0, 1] })
      expect(dataset.subjects).to.equal(1)
      expect(reasonsOf(dataset)).to.deep.equal({
        'imagesTr/b_0001.nii': 'the case lacks channel 0, which model.channels names: add its file _0000, or leave the case out'
      })
      expect(dataset.channels.found.map(({ images }) => images)).to.deep.equal([1, 2])
      expect(Object.values(reasonsOf(await scan(T2, { channels: [0, 1] })))[0]).to.include('the case lacks channel 1')
    })

    it('that differ in size or place leave the case out', async () => {
      const at = (x: number): Uint8Array =>
        niftiBytes({ dims: DIMS, values: second, datatype: 4, sform: [[1, 0, 0, x], [0, 1, 0, 0], [0, 0, 1, 0]] })
      const [size, place, rounded] = await Promise.all([volume(second, [5, 4, 3]), at(0.4), at(0.05)].map(async (other) =>
        await scan({ ...CASE, 'imagesTr/a_0001.nii': other }, { channels: [0, 1] })))
      expect(rounded!.problems).to.deep.equal([])
      expect(Object.values(reasonsOf(size!))).to.deep.equal(
        ['its channels 0 and 1 differ in size (4×5×3 and 5×4×3 voxels): resample them onto one grid']
      )
      expect(Object.values(reasonsOf(place!))).to.deep.equal(
        ['its channels 0 and 1 lie at different places by their headers: resample them onto one grid']
      )
    })

    it('are CT each by its own name, or by what training found', async () => {
      const json = '{"channel_names":{"0":"CT","1":"PET"}}'
      const { shown, modalities } = await scan({ ...CASE, 'dataset.json': json }, { channels: [0, 1, 0] })
      expect(shown.map(({ how, plane, channel }) => [how, plane, channel])).to.deep.equal(
        [['window', 1, 0], ['percentiles', 2, 1], ['window', 3, 0]]
      )
      expect(modalities).to.deep.equal(['ct', 'other', 'ct'])
      const unnamed = '{"channel_names":{"0":"","1":""}}'
      const beside = { ...CASE, 'dataset.json': unnamed, 'imagesTr/a_0001.json': '{"Modality":"CT"}' }
      const { shown: said } = await scan(beside, { channels: [0, 1] })
      expect(said.map(({ how, because }) => [how, because])).to.deep.equal([['percentiles', 'values'], ['window', 'stated']])
      const trained = await scan({ ...CASE, 'dataset.json': json }, { channels: [0, 1], modalities: ['other', 'ct'] })
      expect(trained.shown.map(({ how }) => how)).to.deep.equal(['percentiles', 'window'])
    })

    it('may be one through several windows', async () => {
      const windows = [undefined, { center: 150, width: 100 }, { percentiles: [10, 90] as const }]
      const alone = await Promise.all(windows.map(async (window) => (await scan(CASE, window == null ? {} : { window })).slices[0]!.image))
      const { slices } = await scan(CASE, { channels: [0, 0, 0], windows })
      expect(planesOf(slices[0]!.image)).to.deep.equal(alone.map((image) => [...image]))
    })
  })

  describe('in one file', () => {
    it('are the numbers of each, whatever the format', async () => {
      const numbers = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: COUNT, maxLength: COUNT })
      await fc.assert(fc.asyncProperty(fc.array(numbers, { minLength: 2, maxLength: 4 }), async (channels) => {
        const path = await made(inOneFile(...channels))
        for (const name of Object.keys(inOneFile(...channels))) {
          const read = await readVolumeChannels(join(path, name))
          expect(read.map(({ voxels }) => [...voxels]), name).to.deep.equal(channels)
          expect(new Set(read.map(({ header }) => header.dims.join()))).to.deep.equal(new Set([DIMS.join()]))
        }
      }), {
        numRuns: 15,
        // Bytes that look like the end of a header's line.
        examples: [10, 13, 0x0a0d, 0x200a].map((value): [number[][]] => [[first.map(() => value), second]])
      })
    })

    it('fill planes as files of their own do', async () => {
      const names = ['four.nii', 'vector.nii']
      const files = await scan(CASE, { channels: [0, 1] })
      for (const name of names) {
        const one = await scan(
          { [`imagesTr/${name}`]: inOneFile(first, second)[name]!, [`labelsTr/${name}`]: label, 'dataset.json': T2_ADC },
          { channels: [0, 1] }
        )
        expect(one.problems).to.deep.equal([])
        expect(one.slices.map(({ image }) => [...image])).to.deep.equal(files.slices.map(({ image }) => [...image]))
        expect(one.channels).to.deep.equal(files.channels)
        expect(one.ignoredChannels).to.equal(0)
      }
    })

    it('that are not read are counted', async () => {
      for (const name of ['four.nii', 'inside.mha']) {
        const { problems, ignoredChannels, channels } = await scan(
          { [`images/a${name.slice(-4)}`]: inOneFile(first, second, first)[name]!, 'masks/a.nii': label },
          { channels: [2, 2] }
        )
        expect(problems).to.deep.equal([])
        expect([ignoredChannels, channels.found.length], name).to.deep.equal([2, 3])
      }
    })

    it('are refused where dataset.json names another number, the axis is time, or one is not there', async () => {
      const four = { 'imagesTr/a.nii': volume([...first, ...second], [...DIMS, 2]), 'labelsTr/a.nii': label }
      const [cine, few] = [
        await scan({ ...four, 'dataset.json': '{"modality":{"0":"cine"}}' }, { channels: [0, 1] }),
        await scan({ ...four, 'dataset.json': T2_ADC }, { channels: [0, 2] })
      ]
      expect(Object.values(reasonsOf(cine))[0]).to.include('of 2, and dataset.json names 1 channel: name them all')
      expect(Object.values(reasonsOf(few))[0]).to.equal(
        'the file has the channels 0 to 1, and model.channels names channel 2: store that with it, or leave the image out'
      )
      const header = Buffer.from(inOneFile(first, second)['outside.nrrd']!).toString('latin1').replace('domain list', 'domain time')
      const path = await made({ 't.nrrd': Buffer.from(header, 'latin1') })
      expect(await readVolumeChannels(join(path, 't.nrrd')).catch((error: Error) => error.message)).to.include('is time')
    })
  })

  describe('of pictures', () => {
    const grey = async (by: number): Promise<Uint8Array> => await png(6, 8, (x, y) => (x * by + y * 31) % 256)
    const rgb = async (deep = false): Promise<Uint8Array> => {
      const values = Array.from({ length: 6 * 8 * 3 }, (_, i) => (i * 37) % 256 * (deep ? 199 : 1))
      const image = sharp(deep ? Uint16Array.from(values) : Uint8Array.from(values), { raw: { height: 6, width: 8, channels: 3 } })
      return await (deep ? image.toColourspace('rgb16') : image).png().toBuffer()
    }
    const mask = async (): Promise<Uint8Array> => await png(6, 8, (x) => x > 3 ? 255 : 0)

    it('are files by their names, unless a name is that of a mask', async () => {
      const files = {
        'images/p_1_0000.png': await grey(7),
        'images/p_1_0001.png': await grey(11),
        'images/q_0007.png': await rgb(),
        'masks/p_1_mask.png': await mask(),
        'masks/q_0007.png': await mask()
      }
      const { slices, problems } = await scan(files, { channels: [0, 1, 1] })
      expect(problems).to.deep.equal([])
      expect(slices.map(({ id, subject }) => [id, subject])).to.deep.equal([['p_1', 'p'], ['q_0007', 'q']])
      expect(planesOf(slices[0]!.image)[1]).to.deep.equal(Array.from({ length: 48 }, (_, i) => (i % 8 * 11 + Math.floor(i / 8) * 31) % 256))
    })

    it('are red, green and blue, and all three are the picture as it is', async () => {
      for (const deep of [false, true]) {
        const files = { 'images/p.png': await rgb(deep), 'masks/p.png': await mask() }
        const [plain, all, green] = [await scan(files), await scan(files, { channels: [0, 1, 2] }), await scan(files, { channels: [1] })]
        expect(all.slices).to.deep.equal(plain.slices)
        expect([...green.slices[0]!.image]).to.deep.equal(planesOf(plain.slices[0]!.image)[1])
      }
      const files = { 'images/p.png': await grey(9), 'masks/p.png': await mask() }
      expect(Object.values(reasonsOf(await scan(files, { channels: [0, 1, 2] })))[0]).to.include('the file has one channel')
    })

    it('of a patient lie in the folder of that patient', async () => {
      const { slices, problems, layout } = await scan({
        'P1/scan_0000.nii': volume(first),
        'P1/scan_0001.nii': volume(second),
        'P1/seg.nii': label,
        'P2/scan_0000.nii': volume(second),
        'P2/scan_0001.nii': volume(first),
        'P2/seg.nii': label
      }, { channels: [0, 1] })
      expect({ problems, layout }).to.deep.equal({ problems: [], layout: 'patients' })
      expect(new Set(slices.map(({ subject, channels }) => `${subject} ${channels}`))).to.deep.equal(new Set(['P1 3', 'P2 3']))
    })
  })

  describe('of an image that is segmented', () => {
    it('are those of its case, named by any of its files that is read', async () => {
      const path = await made({ ...CASE, 'imagesTr/a_0002.nii': volume(first), 'imagesTr/ab_0001.nii': volume(first) })
      const [a, b] = ['a_0000.nii', 'a_0001.nii'].map((name) => join(path, 'imagesTr', name))
      const { slices } = await scanDataset(path, { channels: [0, 1] })
      for (const file of [a!, b!]) {
        const image = await readImage(file, { channels: [0, 1] })
        expect(image.slices.map((slice) => [...slice.image])).to.deep.equal(slices.map((slice) => [...slice.image]))
      }
      expect(await filesRead(a!, [0, 1])).to.have.members([0, 1, 2].map((channel) => join(path, 'imagesTr', `a_000${channel}.nii`)))
      expect(await filesRead(a!, undefined)).to.deep.equal([a])
      const lone = await readImage(join(path, 'imagesTr/a_0002.nii'), { channels: [0, 1] }).catch((error: Error) => error.message)
      expect(lone).to.include('a_0002.nii cannot be used: the file has one channel, and model.channels names channel 1')
    })

    it('are listed once for each case, and numbered photographs each by itself', async () => {
      const path = await made({ ...CASE, 'imagesTr/b_0000.nii': volume(first), 'imagesTr/b_0001.nii': volume(second) })
      await mkdir(join(path, 'new'))
      await rename(join(path, 'imagesTr'), join(path, 'new/scans'))
      const cases = await listImages(join(path, 'new/scans'), [0, 1])
      expect([...cases.images].map(([key, { file }]) => [key, file])).to.deep.equal([['a', 'a_0000.nii'], ['b', 'b_0000.nii']])
      expect([...(await listImages(join(path, 'new/scans'), [1])).images.values()].map(({ file }) => file)).to.deep.equal(
        ['a_0001.nii', 'b_0001.nii']
      )
      const colours = Uint8Array.from({ length: 48 }, (_, i) => i * 5)
      const photo = await sharp(colours, { raw: { height: 4, width: 4, channels: 3 } }).png().toBuffer()
      const photos = await made({ 'IMG_0000.png': photo, 'IMG_0001.png': photo, 'IMG_0009.png': photo })
      expect([...(await listImages(photos, [0, 1, 2])).images.keys()]).to.deep.equal(['IMG_0000', 'IMG_0001', 'IMG_0009'])
      expect((await readImage(join(photos, 'IMG_0001.png'), { channels: [0, 1, 2] })).slices[0]!.channels).to.equal(3)
    })

    it('may not lie there twice', async () => {
      const path = await made({ ...CASE, 'imagesTr/a_0001.nrrd': 'x' })
      const refused = await readImage(join(path, 'imagesTr/a_0000.nii'), { channels: [0, 1] }).catch((error: Error) => error.message)
      expect(refused).to.equal(
        `${join(path, 'imagesTr/a_0000.nii')} cannot be used: beside it lie two files of channel 1 of its case; keep one of them`
      )
      expect(reasonsOf(await scanDataset(path, { channels: [0, 1] }))).to.have.property('imagesTr/a_0001.nrrd')
    })
  })
})
