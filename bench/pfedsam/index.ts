/** `npm run bench:pfedsam -- --preset quick|full`: methods × sites × seeds through one training code (docs/pfedsam-bench.md). */
import { extname, join } from 'node:path'
import { hideBin } from 'yargs/helpers'
import { mean } from '../../src/common/mean.ts'
import { onStopSignal } from '../../src/common/stop-signals.ts'
import { InputError, UsageError } from '../../src/errors.ts'
import { jobHash, methodOf, type Job } from '../../src/experiment/jobs.ts'
import { runAll } from '../../src/experiment/run-all.ts'
import { openBase, type RunRecord } from '../../src/experiment/run-job.ts'
import { RunStore } from '../../src/experiment/run-store.ts'
import { findings } from './criteria.ts'
import { duration, estimateSeconds, machineFactor } from './estimate.ts'
import type { Finding } from './finding.ts'
import { conditionName } from './labels.ts'
import { parseOptions, type Options } from './options.ts'
import { dataName, jobsOf, type Preset } from './presets.ts'
import { progressView } from './progress.ts'
import { textTable } from './report/text.ts'
import { writeReport } from './report/write.ts'
import { summarise } from './summary.ts'

const WORKER = join(import.meta.dirname, `job-worker${extname(import.meta.filename)}`)
const CORE_SHARE = 0.9
const STOPPED = 130

async function main (args: string[]): Promise<number> {
  const options = await parseOptions(args)
  const jobs = jobsOf(options.preset)
  const store = new RunStore(options.runs)
  process.stderr.write(await planText(options, jobs, store))
  if (options.dryRun) return 0
  const records = await runUntilSignal(options, jobs, store)
  if (records == null) {
    process.stderr.write('stopped: finished runs are kept, and the same command goes on from there\n')
    return STOPPED
  }
  const summaries = summarise(records)
  const files = await writeReport(options.out, options.name, options.preset, records)
  process.stdout.write(`${summaries.map(textTable).join('\n\n')}\n\n${findingsText(summaries.flatMap(findings))}${files.join('\n')}\n`)
  return 0
}

function findingsText (list: readonly Finding[]): string {
  return list.map(({ name, ok, detail }) => `${ok ? 'holds ' : 'missed'}  ${name}: ${detail}\n`).join('')
}

/** What will be run, and how long that takes on a quiet machine. */
async function planText ({ name, preset, workers, threads }: Options, jobs: readonly Job[], store: RunStore): Promise<string> {
  const base = await openBase()
  const found = await Promise.all(jobs.map(async (job) => await store.find(jobHash(job, base))))
  const known = found.filter((record) => record != null)
  const seconds = jobs.reduce((sum, job, index) => sum + (found[index] == null ? estimateSeconds(job) : 0), 0)
  const wall = seconds * machineFactor(known) / workers / (workers > 1 ? CORE_SHARE : 1)
  return `${name}: ${preset.methods.length} methods × ${preset.data.map(dataName).join(', ')} × seeds ${
    preset.seeds.join(', ')
  }${labelText(preset)}; ${preset.rounds} rounds, ${preset.train} training and ${preset.validation} validation patients per site
${jobs.length} runs, ${known.length} of them done before; about ${duration(wall)} on ${workers} quiet cores (${threads} thread a run)
`
}

function labelText ({ conditions = [], labelling }: Preset): string {
  const asked = conditions.length === 0 ? [labelling] : conditions.map((each) => each.labelling)
  return asked.every((each) => each == null) ? '' : `; labels ${asked.map((each) => each ?? 'masks of all').join(', ')}`
}

/** undefined when Ctrl-C came first. */
async function runUntilSignal ({ workers, threads }: Options, jobs: readonly Job[], store: RunStore): Promise<RunRecord[] | undefined> {
  const stop = new AbortController()
  onStopSignal(() => { stop.abort() })
  const view = progressView(jobs, workers, process.stderr)
  const ran = new Set<Job>()
  try {
    return await runAll(jobs, {
      worker: WORKER,
      store,
      workers,
      threads,
      signal: stop.signal,
      onNote: (job, text) => { view.ended(`${job.data}, ${methodOf(job).title}, seed ${job.seed}: ${text}`) },
      onProgress: (job, rounds, record) => {
        view.update(job, rounds, record != null && !ran.has(job))
        ran.add(job)
        if (record != null) view.ended(describe(job, record))
      }
    })
  } catch (error) {
    if (stop.signal.aborted) return undefined
    stop.abort()
    throw error
  } finally {
    view.stop()
  }
}

function describe (job: Job, { sites, seconds }: RunRecord): string {
  const dice = mean(sites.map((site) => site.dice))
  const left = job.leftOut == null ? '' : `, site ${job.leftOut} left out`
  const what = `${conditionName(job)}, ${methodOf(job).title}, seed ${job.seed}${left}`
  return `${what}: Dice ${(100 * dice).toFixed(1)} in ${duration(seconds)}`
}

try {
  process.exitCode = await main(hideBin(process.argv))
} catch (error) {
  if (!(error instanceof InputError || error instanceof UsageError)) throw error
  process.stderr.write(`bench:pfedsam: ${error.message}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
