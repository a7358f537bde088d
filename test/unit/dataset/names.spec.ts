import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import {
  describeSubjects,
  describeSummary,
  listImages,
  scanDataset,
  splitSlices,
  summarise,
  type Dataset
} from '../../../src/dataset/index.ts'
import { subjectBefore, subjectOf, subjectOfVolume } from '../../../src/dataset/subject.ts'
import { folderOf, niftiBytes, png } from './fixtures.ts'

const CASES = join(import.meta.dirname, '../../fixtures/field-cases')

const SUBJECTS: ReadonlyArray<[name: string, subject: string, index: number]> = [
  ['IM-0001-0002', 'IM-0001', 2],
  ['patient01_slice003', 'patient01', 3],
  ['patient01slice003', 'patient01', 3],
  ['case1.003', 'case1', 3],
  ['pat7 (3)', 'pat7', 3],
  ['p1_z3', 'p1', 3],
  ['p1s3', 'p1', 3],
  ['S1I23', 'S1', 23],
  ['patient-7_im-0012', 'patient-7', 12],
  ['patient001_frame01_slice_3', 'patient001', 3],
  ['volume-12_slice_34', 'volume-12', 34],
  ['ID_0000_Z_0087_AGE_0060_CONTRAST_1_CT', 'ID_0000', 87],
  ['sub-01_ses-02_slice-003', 'sub-01', 3],
  ['TCGA_CS_4941_19960909_12', 'TCGA_CS_4941', 12],
  ['1.2.840.113619.2.55.3', '1.2.840.113619.2.55', 3],
  ['P001-S01-I003', 'P001', 3],
  ['benign (3)', 'benign (3)', 0],
  ['IM000012', 'IM', 12],
  ['10_left', '10', 0],
  ['Image_01L', 'Image_01', 0],
  ['case_12', 'case_12', 0],
  ['ISIC_0024306', 'ISIC_0024306', 0],
  ['patient12', 'patient12', 0]
]

describe('who is one patient', () => {
  for (const [name, subject, index] of SUBJECTS) {
    it(`${name} is picture ${index} of ${subject}`, () => { expect(subjectOf(name)).to.deep.equal({ subject, index }) })
  }

  it('volumes of one patient are one subject, and others each their own', () => {
    const same = ['patient001_frame01', 'patient001_frame12', 'patient001_ED', 'patient001_frame01_gt'.slice(0, 18)]
    expect(new Set(same.map(subjectOfVolume))).to.deep.equal(new Set(['patient001']))
    expect(['sub-01_ses-02_T1w', 'sub-01_ses-01_T1w'].map(subjectOfVolume)).to.deep.equal(['sub-01', 'sub-01'])
    expect(['BraTS-GLI-00005-100', 'BraTS-GLI-00005-101'].map(subjectOfVolume)).to.deep.equal(['BraTS-GLI-00005', 'BraTS-GLI-00005'])
    for (const own of ['la_003', 'prostate_00', 'volume-0', 'c_001', 'v']) expect(subjectOfVolume(own)).to.equal(own)
  })

  it('never parts what the number alone tells apart, whatever stands before it', () => {
    fc.assert(fc.property(
      fc.stringMatching(/^[a-z]{2,6}\d{1,3}$/),
      fc.constantFrom('-', '_', '.', ' ', '_slice', '-slice-', ' slice ', '_z', '_s', '_img', '_frame'),
      fc.uniqueArray(fc.nat(999), { minLength: 2, maxLength: 9 }),
      (patient, between, numbers) => {
        const found = numbers.map((number) => subjectOf(`${patient}${between}${String(number).padStart(3, '0')}`))
        expect(new Set(found.map(({ subject }) => subject))).to.deep.equal(new Set([patient]))
        expect(found.map(({ index }) => index)).to.deep.equal(numbers)
      }
    ))
  })

  it('federations without a window in their document keep the rule of then', () => {
    expect(subjectBefore('IM-0001-0002')).to.deep.equal({ subject: 'IM-0001-0002', index: 0 })
    expect(subjectBefore('p_007')).to.deep.equal({ subject: 'p', index: 7 })
  })
})

describe('finding pairs', () => {
  let clear: (() => Promise<void>)[] = []
  let image: Uint8Array
  let mask: Uint8Array
  let mask32: Uint8Array
  const dims = [4, 5, 3]
  const values = Array.from({ length: 60 }, (_, i) => i + 100)
  const volume = niftiBytes({ dims, values, datatype: 4 })
  const label = niftiBytes({ dims, values: values.map((value) => value % 3 === 0 ? 1 : 0) })

  before(async () => {
    image = await png(6, 8, (x, y) => 10 * x + y)
    mask = await png(6, 8, (x) => x > 3 ? 255 : 0)
    mask32 = await png(32, 32, (x) => x > 10 ? 255 : 0)
  })
  afterEach(async () => {
    await Promise.all(clear.map(async (each) => { await each() }))
    clear = []
  })

  async function scan (files: Record<string, Uint8Array | string>): Promise<Dataset> {
    const made = await folderOf(files)
    clear.push(made.clear)
    return await scanDataset(made.path)
  }

  const bySubject = ({ slices }: Dataset): string[][] => slices.map(({ id, subject }) => [id, subject])

  it('reads the field cases', async () => {
    const series = await scanDataset(join(CASES, 'E1-one-patient-many-names'))
    expect(series).to.include({ subjects: 1 })
    expect(describeSubjects(series.slices)).to.equal('12 slices of 1 subject: IM-0001')
    const { train, validation } = splitSlices(series.slices, { seed: 0 })
    for (const { index } of train) for (const other of validation) expect(Math.abs(index - other.index)).to.be.greaterThan(2)
    for (const name of ['F1-nfc-nfd', 'F2-msd-names']) {
      const { problems, slices } = await scanDataset(join(CASES, name))
      expect(problems).to.deep.equal([])
      expect(new Set(slices.map(({ subject }) => subject)).size).to.equal(1)
    }
  })

  it('takes masks by a suffix, a prefix, another case or a folder of another name', async () => {
    for (const [one, other] of [
      ['images/a.png', 'masks/a_mask.png'],
      ['images/a.png', 'labels/a-seg.png'],
      ['images/a.png', 'labels/A.png'],
      ['images/a_image.png', 'masks/a_label.png'],
      ['imgs/a.png', 'annotations/mask_a.png'],
      ['images/a.png', 'masks/more/a.png'],
      ['images/train/a.png', 'masks/train/a.png'],
      ['a.png', 'a_mask.png'],
      ['images/a.png', 'images/a_mask.png']
    ] as const) {
      const dataset = await scan({ [one]: image, [other]: mask })
      expect(dataset.problems, other).to.deep.equal([])
      expect(dataset.slices.map(({ subject }) => subject), other).to.deep.equal([one.includes('_image') ? 'a_image' : 'a'])
      expect(dataset.slices[0]!.mask.some((value) => value === 0)).to.equal(true)
    }
  })

  it('pairs volume-3 with segmentation-3, and prefers the very name', async () => {
    const dataset = await scan({
      'images/volume-3.nii': volume,
      'masks/segmentation-3.nii': label,
      'images/b.nii': volume,
      'masks/b.nii': label,
      'masks/b_mask.nii': label
    })
    expect(new Set(dataset.slices.map(({ subject }) => subject))).to.deep.equal(new Set(['b', 'volume-3']))
    expect(dataset.problems.map(({ file }) => file)).to.deep.equal(['masks/b_mask.nii'])
    expect(dataset.byLikeName).to.equal(1)
  })

  it('takes a folder for each patient for one subject, however its files are named', async () => {
    const nested = await scan({ 'images/p1/x.png': image, 'masks/p1/x.png': mask, 'images/p1/y.png': image, 'masks/p1/y.png': mask })
    expect(bySubject(nested)).to.deep.equal([['p1/x', 'p1'], ['p1/y', 'p1']])
    const own = await scan({
      'p1/images/1.png': image,
      'p1/masks/1.png': mask,
      'p2/scan.nii': volume,
      'p2/mask.nii': label,
      'p3/t1.nii': volume,
      'p3/t1_seg.nii': label,
      'readme.txt': 'x'
    })
    expect(own.problems).to.deep.equal([])
    expect(own).to.include({ layout: 'patients', subjects: 3 })
    expect([...new Set(own.slices.map(({ subject }) => subject))]).to.deep.equal(['p1', 'p2', 'p3'])
  })

  it('believes subjects.csv, then dataset.json, before any name', async () => {
    const files = { 'images/a1.png': image, 'masks/a1.png': mask, 'images/b2.png': image, 'masks/b2.png': mask }
    for (const csv of [
      'file,subject\na1.png,P\nb2.png,P\n',
      '\uFEFFimage;patient\r\n"a1";"P"\r\nb2;P\r\n',
      'Subject\tFile\tSlice\nP\timages/a1.png\t7\nP\timages/b2.png\t9\n'
    ]) {
      const { problems, subjects, subjectsBy } = await scan({ ...files, 'subjects.csv': csv })
      expect(problems).to.deep.equal([])
      expect({ subjects, subjectsBy }).to.deep.equal({ subjects: 1, subjectsBy: { site: 2, folder: 0, name: 0 } })
    }
    const placed = await scan({ ...files, 'subjects.csv': 'file,subject,slice\na1,P,7\nb2,P,9\n' })
    expect(placed.slices.map(({ index }) => index)).to.deep.equal([7, 9])
    const json = await scan({ ...files, 'dataset.json': '{"subjects":{"a1":"Q","b2":"Q"}}' })
    expect(json.slices.map(({ subject }) => subject)).to.deep.equal(['Q', 'Q'])
    const wrong = await scan({ ...files, 'subjects.csv': 'x,y\n1,2\n' })
    expect(wrong.problems.map(({ file, reason }) => [file, reason.slice(0, 54)])).to.deep.equal(
      [['subjects.csv', 'its first line must name the columns file and subject;']]
    )
    const missing = await scan({ ...files, 'subjects.csv': 'file,subject\na1,P\nnowhere,P\n' })
    expect(missing.problems.map(({ file, reason }) => [file, reason.slice(0, 48)])).to.deep.equal(
      [['subjects.csv', 'it gives subjects to images that are not there: ']]
    )
    expect(missing.subjectsBy).to.deep.equal({ site: 1, folder: 0, name: 1 })
  })

  it('says where subjects look wrong, and names none', async () => {
    const files: Record<string, Uint8Array> = {}
    for (let i = 0; i < 9; i++) {
      const letters = `series${'abcdefghi'[i]}x`
      files[`images/${letters}.png`] = await png(32, 32, (x, y) => Math.hypot(x - 8 - 2 * i, y - 16) < 7 ? 200 : 20)
      files[`masks/${letters}.png`] = await png(32, 32, (x, y) => Math.hypot(x - 8 - 2 * i, y - 16) < 7 ? 255 : 0)
    }
    const summary = summarise(await scan(files))
    expect(summary).to.include({ subjects: 9, subjectsLookWrong: true })
    expect(describeSummary(summary)).to.include('look like neighbouring slices').and.to.not.include('series')
    const others: Record<string, Uint8Array> = {}
    for (let i = 0; i < 9; i++) {
      const place = (i * 5) % 9
      others[`images/${'abcdefghi'[i]}.png`] = await png(32, 32, (x, y) => Math.hypot(x - 8 - 2 * place, y - 16) < 7 ? 200 : 20)
      others[`masks/${'abcdefghi'[i]}.png`] = mask32
    }
    expect(summarise(await scan(others)).subjectsLookWrong).to.equal(false)
  })
  it('lists one image for each case of an imagesTs, and every picture of another folder', async () => {
    const channels = { 'c_1_0000.nii': volume, 'c_1_0001.nii': volume, 'c_2_0000.nii': volume }
    for (const [folder, expected] of [['imagesTs', ['c_1', 'c_2']], ['images', ['c_1_0000', 'c_1_0001', 'c_2_0000']]] as const) {
      const made = await folderOf(Object.fromEntries(Object.entries(channels).map(([name, bytes]) => [`${folder}/${name}`, bytes])))
      clear.push(made.clear)
      const { images, problems } = await listImages(join(made.path, folder))
      expect([...images.keys()]).to.deep.equal(expected)
      expect(problems).to.deep.equal([])
    }
    const plain = await folderOf({ 'imagesTs/la_1.nii': volume, 'imagesTs/la_2019.nii': volume })
    clear.push(plain.clear)
    expect([...(await listImages(join(plain.path, 'imagesTs'))).images.keys()]).to.deep.equal(['la_1', 'la_2019'])
  })

  it('reads the first of the channels that dataset.json names, and counts the others', async () => {
    const four = niftiBytes({ dims: [4, 5, 3, 2], values: [...values, ...values.map(() => 5)], datatype: 4 })
    const json = '{"modality":{"0":"FLAIR","1":"T1w"}}'
    const dataset = await scan({ 'imagesTr/b.nii': four, 'labelsTr/b.nii': label, 'dataset.json': json })
    expect(dataset.problems).to.deep.equal([])
    expect(dataset.ignoredChannels).to.equal(1)
    expect(new Set(dataset.slices[0]!.image).size).to.be.greaterThan(3)
    const unsaid = await scan({ 'imagesTr/b_0000.nii': four, 'labelsTr/b.nii': label, 'dataset.json': '{"modality":{"0":"FLAIR"}}' })
    expect(unsaid.problems[0]!.reason).to.include('fourth dimension')
  })
})
