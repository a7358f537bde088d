import { decimals, text } from './elements.ts'
import { readHeader, type DataSet } from './parse.ts'

/** Character sets of DICOM (PS3.3 C.12.1.1.2) by the names that decoders know; the default holds Latin letters. */
const CHARSETS = new Map(Object.entries({
  13: 'shift_jis',
  58: 'gb18030',
  87: 'iso-2022-jp',
  100: 'latin1',
  101: 'iso-8859-2',
  109: 'iso-8859-3',
  110: 'iso-8859-4',
  126: 'iso-8859-7',
  127: 'iso-8859-6',
  138: 'iso-8859-8',
  144: 'iso-8859-5',
  148: 'windows-1254',
  149: 'euc-kr',
  166: 'windows-874',
  192: 'utf-8'
}))

/** What a segmentation takes over from its images: the patient, the study, and what else says where it belongs. */
const KEPT = {
  PatientName: 'x00100010',
  PatientID: 'x00100020',
  IssuerOfPatientID: 'x00100021',
  PatientBirthDate: 'x00100030',
  PatientSex: 'x00100040',
  StudyInstanceUID: 'x0020000d',
  StudyDate: 'x00080020',
  StudyTime: 'x00080030',
  ReferringPhysicianName: 'x00080090',
  StudyID: 'x00200010',
  AccessionNumber: 'x00080050',
  StudyDescription: 'x00081030'
} as const
/** Those of them that must be there, if need be without a value. */
const REQUIRED: readonly string[] = [
  'PatientName', 'PatientID', 'PatientBirthDate', 'PatientSex', 'StudyDate', 'StudyTime', 'ReferringPhysicianName', 'StudyID',
  'AccessionNumber'
]

export interface SourceHeader {
  readonly kept: Readonly<Record<string, string>>
  readonly frameOfReference: string | undefined
  readonly positionReference: string
  /** whether pixels were once packed with loss, and how */
  readonly lossy: Readonly<Record<string, string | number[]>>
}

/** The part of an image's header that goes on into what is made of it. @throws InputError without a file name */
export async function readSourceHeader (file: string): Promise<SourceHeader> {
  const { dataSet } = await readHeader(file)
  const own = Object.entries(KEPT).map(([name, tag]) => [name, decoded(dataSet, tag)] as const)
  const isLossy = text(dataSet, 'x00282110') === '01'
  const ratio = decimals(dataSet, 'x00282112')
  const method = text(dataSet, 'x00282114')
  const lossy = {
    LossyImageCompression: isLossy ? '01' : '00',
    ...isLossy && ratio != null ? { LossyImageCompressionRatio: ratio } : {},
    ...isLossy && method != null ? { LossyImageCompressionMethod: method } : {}
  }
  return {
    kept: Object.fromEntries(own.flatMap(([name, value]) => value == null && !REQUIRED.includes(name) ? [] : [[name, value ?? '']])),
    frameOfReference: text(dataSet, 'x00200052'),
    positionReference: text(dataSet, 'x00201040') ?? '',
    lossy
  }
}

function decoded (dataSet: DataSet, tag: string): string | undefined {
  const element = dataSet.elements[tag]
  if (element == null || element.length === 0) return undefined
  const set = text(dataSet, 'x00080005')?.split('\\').findLast((each) => each !== '') ?? ''
  const bytes = dataSet.byteArray.subarray(element.dataOffset, element.dataOffset + element.length)
  const name = set.startsWith('GB') ? 'gb18030' : CHARSETS.get(/\d+$/.exec(set)?.[0] ?? '') ?? 'latin1'
  return new TextDecoder(name).decode(bytes).replaceAll('\0', ' ').trim()
}
