import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { program } from '../../../src/cli/program.ts'
import { readFromPacs } from '../../../src/dicomweb/open-pacs.ts'
import { readInChild } from '../../../src/dicomweb/read-in-child.ts'
import { readFederation } from '../../../src/federation/document.ts'
import { readSeg } from '../../../src/formats/dicom/seg.ts'
import { readNifti } from '../../../src/formats/nifti.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { createFederation } from '../../../src/site-model/create-federation.ts'
import { openTrainerSession } from '../../../src/site-model/trainer/session.ts'
import { DICOM, onlyStack, putOfPatient } from '../../unit/formats/dicom/fixtures.ts'
import { needOrthanc, Orthanc, PASSWORD, USER } from './orthanc.ts'

const COMPUTE = { engine: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' } as const
const PATIENTS = [1, 2, 3]

interface Study { readonly ID: string, readonly MainDicomTags: { readonly StudyInstanceUID: string }, readonly Series: string[] }

describe('DICOMweb, with Orthanc as the PACS', function () {
  this.timeout(300_000)
  let folder: string
  let home: string
  let pacs: Orthanc
  let studies: Study[]

  before(async function () {
    needOrthanc(this)
    folder = await mkdtemp(join(tmpdir(), 'consilium-pacs-'))
    home = join(folder, 'home')
    for (const patient of PATIENTS) {
      for (const name of await readdir(join(DICOM, 'ct'))) {
        await putOfPatient(join('ct', name), join(folder, 'dicom', `${patient}`, 'series', name), patient)
      }
      await putOfPatient('ct-binary.dcm', join(folder, 'dicom', `${patient}`, 'seg.dcm'), patient)
    }
    await createFederation({ home, name: 'x', rounds: 1, imageSize: 64, settings: { model: {} } })
    pacs = await Orthanc.start(join(folder, 'orthanc'))
    await pacs.upload(join(folder, 'dicom'))
    await pacs.upload(join(DICOM, 'mr'))
    studies = await pacs.get<Study[]>('/studies?expand')
    await writeFile(sitePaths(home).pacs, JSON.stringify({ user: USER, password: PASSWORD }), { mode: 0o600 })
  })
  after(async () => {
    await pacs?.stop()
    if (folder != null) await rm(folder, { recursive: true })
  })

  const refusal = async (address: string): Promise<string> =>
    await readFromPacs(address, home).then(() => 'it was read', (error: unknown) => (error as Error).message)

  it('fetches labelled series alone, once, for this user alone', async () => {
    const { folder: found, ...read } = await readFromPacs(`${pacs.address}?StudyDate=19000101-`, home)
    expect(studies).to.have.length(4)
    expect(read).to.deep.equal({ studies: 4, unlabelled: 1 })
    const files = await readdir(found)
    expect(files).to.have.length(PATIENTS.length * 7)
    expect((await stat(found)).mode & 0o777).to.equal(0o700)
    const times = async (): Promise<number[]> => await Promise.all(files.map(async (name) => {
      const { mode, mtimeMs } = await stat(join(found, name))
      expect(mode & 0o777).to.equal(0o600)
      return mtimeMs
    }))
    const before = await times()
    expect((await readFromPacs(`${pacs.address}?StudyDate=19000101-`, home)).folder).to.equal(found)
    expect(await times()).to.deep.equal(before)
  })

  it('trains as the same files in a folder do', async () => {
    const { document: { model, training, method } } = await readFederation(sitePaths(home).federation)
    const trained = async (data: string): Promise<Float32Array> => {
      const { privateStore, models } = sitePaths(home)
      const setup = { model, training, method, data, axis: 'auto', privateStore, models, compute: COMPUTE, siteSeed: 1 } as const
      const session = await openTrainerSession(setup, () => {})
      const { adapter } = await session.train({ phase: 'G', round: 1, done: 0, share: 1, adapter: session.ready.initial })
      expect(adapter).not.to.deep.equal(session.ready.initial)
      return adapter!
    }
    const uids = studies.map(({ MainDicomTags }) => MainDicomTags.StudyInstanceUID)
    const { folder: found } = await readInChild({ address: `${pacs.address}?StudyInstanceUID=${uids.join(',')}`, home, pacsCache: 64 })
    const [fromPacs, fromFolder] = [await trained(found), await trained(join(folder, 'dicom'))]
    expect(Buffer.from(fromPacs.buffer).equals(Buffer.from(fromFolder.buffer))).to.equal(true)
  })

  it('a prediction is stored as a SEG in the study of its series, has the voxels of NIfTI, and is no label', async () => {
    const study = studies.find(({ Series }) => Series.length === 2)!
    const uid = study.MainDicomTags.StudyInstanceUID
    const [out, nifti] = [join(folder, 'seg.dcm'), join(folder, 'seg.nii.gz')]
    const predict = ['predict', '--home', home, '--threads', '1', '--no-cache', '--dicom', `${pacs.address}/studies/${uid}`]
    await program([...predict, '--out', out, '--store']).parseAsync()
    await program([...predict, '--out', nifti]).parseAsync()
    const { Series } = await pacs.get<Study>(`/studies/${study.ID}`)
    const added = Series.filter((series) => !study.Series.includes(series))
    expect(added).to.have.length(1)
    const { Instances, MainDicomTags: { Modality } } =
      await pacs.get<{ Instances: string[], MainDicomTags: { Modality: string } }>(`/series/${added[0]}`)
    expect(Modality).to.equal('SEG')
    const stored = join(folder, 'stored.dcm')
    await writeFile(stored, await pacs.file(Instances[0]!))
    const { voxels } = await readSeg(stored, await onlyStack(join(DICOM, 'ct')), () =>
      ({ valueOf: ({ number }) => ({ value: number, isKnown: true }), notes: [] }))
    expect([...voxels]).to.deep.equal([...(await readNifti(nifti)).voxels])
    const { status, stderr } = spawnSync('dciodvfy', ['-new', stored], { encoding: 'utf8' })
    if (status != null) expect(stderr).to.include('Segmentation').and.not.include('Error')
    const { folder: found } = await readFromPacs(`${pacs.address}/studies/${uid}`, home)
    expect(await readdir(found)).to.have.length(7)
  })

  it('says in one sentence what is wrong, without the address', async () => {
    const { pacs: file } = sitePaths(home)
    const right = await readFile(file)
    const none = pacs.address.replace(/:\d+/, ':1')
    expect(await refusal(pacs.address)).to.match(/^all studies of a PACS are too many/)
    expect(await refusal(`${pacs.address}?PatientID=NOBODY`)).to.match(/^the PACS has no study that the address names/)
    expect(await refusal(`${pacs.address}/studies/1.2.3`)).to.match(/^the PACS has no study that the address names/)
    expect(await refusal(`${none}?Modality=CT`)).to.match(/^the PACS cannot be reached: check the address/)
    expect(await refusal(`${pacs.address.replace('/dicom-web', '/nothing')}?Modality=CT`)).to.match(/^the PACS has nothing there/)
    expect(await refusal(`${pacs.address.replace('/dicom-web', '/app/explorer.html')}?Modality=CT`)).to.match(/^the PACS has nothing there/)
    expect(await refusal(`${pacs.address.replace('http:', 'https:')}?Modality=CT`)).to.match(/^the PACS speaks no TLS/)
    await writeFile(file, JSON.stringify({ user: USER, password: 'another' }))
    expect(await refusal(`${pacs.address}?Modality=CT`)).to.match(/^the PACS refuses this site \(401\): give its user and password/)
    await chmod(file, 0o644)
    expect(await refusal(`${pacs.address}?Modality=CT`)).to.match(/pacs\.json holds a password and can be read by others: chmod 600 it$/)
    await writeFile(file, right)
    await chmod(file, 0o600)
  })
})
