/** Whose an image is, and where it stands among the images of the same subject. */
export interface Whose { readonly subject: string, readonly index: number }

/** Words that say: the number behind me counts slices, time points or pictures of one patient; the short ones need a separator. */
const [WORDS, SHORT_WORDS] = ['slices?|slc|frame|img|image|plane', 'sl|s|z|y|x|im|i|fr|f|t|tp|time|phase|echo|no|nr']
const COUNTED = new RegExp(`^(.+?)(?:[-_#. ]*(?:${WORDS})|[-_#. ]+(?:${SHORT_WORDS}))[-_#. ]*(\\d+)$`, 'i')
/** `pat7 (3)`, as Windows numbers copies and renamed files. */
const IN_BRACKETS = /^(.*[^-_#. ])[-_#. ]*\((\d+)\)$/
const LAST_NUMBER = /^(.*[^-_#. ])[-_#. ]+(\d+)$/
/** `p1s3`, `S1I23`: the letter alone parts two numbers. */
const RUN_TOGETHER = /^(.*\d)(?:sl|s|z|i)(\d+)$/i
/** `ID_0000_Z_0087_CONTRAST_1`: more follows the number of the slice. */
const WITHIN = /^(.+?)[-_#. ](?:slice|slc|sl|z)[-_]?(\d+)[-_#. ].*$/i
/** `IM000012`, `IMG_12`: pictures of one export, numbered; whose they are nobody says. */
const EXPORTED = /^(im|img|image|i|slice|dcm|dicom|mr|ct|us|xray|frame|picture|pic|scan)(\d+)$/i
const RULES = [IN_BRACKETS, COUNTED, WITHIN, LAST_NUMBER, RUN_TOGETHER, EXPORTED]
/** The number of a patient, not of a slice: `case_012`, `ISIC_0024306`, `benign (3)`. */
const PATIENT_WORD = /^(patient|pat|pt|case|subject|subj|sub|person|pid|volume|vol|study|exam|isic|benign|malignant|normal)$/i
/** BIDS, TCGA: the beginning of the name is the patient, whatever follows. */
const PATIENT_FIRST = /^(sub-[a-z0-9]+|tcga[-_][a-z0-9]{2}[-_][a-z0-9]{4})(?![a-z0-9])/i
/** Both eyes or breasts of one patient, and their views. */
const SIDE = /^(.*\d)[-_ ]?(?:left|right|od|os|l|r)(?:[-_ ]?(?:cc|mlo))?$/i
/** What tells volumes of one patient apart: time point, side, kind of image. */
const [TIMES, STATES] = ['frame|ses|session|visit|time|timepoint|tp|t|phase|scan|fu', 'e[ds]|pre|post|baseline|followup|left|right']
const KINDS = 't1w?|t2w?|t1c|t1ce|t1gd|flair|pd|adc|dwi|swi|bold|ct|mr|pet'
const OF_VOLUME = new RegExp(`^(.*\\d)[-_. ](?:(?:${TIMES})[-_]?\\d+|${STATES}|${KINDS})$`, 'i')
/** BraTS counts the time points of a patient behind the number of the patient. */
const BRATS = /^(brats-[a-z]+-\d{5})-\d{3}$/i

/**
 * Who a picture belongs to (docs/data.md#who-is-one-patient): what stands before the last number of its name, which counts slices, unless
 * a word says that the number is the patient's. Pictures of several patients that share a prefix count as one subject, which errs on the
 * safe side: they are split by slab with a gap instead of at random.
 */
export function subjectOf (stem: string): Whose {
  const patient = PATIENT_FIRST.exec(stem)?.[1]
  if (patient != null) return { subject: patient, index: lastNumber(stem.slice(patient.length)) }
  const match = RULES.map((rule) => rule.exec(stem)).find((found) => found != null)
  if (match == null || PATIENT_WORD.test(match[1]!)) return { subject: sideless(stem), index: 0 }
  return { subject: sideless(uncounted(match[1]!)), index: Number(match[2]) }
}

/** Who a volume belongs to: it is a subject of its own unless its name says that it is one of several of a patient. */
export function subjectOfVolume (stem: string): string {
  const patient = PATIENT_FIRST.exec(stem)?.[1] ?? BRATS.exec(stem)?.[1]
  if (patient != null) return patient
  const before = OF_VOLUME.exec(stem)?.[1]
  return before == null ? stem : subjectOfVolume(before)
}

/** The rule of federations whose document says no `model.window`: their splits were made by it. */
export function subjectBefore (stem: string): Whose {
  const match = /^(.*[^_#])[_#](\d+)$/.exec(stem)
  return match == null ? { subject: stem, index: 0 } : { subject: match[1]!, index: Number(match[2]) }
}

/** The last number in a name, 0 where there is none. */
export function lastNumber (name: string): number {
  return Number(/(\d{1,9})\D*$/.exec(name)?.[1] ?? 0)
}

/** `patient001_frame01` of `patient001_frame01_slice_3`. */
function uncounted (name: string): string {
  const match = COUNTED.exec(name)
  return match == null || PATIENT_WORD.test(match[1]!) ? name : uncounted(match[1]!)
}

function sideless (name: string): string {
  return SIDE.exec(name)?.[1] ?? name
}
