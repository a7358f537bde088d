import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { listImagesOf, loadDataset, loadImages, type Dataset, type LoadOptions } from '../../../src/dataset/index.ts'
import { findSubject } from '../../../src/site-model/withdrawals/find-subject.ts'
import { Withdrawn } from '../../../src/site-model/withdrawals/withdrawn.ts'
import { patientKey } from '../../../src/site-model/patient-key.ts'
import { DICOM, putOfPatient } from '../formats/dicom/fixtures.ts'
import { folderOf, niftiBytes, png } from './fixtures.ts'

const subjectsIn = ({ slices }: Pick<Dataset, 'slices'>): string[] => [...new Set(slices.map(({ subject }) => subject))].sort()
const but = (name: string): LoadOptions => ({ withdrawn: (subject) => subject === name })

describe('a data folder without who was withdrawn', () => {
  const folders: { path: string, clear: () => Promise<void> }[] = []
  afterEach(async () => { for (const { clear } of folders.splice(0)) await clear() })

  async function folder (files: Record<string, Uint8Array | string>): Promise<string> {
    folders.push(await folderOf(files))
    return folders.at(-1)!.path
  }

  it('has none of the pictures whose names say that they are theirs', async () => {
    const files: Record<string, Uint8Array> = {}
    for (const name of ['ann_01', 'ann_02', 'bob_01', 'bob_02', 'cy_01']) {
      files[`images/${name}.png`] = await png(16, 16, (x, y) => 60 + x * y)
      files[`masks/${name}.png`] = await png(16, 16, (x) => x < 8 ? 255 : 0)
    }
    // Without a mask: what is wrong with it is not said either.
    files['images/bob_03.png'] = await png(16, 16, (x) => 60 + x)
    const path = await folder(files)
    const left = await loadDataset(path, but('bob'))
    expect(subjectsIn(left)).to.deep.equal(['ann', 'cy'])
    expect(left.problems).to.deep.equal([])
    expect(subjectsIn(await loadImages(path, but('bob')))).to.deep.equal(['ann', 'cy'])
    expect(await listImagesOf(path, (subject) => subject === 'bob', {})).to.have.length(3)
  })

  it('has none of the volumes, and tells a volume from a slice in a file of its own', async () => {
    const volume = (depth: number, datatype: number): Uint8Array => {
      const values = Array.from({ length: 144 * depth }, (_, i) => i % 12 < 6 ? 1 : 0)
      return niftiBytes({ dims: [12, 12, depth], datatype, pixdim: [1, 1, 1, 3], values })
    }
    const files: Record<string, Uint8Array> = {}
    for (const [name, depth] of [['pa_1', 3], ['pa_2', 3], ['pb_1', 1], ['pb_2', 1]] as const) {
      files[`images/${name}.nii`] = volume(depth, 4)
      files[`masks/${name}.nii`] = volume(depth, 2)
    }
    const path = await folder(files)
    expect(subjectsIn(await loadDataset(path))).to.deep.equal(['pa_1', 'pa_2', 'pb'])
    expect(subjectsIn(await loadDataset(path, but('pa_1')))).to.deep.equal(['pa_2', 'pb'])
    expect(subjectsIn(await loadDataset(path, but('pb')))).to.deep.equal(['pa_1', 'pa_2'])
    expect(subjectsIn(await loadDataset(path, but('pa')))).to.deep.equal(['pa_1', 'pa_2', 'pb'])
  })

  it('goes by what subjects.csv says', async () => {
    const files: Record<string, Uint8Array | string> = { 'subjects.csv': 'file,subject\nx1.png,Ann\nx2.png,Bob\n' }
    for (const name of ['x1', 'x2']) {
      files[`images/${name}.png`] = await png(16, 16, (x, y) => 60 + x * y)
      files[`masks/${name}.png`] = await png(16, 16, (x) => x < 8 ? 255 : 0)
    }
    const left = await loadDataset(await folder(files), but('Bob'))
    expect(subjectsIn(left)).to.deep.equal(['Ann'])
    expect(left.problems).to.deep.equal([])
  })
})

describe('a DICOM patient who is withdrawn', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    for (const patient of [1, 2]) {
      const own = join(folder, 'data', `${patient}`)
      for (const name of await readdir(join(DICOM, 'ct'))) await putOfPatient(join('ct', name), join(own, name), patient)
      await putOfPatient('ct-binary.dcm', join(own, 'seg.dcm'), patient)
    }
  })
  after(async () => { await rm(folder, { recursive: true }) })

  it('is found by the Patient ID, left out by a hash, and named nowhere', async () => {
    const privateStore = join(folder, 'private')
    const data = join(folder, 'data')
    const reading = { patientKey: patientKey(privateStore) }
    const found = (given: string): ReturnType<typeof findSubject> =>
      findSubject({ privateStore, data, given, reading, withoutLabels: false })
    const { subject, images } = (await found('FIXTURE-2'))!
    expect(images).to.equal(1)
    expect(subject).to.match(/^[0-9a-f]{16}$/)
    expect((await found(subject))?.subject).to.equal(subject)
    expect(await found('FIXTURE-3')).to.equal(undefined)

    const before = await loadDataset(data, reading)
    const book = await Withdrawn.read(privateStore)
    await book.add({ id: book.idOf(subject), at: '2026-01-01T00:00:00.000Z', shown: false })
    const { withdrawn } = await Withdrawn.read(privateStore)
    const left = await loadDataset(data, { ...reading, withdrawn })
    expect(subjectsIn(before)).to.have.length(2)
    expect(subjectsIn(left)).to.deep.equal(subjectsIn(before).filter((each) => each !== subject))
    const kept = await readFile(join(privateStore, 'withdrawn.json'), 'utf8')
    expect(kept).not.to.contain('FIXTURE').and.not.to.contain(subject)
  })

  it('is not forgotten in silence: another key, or a damaged file, ends the start with a way on', async () => {
    const privateStore = join(folder, 'other')
    const book = await Withdrawn.read(privateStore)
    await book.add({ id: book.idOf('x'), at: '2026-01-01T00:00:00.000Z', shown: false })
    const complaint = async (): Promise<string> =>
      await Withdrawn.read(privateStore).then(() => '', (error: unknown) => (error as Error).message)
    expect(await complaint()).to.equal('')
    await writeFile(join(privateStore, 'patients.key'), new Uint8Array(32))
    expect(await complaint()).to.match(/patients\.key is not the key.*restore it from a backup, or remove withdrawn\.json/)
    const path = join(privateStore, 'withdrawn.json')
    await writeFile(path, (await readFile(path, 'utf8')).replace('"x"', '"y"').replace('2026', '2027'))
    expect(await complaint()).to.match(/withdrawn\.json, which says who was withdrawn, is damaged: restore it/)
  })
})
