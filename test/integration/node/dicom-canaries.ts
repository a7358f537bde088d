import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import dcmjs from 'dcmjs'
import { seededRandom } from '../../../src/common/random.ts'
import { stacksIn } from '../../../src/dataset/dicom/list-dicom.ts'
import { surveyFiles } from '../../../src/formats/dicom/survey.ts'
import { segBytes } from '../../../src/formats/dicom/write-seg.ts'

const [SIDE, SLICES] = [64, 4]
const MR = '1.2.840.10008.5.1.4.1.1.4'
const ROOT = '1.2.826.0.1.3680043.8.498.4711'
/** Bytes of a needle. */
const NEEDLE = 16

/** What stands in the tags of a patient, and in private ones, and must stay where it is. */
const TAGS = {
  PatientName: 'Canarywoman^Ada',
  PatientID: 'CANARY-PID-90210',
  PatientBirthDate: '19511203',
  AccessionNumber: 'CANARYACC77',
  StudyDescription: 'canary study description',
  SeriesDescription: 'canary series description',
  InstitutionName: 'Canary General Hospital',
  ReferringPhysicianName: 'Canarydoctor^Bob',
  StudyInstanceUID: `${ROOT}.1`,
  SeriesInstanceUID: `${ROOT}.2`,
  FrameOfReferenceUID: `${ROOT}.3`
}
const PRIVATE = 'canary-in-a-private-tag'
const FILE = 'CANARYFILE'

/** A series of noise with a segmentation, full of what tells who a patient is; returns all of that, and some of its pixels. */
export async function writeDicomCanaries (folder: string): Promise<{ tags: string[], pixels: Buffer[] }> {
  const random = seededRandom(11)
  const files: string[] = []
  const pixels: Buffer[] = []
  await mkdir(folder, { recursive: true })
  for (let k = 0; k < SLICES; k++) {
    const values = Uint16Array.from({ length: SIDE * SIDE }, () => Math.floor(random() * 4096))
    for (let y = 0; y < SIDE; y += 9) pixels.push(Buffer.from(values.buffer, 2 * y * SIDE, NEEDLE))
    const written = dcmjs.data.datasetToDict({
      ...TAGS,
      SOPClassUID: MR,
      SOPInstanceUID: `${ROOT}.4.${k}`,
      Modality: 'MR',
      InstanceNumber: k + 1,
      ImagePositionPatient: [0, 0, 5 * k],
      ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
      PixelSpacing: [1, 1],
      Rows: SIDE,
      Columns: SIDE,
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
      PixelData: values.buffer,
      _vrMap: { PixelData: 'OW' },
      _meta: {}
    })
    written.dict['00290010'] = { vr: 'LO', Value: ['CANARY PRIVATE'] }
    written.dict['00291010'] = { vr: 'LO', Value: [PRIVATE] }
    files.push(join(folder, `${FILE}${k}.dcm`))
    await writeFile(files.at(-1)!, Buffer.from(written.write()))
  }
  const stack = stacksIn((await surveyFiles(files)).instances).get(TAGS.SeriesInstanceUID)![0]!
  const disc = Uint8Array.from({ length: SIDE * SIDE }, (_, at) => Math.hypot(at % SIDE - 30, at / SIDE - 30) < 15 ? 1 : 0)
  const slices = stack.frames.map(() => disc)
  const code = { scheme: 'SCT', value: '10200004', meaning: 'Liver' }
  const algorithm = { name: 'by hand', version: '1', parameters: '', prompted: true }
  await writeFile(join(folder, `${FILE}-seg.dcm`), await segBytes(stack, [{ name: 'Liver', code, slices }], algorithm))
  // Shorter needles than these would be found by chance.
  const long = [...Object.values(TAGS), PRIVATE, 'CANARY PRIVATE', FILE, 'Canarywoman'].filter((text) => text.length > 8)
  return { tags: long, pixels }
}
