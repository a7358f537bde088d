import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { labelMapOf, loadDataset, scanDataset, summarise, type Dataset } from '../../../src/dataset/index.ts'
import { DICOM, writeAsNifti } from '../formats/dicom/fixtures.ts'

const KEY = async (): Promise<Uint8Array> => Buffer.alloc(32, 5)
const LABELS = labelMapOf([{ name: 'lesion', value: 7 }, { name: 'liver', value: 3 }])

describe('a data folder of DICOM', () => {
  let folder: string
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-dicom-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  const put = async (from: string, to: string): Promise<void> => { await cp(join(DICOM, from), join(folder, to), { recursive: true }) }

  /** NIfTI holds places in 32 bit. */
  const shown = ({ slices }: Dataset): unknown[] => slices.map(({ id: _id, voxels, ...slice }) =>
    ({ ...slice, voxels: { ...voxels, spacing: voxels?.spacing.map((mm) => mm.toFixed(5)) } }))

  it('gives the very slices that the same images and masks give as NIfTI', async () => {
    await put('ct', 'dicom/a/b/c/d/e/series')
    await put('ct-binary.dcm', 'dicom/a/SEG')
    const dicom = await loadDataset(join(folder, 'dicom'), { patientKey: KEY })
    await writeAsNifti(join(folder, 'nifti'), [dicom.slices[0]!.subject])
    const nifti = await loadDataset(join(folder, 'nifti'))
    expect(dicom.slices.length).to.be.greaterThan(2)
    expect(dicom.problems).to.deep.equal([])
    expect(dicom.layout).to.equal('dicom')
    expect(dicom.shown.map(({ because, how }) => `${because} ${how}`)).to.deep.equal(['stated window'])
    expect(JSON.stringify(shown(dicom))).to.equal(JSON.stringify(shown(nifti)))
  })

  it('takes segments for the classes of the same names, whatever their numbers, and else goes by labels.json', async () => {
    await put('ct', 'series')
    await put('ct-structures.dcm', 'contours.dcm')
    const byName = await scanDataset(folder, { labels: LABELS })
    expect(byName.labels.map(({ value, becomes }) => `${value} ${becomes}`)).to.deep.equal(['0 background', '3 liver', '7 lesion'])
    expect(Object.keys(byName.notes).join()).to.include('classes of the same names')
    await writeFile(join(folder, 'labels.json'), '{ "2": "lesion", "3": "liver" }')
    const byFile = await scanDataset(folder, { labels: LABELS })
    expect(byFile.labels.map(({ value, becomes }) => `${value} ${becomes}`)).to.deep.equal(['0 background', '2 lesion', '3 liver'])
  })

  it('names patients by a hash with the key: the same with the same key, and no tag of a file anywhere', async () => {
    await put('ct', 'series')
    await put('ct-binary.dcm', 'seg.dcm')
    const [a, b] = [await scanDataset(folder, { patientKey: KEY }), await scanDataset(folder, { patientKey: KEY })]
    const other = await scanDataset(folder)
    expect(a.slices[0]!.subject).to.match(/^[0-9a-f]{16}$/).and.equal(b.slices[0]!.subject).and.not.equal(other.slices[0]!.subject)
    expect(JSON.stringify(a)).not.to.match(/FIXTURE|1\.2\.826/)
  })

  it('says what has no segmentation, has several, or cannot be read, by count and reason', async () => {
    await put('ct', 'ct')
    await put('mr', 'mr')
    await put('ct-binary.dcm', 'seg.dcm')
    for (const name of await readdir(join(DICOM, 'pet'))) {
      const bytes = await readFile(join(DICOM, 'pet', name))
      await mkdir(join(folder, 'cut'), { recursive: true })
      await writeFile(join(folder, 'cut', name), bytes.subarray(0, 900))
    }
    await writeFile(join(folder, 'locked.dcm'), 'Salted__' + 'x'.repeat(300))
    const summary = summarise(await scanDataset(folder))
    const of = (part: string): number | undefined => Object.entries(summary.reasons).find(([reason]) => reason.includes(part))?.[1]
    expect([of('truncated'), of('encrypted'), of('no DICOM SEG')]).to.deep.equal([6, 1, 6])
    expect(summary.skipped).to.equal(13)
    await put('ct-structures.dcm', 'contours.dcm')
    expect(Object.keys(summarise(await scanDataset(folder)).reasons).join()).to.include('several segmentations')
  })
})
