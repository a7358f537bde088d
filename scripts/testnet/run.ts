import { join } from 'node:path'
import pMap from 'p-map'
import { InputError } from '../../src/errors.ts'
import { readFederation } from '../../src/federation/document.ts'
import { writeFileSafely, writeJson } from '../../src/home/files.ts'
import { clustersIn } from '../../src/settings/method.ts'
import { judge } from './checks/checks.ts'
import { compareLedgers } from './checks/ledgers.ts'
import type { SampleClass } from './classes.ts'
import { aloneFlags, faultsOf } from './conditions.ts'
import { createDisplay } from './display/create-display.ts'
import type { Display } from './display/display.ts'
import { follow } from './follow.ts'
import type { Children } from './hospitals/children.ts'
import { withClasses } from './hospitals/class-folders.ts'
import { bootstrapAddresses, createFederation, joinFederation, readPeerIds, type FederationFiles } from './hospitals/federation.ts'
import { withFewLabels } from './hospitals/few-labels.ts'
import { withHeldOut } from './hospitals/held-out.ts'
import { readHome } from './hospitals/homes.ts'
import { HospitalProcess } from './hospitals/hospital-process.ts'
import { dataFolders, planHospitals, type Hospital } from './hospitals/hospitals.ts'
import { withMoreImages } from './hospitals/more-images.ts'
import { describeReader, planReaders, startReaders } from './hospitals/readers.ts'
import { prepareWorkspace, type Workspace } from './hospitals/workspace.ts'
import { Journal } from './journal.ts'
import type { TestnetOptions } from './options.ts'
import { buildReport, type SiteOutcome } from './report/build-report.ts'
import { EVALUATIONS_AT_ONCE, measureCrossSite, prepareAlone } from './report/compare.ts'
import { renderPage } from './report/page.ts'
import { drawPicture, type Picture } from './report/pictures.ts'
import { reportSchema, type CrossSite, type Report } from './report/report.ts'
import { bundledSample, deepGreySample } from './sample.ts'
import { STANDARD } from './standard.ts'

interface Run {
  readonly options: TestnetOptions
  readonly children: Children
  readonly display: Display
  readonly workspace: Workspace
  readonly hospitals: readonly Hospital[]
  /** Without labels. */
  readonly readers: readonly Hospital[]
  readonly signal: AbortSignal
}

export interface TestnetResult {
  readonly report: Report
  readonly reportJson: string
  readonly reportHtml: string
}

/** One whole testnet. @throws InputError for what the user can mend; the signal's reason when it was interrupted. */
export async function runTestnet (options: TestnetOptions, children: Children, signal: AbortSignal): Promise<TestnetResult> {
  const startedAt = Date.now()
  const folders = await dataFolders(options.data ?? await bundledSample())
  const workspace = await prepareWorkspace(options.out)
  const planned = planHospitals(folders, options.hospitals, workspace.homes)
  const display = createDisplay({ json: options.json })
  try {
    const hospitals = await pMap(planned, async (hospital) => await furnish(hospital, { options, display, workspace }), { concurrency: 1 })
    const readers = planReaders(hospitals, options.readers, workspace.homes)
    const run: Run = { options, children, display, workspace, hospitals, readers, signal }
    display.note(`${hospitals.length} hospitals, ${options.rounds} rounds, seed ${options.seed}; logs and homes in ${workspace.homes}`)
    const together = await runFederation(run)
    signal.throwIfAborted()
    const federationSeconds = (Date.now() - startedAt) / 1000
    const compareStart = Date.now()
    const comparison = options.compare ? await runComparison(run, together) : undefined
    const compareSeconds = (Date.now() - compareStart) / 1000
    signal.throwIfAborted()
    display.note('drawing the pictures')
    const pictures = await drawPictures(run, together.processes)
    return await finish(run, { together, comparison, pictures, startedAt, federationSeconds, compareSeconds })
  } finally {
    display.done()
  }
}

/** The hospital with the images that --images wants it to have. */
async function furnish (
  hospital: Hospital,
  { options, display, workspace }: Pick<Run, 'options' | 'display' | 'workspace'>
): Promise<Hospital> {
  const { classes, seed, labelling, unlabelled, conditions: { images, swapped } } = options
  if (labelling != null) {
    const isBare = unlabelled.has(hospital.index)
    display.note(isBare ? `${hospital.name} has no labels` : `${hospital.name} has other labels than its masks, by simulated annotators`)
    return await withFewLabels(hospital, isBare ? 'none' : labelling, { folder: workspace.simulated, seed })
  }
  const named = classes.length === 0
    ? hospital
    : await withNamed(hospital, classes, { workspace, seed, swapped: swapped.has(hospital.index) })
  const factor = images.get(hospital.index)
  if (factor == null) return named
  display.note(`${hospital.name} gets ${factor} times its training images, by simulated copies`)
  return await withMoreImages(named, factor, { folder: workspace.simulated, seed })
}

/** The same slices are held out whatever the classes. */
async function withNamed (
  hospital: Hospital,
  classes: readonly SampleClass[],
  { workspace: { simulated }, seed, swapped }: { readonly workspace: Workspace, readonly seed: number, readonly swapped: boolean }
): Promise<Hospital> {
  const named = await withClasses(hospital, classes, { folder: join(simulated, 'classes'), deep: await deepGreySample(), swapped })
  return await withHeldOut(named, { folder: join(simulated, 'held-out'), seed })
}

interface Together {
  readonly files: FederationFiles
  readonly processes: readonly HospitalProcess[]
  readonly reading: readonly HospitalProcess[]
  readonly journal: Journal
}

async function runFederation (run: Run): Promise<Together> {
  const { options, children, display, hospitals, readers, signal } = run
  const { faults, conditions: { partitions }, rounds } = options
  const killed = new Set(faults.filter(({ kind }) => kind === 'kill').map(({ site }) => site))
  const processes = hospitals.map((hospital) =>
    new HospitalProcess(children, hospital, aloneFlags(hospital.index, { partitions, killed, hospitals: hospitals.length, rounds }))
  )
  const reading = readers.map((reader) => new HospitalProcess(children, reader, ['--without-labels']))
  const all = [...processes, ...reading]
  const journal = new Journal()
  try {
    const files = await startAll(run, processes)
    await Promise.all([follow(all, { faults, display, journal, signal }), startReaders(reading, processes, signal)])
    signal.throwIfAborted()
    for (const each of all.filter(({ state }) => state === 'failed')) {
      display.note(`${each.hospital.name} failed: ${await each.lastWords()}`)
    }
    return { files, processes, reading, journal }
  } finally {
    await Promise.all(all.map(async (each) => { await each.stop() }))
  }
}

/** As people would: one founds and starts, the others join with its files and address. */
async function startAll (
  { options, children, display, readers, signal }: Run,
  [founder, ...others]: readonly HospitalProcess[]
): Promise<FederationFiles> {
  const files = await createFederation(children, founder!.hospital, options)
  display.note(`federation ${files.id.slice(0, 12)}…`)
  founder!.faults = faultsOf(0, options.conditions, [], options.seed)
  founder!.start()
  const bootstrap = await bootstrapAddresses(founder!, signal)
  await joinFederation(children, [...others.map(({ hospital }) => hospital), ...readers], files, bootstrap)
  signal.throwIfAborted()
  const peerIds = await readPeerIds(children, [founder!, ...others].map(({ hospital }) => hospital))
  for (const other of others) {
    other.faults = faultsOf(other.hospital.index, options.conditions, peerIds, options.seed)
    other.start()
  }
  return files
}

interface Comparison {
  /** Personal Dice by hospital name. */
  readonly local: ReadonlyMap<string, number>
  readonly crossSite: CrossSite | null
}

async function runComparison (
  { children, display, hospitals, workspace, signal }: Run,
  { files, processes }: Together
): Promise<Comparison> {
  display.note('now each hospital alone, with the same budget')
  const alone = (await prepareAlone(children, hospitals, files, workspace.alone)).map((hospital) =>
    new HospitalProcess(children, hospital, ['--alone'])
  )
  for (const each of alone) each.start()
  await follow(alone, { faults: [], display, journal: new Journal(), signal })
  signal.throwIfAborted()
  const local = new Map<string, number>()
  for (const { hospital } of alone) {
    const { summary } = await readHome(hospital.home)
    if (summary?.dice != null) local.set(hospital.name, summary.dice.personal)
  }
  const finished = processes.filter(({ state, hospital }) => state === 'finished' && local.has(hospital.name)).map(({ hospital }) =>
    hospital
  )
  const names = new Set(finished.map(({ name }) => name))
  const crossSite = await measureCrossSite({
    children,
    together: finished,
    alone: alone.map(({ hospital }) => hospital).filter(({ name }) => names.has(name)),
    onDone: (done, total) => { display.note(`scored on the other hospitals' images: ${done} of ${total}`) }
  })
  return { local, crossSite }
}

/** A picture that cannot be drawn is said and left out: the figures matter more. */
async function drawPictures (
  { children, display, options: { unlabelled } }: Run,
  processes: readonly HospitalProcess[]
): Promise<Picture[]> {
  // Beside no mask there is nothing to compare.
  const finished = processes.filter(({ state, hospital }) => state === 'finished' && !unlabelled.has(hospital.index))
  const pictures = await pMap(finished, async ({ hospital }) => {
    try {
      return await drawPicture(children, hospital)
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      display.note(error.message)
      return undefined
    }
  }, { concurrency: EVALUATIONS_AT_ONCE })
  return pictures.filter((picture) => picture != null)
}

interface ExitOutcome {
  readonly together: Together
  readonly comparison: Comparison | undefined
  readonly pictures: readonly Picture[]
  readonly startedAt: number
  readonly federationSeconds: number
  readonly compareSeconds: number
}

async function finish ({ options, children, hospitals, readers, workspace }: Run, outcome: ExitOutcome): Promise<TestnetResult> {
  const { together: { files, processes, reading, journal }, comparison, pictures, startedAt, federationSeconds, compareSeconds } = outcome
  const { id, document } = await readFederation(files.federation)
  const apart = clustersIn(document.method)?.own
  const sites: SiteOutcome[] = []
  for (const process of processes) {
    const { home, name } = process.hospital
    sites.push({ process, result: await readHome(home, apart), local: comparison?.local.get(name) ?? null })
  }
  const wallSeconds = (Date.now() - startedAt) / 1000 - compareSeconds
  const data = options.data ?? 'bundled sample'
  const facts = buildReport({
    id,
    document,
    data,
    sites,
    conditions: options.conditions,
    crossSite: comparison?.crossSite ?? null,
    startedAt,
    federationSeconds,
    wallSeconds
  })
  const found = await pMap(reading, async (each) => await describeReader(children, each, hospitals), { concurrency: EVALUATIONS_AT_ONCE })
  const report = { ...facts, ...(found.length === 0 ? {} : { readers: found }) }
  const sample = options.data == null
  const checks = judge({
    report,
    rounds: options.rounds,
    strikes: journal.strikes,
    conditions: options.conditions,
    waited: journal.waited,
    orphaned: processes.filter(({ orphaned }) => orphaned).map(({ hospital }) => hospital.name),
    ledgers: await compareLedgers([...hospitals, ...readers]),
    standard: isStandard(options, hospitals),
    compared: options.compare
  })
  const whole = reportSchema.parse({ ...report, checks })
  await writeJson(workspace.reportJson, whole)
  await writeFileSafely(workspace.reportHtml, renderPage({ report: whole, pictures, sample }))
  return { report: whole, reportJson: workspace.reportJson, reportHtml: workspace.reportHtml }
}

/** What the margins of the checks were measured on. */
function isStandard (options: TestnetOptions, { length }: readonly Hospital[]): boolean {
  const { base, rounds, data, settings, labelling } = options
  const isSample = data == null && settings == null && labelling == null && showsBrain(options)
  return isSample && rounds >= STANDARD[base].rounds && length <= 4
}

function showsBrain ({ classes }: TestnetOptions): boolean {
  return classes.length === 0 || classes.includes('brain')
}
