import { join, parse } from 'node:path'
import { parse as parseCsv } from 'csv-parse/sync'
import { InputError } from '../../errors.ts'
import { parseName, readCapped } from '../../formats/file.ts'
import { lastNumber, type Whose } from '../subject.ts'
import type { Problem } from '../types.ts'

const NAME = 'subjects.csv'
const MOST_BYTES = 16 * 1024 ** 2

const FILE_COLUMNS = ['file', 'filename', 'image', 'name', 'stem', 'case']
const SUBJECT_COLUMNS = ['subject', 'patient', 'subject_id', 'patient_id', 'subjectid', 'patientid']
const INDEX_COLUMNS = ['index', 'slice', 'position', 'instance']

export interface SubjectsFile {
  /** By name of the image: its path below the folder of images, or its file name, each with or without its ending. */
  readonly subjects: ReadonlyMap<string, Whose>
  readonly problems: readonly Problem[]
}

/** The subjects that a site states in subjects.csv; a problem where the file is not one. */
export async function readSubjectsFile (root: string): Promise<SubjectsFile> {
  try {
    return { subjects: readRows(await readCapped(join(root, NAME), MOST_BYTES)), problems: [] }
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    const reason = `${error.message}; subjects are known by the names of the images instead`
    return { subjects: new Map(), problems: [{ file: NAME, reason }] }
  }
}

function readRows (bytes: Buffer): Map<string, Whose> {
  const rows = parsed(bytes)
  const header = Object.keys(rows[0] ?? {})
  const column = (names: readonly string[]): string => header.find((each) => names.includes(each)) ?? ''
  const [file, subject, index] = [column(FILE_COLUMNS), column(SUBJECT_COLUMNS), column(INDEX_COLUMNS)]
  if (file === '' || subject === '') throw new InputError('its first line must name the columns file and subject')
  const subjects = new Map<string, Whose>()
  for (const row of rows) {
    const [stem, who] = [stemOf((row[file] ?? '').normalize('NFC')), (row[subject] ?? '').normalize('NFC')]
    if (stem === '' || who === '') throw new InputError('a line lacks the file or the subject')
    const before = subjects.get(stem)
    if (before != null && before.subject !== who) throw new InputError('it gives two subjects to one file')
    subjects.set(stem, { subject: who, index: positionOf(stem, row[index] ?? '') })
  }
  return subjects
}

function positionOf (stem: string, stated: string): number {
  const position = Number(stated)
  return stated !== '' && Number.isFinite(position) ? position : lastNumber(parse(stem).base)
}

function parsed (bytes: Buffer): Array<Record<string, string>> {
  try {
    return parseCsv(bytes, {
      bom: true,
      columns: (names: string[]) => names.map((name) => name.trim().toLowerCase()),
      delimiter: [',', ';', '\t'],
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true
    })
  } catch {
    throw new InputError('it is not a table of values parted by commas, semicolons or tabs')
  }
}

/** `p1/a.nii.gz` → `p1/a`; a name without a known ending stays as it is. */
export function stemOf (name: string): string {
  const path = name.replaceAll('\\', '/').replace(/^\.?\//, '')
  const { stem, kind, ending } = parseName(path)
  return kind == null ? path : path.slice(0, path.length - ending.length - stem.length) + stem
}
