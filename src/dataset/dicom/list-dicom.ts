import { dirname, join, relative } from 'node:path'
import type { Instance } from '../../formats/dicom/instance.ts'
import { stacksOf, type Stack } from '../../formats/dicom/stacks.ts'
import { surveyFiles, type Survey } from '../../formats/dicom/survey.ts'
import type { Whose } from '../subject.ts'
import type { DicomFacts, Problem } from '../types.ts'
import { findCandidates } from './find-files.ts'
import { pseudonyms, subjectOfSeries, type Pseudonym } from './identity.ts'

/** A DICOM series and the segmentation that was drawn on it. */
export interface DicomPair {
  readonly stem: string
  /** path of one of its files below the data folder */
  readonly image: string
  readonly stack: Stack
  readonly labels: Instance
  readonly whose: Whose & { readonly by: 'site' }
}

/** A series that nothing in the folder was drawn on, and the problem that says so. */
export type BareSeries = Omit<DicomPair, 'labels'> & { readonly problem: Problem }

export interface DicomListing {
  readonly pairs: readonly DicomPair[]
  readonly unlabelled: readonly BareSeries[]
  readonly problems: readonly Problem[]
  /** paths below the data folder of all files that are DICOM */
  readonly files: ReadonlySet<string>
  readonly facts: DicomFacts
}

export interface ListOptions {
  /** of the home, by which patients are hashed; asked for where there are any */
  readonly patientKey?: (() => Promise<Uint8Array>) | undefined
  readonly signal?: AbortSignal | undefined
}

const NAMED = /\.(dcm|dicom|ima)$/i
const NO_LABELS = 'no DICOM SEG or RTSTRUCT in the folder was drawn on the series: add it, or leave the series out'
const SEVERAL = 'several segmentations were drawn on the series: keep the one that is meant'
const NO_SERIES = 'the series that the segmentation was drawn on is not in the folder: add it'

/** The DICOM series of a data folder, by their headers alone; undefined where it holds none. */
export async function listDicom (root: string, { patientKey, signal }: ListOptions = {}): Promise<DicomListing | undefined> {
  const candidates = await findCandidates(root)
  const survey = await surveyFiles(candidates.map((file) => join(root, file)), signal)
  const isMeant = ({ file }: { file: string }): boolean => NAMED.test(file)
  const refused = survey.refused.filter((each) => isMeant(each) || !each.reason.includes('is not DICOM'))
  if (!survey.instances.some(({ kind }) => kind === 'image') && !refused.some(isMeant)) return undefined
  const at = (file: string): string => relative(root, file)
  const { pairs, unlabelled, problems } = pairsOf(survey.instances, pseudonyms(await patientKey?.()), at)
  return {
    pairs,
    unlabelled,
    problems: [...byReason(refused, at), ...problems],
    files: new Set([...survey.instances, ...refused].map(({ file }) => at(file))),
    facts: factsOf(survey.instances)
  }
}

/** The stacks of all series in files, the largest of a series first. */
export function stacksIn (instances: readonly Instance[]): Map<string, Stack[]> {
  const images = instances.filter(({ kind }) => kind === 'image')
  return new Map([...Map.groupBy(images, ({ series }) => series)].map(([series, own]) => [series, stacksOf(own)]))
}

function factsOf (instances: readonly Instance[]): DicomFacts {
  const images = instances.filter(({ kind }) => kind === 'image')
  const series = [...Map.groupBy(images, (each) => each.series).values()].map(([first]) => first!)
  const modalities = Map.groupBy(series, ({ modality }) => /^[A-Z]{2,4}$/.test(modality) ? modality : 'other')
  return {
    images: images.reduce((sum, { frames }) => sum + frames.length, 0),
    series: series.length,
    patients: new Set(series.map(({ patient, study }) => patient ?? study)).size,
    segmentations: instances.filter(({ kind }) => kind === 'seg' || kind === 'rtstruct').length,
    modalities: Object.fromEntries([...modalities].map(([modality, own]) => [modality, own.length]))
  }
}

function pairsOf (
  instances: readonly Instance[],
  pseudonym: Pseudonym,
  at: (file: string) => string
): Pick<DicomListing, 'pairs' | 'unlabelled' | 'problems'> {
  const problems: Problem[] = []
  const pairs: DicomPair[] = []
  const unlabelled: BareSeries[] = []
  const stacks = stacksIn(instances)
  const drawn = new Map<Stack, Instance[]>()
  for (const labels of instances.filter(({ kind }) => kind === 'seg' || kind === 'rtstruct')) {
    const stack = stackFor(labels, stacks)
    if (stack == null) problems.push({ file: at(labels.file), reason: NO_SERIES })
    else drawn.set(stack, [...drawn.get(stack) ?? [], labels])
  }
  for (const [series, own] of stacks) {
    const labelled = own.filter((stack) => drawn.has(stack))
    const image = at(own[0]!.frames[0]!.file)
    if (labelled.length === 0) {
      const problem = { file: join(dirname(image), '…'), reason: NO_LABELS, files: own[0]!.frames.length }
      problems.push(problem)
      unlabelled.push({ ...nameOf(series, own[0]!, 0, pseudonym), image, stack: own[0]!, problem })
    }
    for (const stack of labelled) {
      const [labels, ...further] = drawn.get(stack)!
      if (further.length > 0) problems.push({ file: join(dirname(image), '…'), reason: SEVERAL })
      else pairs.push({ ...nameOf(series, stack, own.indexOf(stack), pseudonym), image: at(stack.frames[0]!.file), stack, labels: labels! })
    }
  }
  return { pairs: pairs.sort((a, b) => a.stem < b.stem ? -1 : 1), unlabelled, problems }
}

function nameOf (series: string, stack: Stack, part: number, pseudonym: Pseudonym): Pick<DicomPair, 'stem' | 'whose'> {
  const subject = subjectOfSeries(stack.instance, pseudonym)
  const stem = `${subject}-${pseudonym('series', series)}${part > 0 ? `-${part}` : ''}`
  return { stem, whose: { subject, index: 0, by: 'site' } }
}

/** The part of a series that a segmentation names most images of; by its frame of reference where it names no series. */
function stackFor (labels: Instance, stacks: ReadonlyMap<string, readonly Stack[]>): Stack | undefined {
  const named = labels.refersTo.flatMap((series) => stacks.get(series) ?? [])
  const framed = [...stacks.values()].flat().filter(({ instance }) => instance.frameOfReference === labels.frameOfReference)
  const found = named.length > 0 ? named : labels.frameOfReference == null || framed.length !== 1 ? [] : framed
  const images = new Set(labels.images)
  const count = ({ frames }: Stack): number => new Set(frames.flatMap(({ sop }) => images.has(sop) ? [sop] : [])).size
  return found.reduce<Stack | undefined>((best, stack) => best == null || count(stack) > count(best) ? stack : best, undefined)
}

/** One problem for all files of one reason. */
function byReason (refused: Survey['refused'], at: (file: string) => string): Problem[] {
  return [...Map.groupBy(refused, ({ reason }) => reason)].map(([reason, [first, ...others]]) => ({
    file: at(first!.file) + (others.length === 0 ? '' : ` and ${others.length} more`),
    reason,
    files: 1 + others.length
  }))
}
