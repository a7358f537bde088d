import { listImagesOf, pseudonyms, type ReadOptions } from '../../dataset/index.ts'
import { patientKey } from '../patient-key.ts'
import { readSides } from '../sides.ts'

/** A subject of a data folder as its images have it: a name of its own, or of DICOM files a hash. */
export interface FoundSubject {
  readonly subject: string
  /** files and series; 0 where the site knows the subject from before */
  readonly images: number
}

/** What a subject may be called: as `data check` lists it, or by the Patient ID, or Study Instance UID, of its DICOM files. */
export async function namesOf (privateStore: string, given: string): Promise<ReadonlySet<string>> {
  const pseudonym = pseudonyms(await patientKey(privateStore)())
  return new Set([given, given.normalize('NFC'), given.normalize('NFD'), pseudonym('patient', given), pseudonym('study', given)])
}

/** Whose images are meant; undefined for a subject who is not there and never was. @throws InputError for a folder that cannot be read */
export async function findSubject (
  { privateStore, data, given, reading, withoutLabels }: {
    readonly privateStore: string
    readonly data: string
    readonly given: string
    readonly reading: ReadOptions
    readonly withoutLabels: boolean
  }
): Promise<FoundSubject | undefined> {
  const names = await namesOf(privateStore, given)
  const found = new Set<string>()
  const is = (subject: string): boolean => {
    if (names.has(subject)) found.add(subject)
    return names.has(subject)
  }
  const images = await listImagesOf(data, is, { ...reading, withoutLabels, patientKey: patientKey(privateStore) })
  const { known } = await readSides(privateStore)
  const [subject] = images.length > 0 ? found : [...names].filter((name) => known?.has(name))
  return subject == null ? undefined : { subject, images: images.length }
}
