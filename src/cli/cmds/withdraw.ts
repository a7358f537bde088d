import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { departuresSince, type Departure } from '../../audit/lineage.ts'
import { InputError } from '../../errors.ts'
import { readFederation } from '../../federation/document.ts'
import { appendPending } from '../../federation/membership/pending.ts'
import { loadConfig } from '../../home/config/load.ts'
import { isThere, namesIn } from '../../home/files.ts'
import { sitePaths, type SitePaths } from '../../home/paths.ts'
import { removePictures } from '../../home/pictures.ts'
import { requireKnownHome } from '../../home/version.ts'
import type { Withdrawal } from '../../home/withdrawals.ts'
import type { WithdrawalChange } from '../../node/withdrawals.ts'
import { identity } from '../../settings/site/identity.ts'
import { readingOf } from '../../site-model/reading.ts'
import { readSides } from '../../site-model/sides.ts'
import { removePool } from '../../site-model/trainer/pool-file.ts'
import { findSubject, namesOf, type FoundSubject } from '../../site-model/withdrawals/find-subject.ts'
import { Lineage, type SubjectRounds } from '../../site-model/withdrawals/lineage.ts'
import { Withdrawn } from '../../site-model/withdrawals/withdrawn.ts'
import { dataFolder } from '../data-folder.ts'
import { command, STANDARD_INPUT, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print, warn } from '../output.ts'
import { prepareHome } from '../prepare-home.ts'
import { flagOf } from '../setting-flags.ts'
import { readStandardInput } from '../standard-input.ts'

const MOST_CHARACTERS = 1_000
const SUBJECT = 'as "data check" lists it, or the Patient ID of its DICOM files; - reads it from standard input'

const flags = { ...homeFlag, ...jsonFlag } as const

export const withdraw = command({
  command: 'withdraw <subject>',
  describe: 'take the images of a subject out of training and validation, and list the rounds and exchanges that they took part in',
  builder: (argv) => withFlags(argv.positional('subject', { type: 'string', describe: SUBJECT, demandOption: true }), {
    ...flags,
    data: { ...flagOf(identity.shape.data), describe: 'folder of its images; by default what this site trained on last' }
  }),
  handler: async ({ home, json, subject: given, data }) => {
    await prepareHome(home)
    const paths = sitePaths(home)
    const book = await Withdrawn.read(paths.privateStore)
    const { subject, images } = await subjectIn(home, await readSubject(given), data)
    const id = book.idOf(subject)
    const before = book.of(id)
    const { at } = before ?? await take(paths, book, id)
    await removeMade(paths)
    const took = (await Lineage.open(paths.privateStore)).of(id)
    const { departures, problems } = took == null || took.side === 'validation'
      ? { departures: [], problems: [] }
      : await departuresSince(home, { round: took.rounds[0]![0], until: at })
    const { side = null, rounds = [], assumed = false } = took ?? {}
    print(json, { subject: id, at, images, side, rounds, assumed, departures }, () => [
      `subject ${id}: ${before == null ? `${count(images, 'image')} out of training and validation` : `withdrawn already on ${at}`}`,
      ...describeTaking(took),
      ...describeDepartures(departures),
      'a running site leaves it out from its next phase on, and counts for less from its next round on',
      'backups of before know nothing of it: make a new one with "consilium backup"'
    ].join('\n'))
    for (const problem of problems) warn(`exchanges may be missing: ${problem}`)
    if (problems.length > 0) process.exitCode = 1
    await warnOfRest(paths, book, id)
  }
})

export const withdrawn = command({
  command: 'withdrawn',
  describe: 'who was withdrawn and when, by hashes of their names, and in which rounds they took part',
  builder: (argv) => withFlags(argv, flags),
  handler: async ({ home, json }) => {
    await requireKnownHome(home)
    const { privateStore } = sitePaths(home)
    const [{ list }, lineage] = [await Withdrawn.read(privateStore), await Lineage.open(privateStore)]
    const all = list.map(({ id, at }) => ({ subject: id, at, rounds: lineage.of(id)?.rounds ?? [] }))
    print(json, { withdrawn: all }, () => [
      ...all.map(({ subject, at, rounds }) => `${subject}  ${at}  ${rounds.length === 0 ? 'in no round' : `rounds ${inWords(rounds)}`}`),
      `${count(all.length, 'subject')} withdrawn`
    ].join('\n'))
  }
})

export const readmit = command({
  command: 'readmit <subject>',
  describe: 'take a withdrawal back: the images of the subject are trained on again from the next round on',
  builder: (argv) => withFlags(argv.positional('subject', {
    type: 'string',
    describe: `${SUBJECT}; or the hash that "data withdrawn" lists`,
    demandOption: true
  }), flags),
  handler: async ({ home, json, subject: given }) => {
    await prepareHome(home)
    const { privateStore, newWithdrawals } = sitePaths(home)
    const book = await Withdrawn.read(privateStore)
    const name = await readSubject(given)
    const ids = [name, ...[...await namesOf(privateStore, name)].map((each) => book.idOf(each))]
    const id = ids.find((each) => book.of(each) != null)
    if (id == null) throw new InputError('nobody of that name is withdrawn: "consilium data withdrawn" lists who is, by hashes')
    await book.remove(id)
    await tell(newWithdrawals, { subject: id, event: 'readmitted', at: new Date().toISOString() })
    print(json, { readmitted: id }, `subject ${id}: its images are trained on again from the next round on`)
  }
})

async function readSubject (given: string): Promise<string> {
  const name = given === STANDARD_INPUT ? await readStandardInput(MOST_CHARACTERS, 'is no subject') : given
  if (name === '' || name.length > MOST_CHARACTERS) throw new InputError('name the subject as "consilium data check" lists it')
  return name
}

/** @throws InputError for a subject who is not there and never was */
async function subjectIn (home: string, given: string, data: string | undefined): Promise<FoundSubject> {
  const { config, privateStore, federation } = sitePaths(home)
  const settings = await loadConfig(config, {})
  const known = data ?? (await readSides(privateStore)).data ?? settings.data
  if (known == null) throw new InputError(`${home} does not know its images yet: name their folder with --data, or start the site`)
  const { document } = await readFederation(federation)
  const folder = await dataFolder(known, home)
  const reading = readingOf(document, settings.axis)
  const found = await findSubject({ privateStore, data: folder, given, reading, withoutLabels: settings.withoutLabels })
  if (found != null) return found
  throw new InputError(`${folder} has no images of that subject: write it as "consilium data check" lists it`)
}

async function take ({ shown, newWithdrawals }: SitePaths, book: Withdrawn, id: string): Promise<Withdrawal> {
  const entry = { id, at: new Date().toISOString(), shown: (await namesIn(shown)).length > 0 }
  await book.add(entry)
  await tell(newWithdrawals, { subject: id, event: 'withdrawn', at: entry.at })
  return entry
}

/** What was made of pixels to work faster, or to be shown: after the book says who is withdrawn, and again where that was cut. */
async function removeMade ({ privateStore }: SitePaths): Promise<void> {
  const embeddings = join(privateStore, 'embeddings')
  for (const name of await isThere(embeddings) ? await namesIn(embeddings) : []) await rm(join(embeddings, name), { force: true })
  await Promise.all([removePictures(privateStore), removePool(privateStore)])
}

async function tell (path: string, change: WithdrawalChange): Promise<void> {
  await appendPending(path, change)
}

function describeTaking (took: SubjectRounds | undefined): string[] {
  if (took == null) return ['it took part in no round']
  const { side, rounds, assumed } = took
  const how = { train: 'trained on', validation: 'scored by, and never trained on', both: 'trained on and scored by' }[side]
  return [
    `it was ${how} in rounds ${inWords(rounds)}`,
    ...assumed ? ['this home trained before it kept in which rounds: the first round is taken for its first'] : []
  ]
}

function describeDepartures (departures: readonly Departure[]): string[] {
  if (departures.length === 0) return ['nothing that was learnt of it has left this site']
  return [
    `${count(departures.length, 'exchange')} carried what was learnt with it; that stays in the average and cannot be taken out:`,
    ...departures.map(({ t, kind, round, id, partner, outcome, bytesSent }) =>
      [`  ${t}`, kind, `round ${round}`, id, partner, outcome, bytesSent == null ? undefined : `${bytesSent} bytes`]
        .filter((each) => each != null).join('  '))
  ]
}

function inWords (rounds: SubjectRounds['rounds']): string {
  return rounds.map(([first, last]) => first === last ? String(first) : `${first} to ${last}`).join(', ')
}

function count (many: number, what: string): string {
  return `${many} ${what}${many === 1 ? '' : 's'}`
}

/** A site needs somebody on each side of its split. */
async function warnOfRest ({ privateStore }: SitePaths, book: Withdrawn, id: string): Promise<void> {
  const known = [...(await readSides(privateStore)).known ?? []]
  const left = known.filter(([subject]) => book.idOf(subject) !== id && !book.withdrawn(subject)).map(([, side]) => side)
  if (known.length === 0 || ['train', 'validation'].every((side) => left.some((each) => each === side || typeof each === 'object'))) return
  warn('too few subjects are left to train on and to validate with: this site stops at its next phase, until there are images of others')
}
