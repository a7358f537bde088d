import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { loadDataset } from '../../../src/dataset/index.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { createFederation } from '../../../src/site-model/create-federation.ts'
import { patientKey } from '../../../src/site-model/patient-key.ts'
import { openTrainerSession } from '../../../src/site-model/trainer/session.ts'
import { DICOM, putOfPatient, writeAsNifti } from '../../unit/formats/dicom/fixtures.ts'

const COMPUTE = { engine: 'onnx', provider: 'cpu', threads: 1, memory: 'fast' } as const
const PATIENTS = [1, 2, 3]

describe('training on DICOM', function () {
  this.timeout(300_000)
  let folder: string

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-dicom-'))
    for (const patient of PATIENTS) {
      for (const name of await readdir(join(DICOM, 'ct'))) {
        await putOfPatient(join('ct', name), join(folder, 'dicom', `${patient}`, 'series', name), patient)
      }
      await putOfPatient('ct-binary.dcm', join(folder, 'dicom', `${patient}`, 'seg.dcm'), patient)
    }
  })
  after(async () => { await rm(folder, { recursive: true }) })

  it('with SEG labels gives the very adapter that the same data in NIfTI give', async () => {
    const home = join(folder, 'home')
    const { document } = await createFederation({ home, name: 'x', rounds: 1, imageSize: 64, settings: { model: {} } })
    const { model, training, method } = document
    const { privateStore, models } = sitePaths(home)
    const trained = async (data: string, store: string): Promise<{ adapter: Float32Array, images: number }> => {
      const session = await openTrainerSession(
        { model, training, method, data, axis: 'auto', privateStore: store, models, compute: COMPUTE, siteSeed: 1 },
        () => {}
      )
      const { adapter } = await session.train({ phase: 'G', round: 1, done: 0, share: 1, adapter: session.ready.initial })
      expect(adapter).not.to.deep.equal(session.ready.initial)
      return { adapter: adapter!, images: session.ready.images }
    }
    const dicom = await trained(join(folder, 'dicom'), privateStore)
    const { slices } = await loadDataset(join(folder, 'dicom'), { patientKey: patientKey(privateStore) })
    const subjects = [...new Set(slices.map(({ subject }) => subject))]
    expect(subjects).to.have.length(PATIENTS.length)
    await writeAsNifti(join(folder, 'nifti'), subjects)
    const nifti = await trained(join(folder, 'nifti'), join(folder, 'other'))
    expect(dicom.images).to.equal(nifti.images)
    expect(Buffer.from(dicom.adapter.buffer).equals(Buffer.from(nifti.adapter.buffer))).to.equal(true)
  })
})
