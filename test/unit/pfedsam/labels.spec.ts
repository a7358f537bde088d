import { expect } from 'chai'
import { findings } from '../../../bench/pfedsam/criteria.ts'
import { estimateSeconds } from '../../../bench/pfedsam/estimate.ts'
import { conditionName } from '../../../bench/pfedsam/labels.ts'
import { parseOptions } from '../../../bench/pfedsam/options.ts'
import { PRESETS, jobsOf } from '../../../bench/pfedsam/presets.ts'
import { runsCsv, sitesCsv } from '../../../bench/pfedsam/report/csv.ts'
import { renderPage } from '../../../bench/pfedsam/report/page.ts'
import { textTable } from '../../../bench/pfedsam/report/text.ts'
import { loadSites } from '../../../bench/pfedsam/sites.ts'
import { summarise } from '../../../bench/pfedsam/summary.ts'
import { KINDS_IN_TURN } from '../../../src/experiment/annotator.ts'
import { jobHash, settingsOf, type Job } from '../../../src/experiment/jobs.ts'
import type { RunRecord } from '../../../src/experiment/run-job.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { runOf } from './runs.ts'

const JOB: Job = { data: 'prostate-phantom', method: 'partial', seed: 1, rounds: 2, train: 4, validation: 2, scoreEvery: 1 }
const MIXED = { labelling: 'mixed-weak' } as const
const FEW = { labelling: 'few:0.2' } as const
const SIDE = 64
/** Quiet minutes on two cores that the whole preset may take, and its runs. */
const MOST = { minutes: 75, runs: 100 }
/** Milliseconds, of a crowded machine. */
const PATIENCE = 600_000

/** A run of six sites with these Dice. */
function record (job: Partial<Job>, dice: readonly number[]): RunRecord {
  return runOf({ ...JOB, ...job }, dice)
}

function all (dice: number): number[] {
  return Array.from({ length: 6 }, () => dice)
}

/** Of `method` with seeds 1, 2, … these mean Dice. */
function seeds (job: Partial<Job>, dice: readonly number[]): RunRecord[] {
  return dice.map((each, i) => record({ ...job, seed: i + 1 }, all(each)))
}

describe('bench:pfedsam --preset labels', function () {
  this.timeout(PATIENCE)

  it('has rows with all masks, with weak marks and with few masks, and parts of systems on the first data set alone', () => {
    const jobs = jobsOf(PRESETS.labels)
    const rows = (labelling: Job['labelling'], data: string): Set<string> =>
      new Set(jobs.filter((job) => job.labelling === labelling && job.data === data).map(({ method }) => method))
    expect(rows(undefined, 'prostate-phantom')).to.deep.equal(new Set(['fedavg-lora', 'pfedsam-gossip']))
    expect(rows('mixed-weak', 'prostate-phantom')).to.deep.equal(new Set(['partial', 'fedicra', 'iscos']))
    expect(rows('few:0.2', 'prostate-phantom')).to.deep.equal(new Set(['partial', 'fedsemidg', 'iscos', 'fedu']))
    const parts = ['fedicra-no-mix', 'fedicra-no-contrast', 'fedicra-no-structure', 'structure']
    expect(rows('mixed-weak', 'fundus-phantom')).to.include.all.keys(...parts)
    expect(rows('few:0.2', 'fundus-phantom')).to.include.all.keys('fedsemidg-no-features', 'iscos-masks', 'partial-fewer')
    const base = { config: samConfig('sam-tiny'), hash: 'a'.repeat(64) }
    expect(new Set(jobs.map((job) => jobHash(job, base))).size).to.equal(jobs.length)
    expect(jobs.length).to.be.at.most(MOST.runs)
    const seconds = jobs.reduce((sum, job) => sum + estimateSeconds(job), 0)
    expect(seconds / 60 / 2 / 0.9).to.be.at.most(MOST.minutes)
  })

  it('takes out of a system what its row says', () => {
    const method = (name: string): ReturnType<typeof settingsOf> => settingsOf({ ...JOB, ...MIXED, method: name }, samConfig('sam-tiny'))
    const whole = method('fedicra')
    expect(whole.method).to.include.all.keys('elementMix', 'siteContrast')
    const left = (name: string): unknown[] => {
      const { method: own, train } = method(name)
      return [own?.elementMix, own?.alternate, own?.siteContrast, train.structure].map((each) => each == null)
    }
    expect(left('fedicra')).to.deep.equal([false, true, false, false])
    expect(left('fedicra-no-mix')).to.deep.equal([true, true, false, false])
    expect(left('fedicra-turns')).to.deep.equal([false, false, false, false])
    expect(left('fedicra-no-contrast')).to.deep.equal([false, true, true, false])
    expect(left('fedicra-no-structure')).to.deep.equal([false, true, false, true])
    expect(method('fedsemidg-no-features').train.perturbedFeatures).to.deep.include({ weight: 0 })
    const weights = (name: string): unknown[] => {
      const { pseudo, teacher, uncertaintyAware } = method(name).method!
      return [pseudo!.weight, teacher!.weight, uncertaintyAware]
    }
    expect(['iscos', 'iscos-masks', 'iscos-full'].map(weights)).to.deep.equal([[0.1, 0.01, 0.2], [0.1, 0, 0], [1, 0.1, 2]])
    expect(['fedsemidg', 'fedsemidg-full'].map((name) => method(name).train.dualTeacher!.weight)).to.deep.equal([0.2, 1])
    expect(method('pfedsam-partial').train.supervision).to.deep.equal(method('partial').train.supervision)
  })

  it('runs the rows and labellings that are asked for', async () => {
    const asked = async (...args: string[]): Promise<string[]> => {
      const { preset } = await parseOptions(['--preset', 'labels', '--data', 'fundus-phantom', '--seeds', '4', ...args])
      return jobsOf(preset).map(({ method, labelling }) => `${method} ${labelling ?? 'all'}`)
    }
    expect(await asked('--only', 'partial,fedavg-lora')).to.deep.equal(['fedavg-lora all', 'partial mixed-weak', 'partial few:0.2'])
    expect(await asked('--only', 'fedicra-no-mix')).to.deep.equal(['fedicra-no-mix mixed-weak'])
    expect(await asked('--only', 'fedper'), 'in no list').to.deep.equal(['fedper mixed-weak', 'fedper few:0.2'])
    expect(await asked('--only', 'partial,fedsemidg', '--labels', 'few:0.2')).to.deep.equal(['partial few:0.2', 'fedsemidg few:0.2'])
    expect(await asked('--only', 'partial', '--labels', 'few:0.5'), 'of no list').to.deep.equal(['partial few:0.5'])
  })

  it('labels each site as its name says, and leaves masks to validation', async () => {
    const choice = { name: 'prostate-phantom', train: 2, validation: 1, seed: 11 }
    const sites = await loadSites({ ...choice, ...MIXED }, SIDE)
    expect(sites.map(({ train }) => [...new Set(train.map(({ kind }) => kind))]).flat())
      .to.deep.equal([...KINDS_IN_TURN, 'scribble', 'points'])
    expect(sites.every(({ validation }) => validation.every(({ kind }) => kind == null))).to.equal(true)
  })

  it('keeps labellings apart by name, in tables, files and findings', () => {
    const runs = [
      ...seeds({ method: 'fedavg-lora' }, [0.9, 0.92]),
      ...seeds(MIXED, [0.5, 0.6]),
      ...seeds({ ...MIXED, method: 'fedicra' }, [0.7, 0.75]),
      ...seeds(FEW, [0.4, 0.6]),
      ...seeds({ ...FEW, method: 'fedsemidg' }, [0.5, 0.6])
    ]
    const summaries = summarise(runs)
    expect(summaries.map(conditionName)).to.deep.equal(['prostate-phantom', 'prostate-phantom (mixed-weak)', 'prostate-phantom (few:0.2)'])
    expect(summaries.map(({ methods }) => methods.length)).to.deep.equal([1, 2, 2])
    expect(summaries.map(({ masked }) => masked.map(({ method }) => method))).to.deep.equal([[], ['fedavg-lora'], ['fedavg-lora']])
    expect(new Set(runsCsv(runs).trim().split('\n').slice(1).map((line) => line.split(',')[0]))).to.deep.equal(
      new Set(['prostate-phantom', 'prostate-phantom (mixed-weak)', 'prostate-phantom (few:0.2)'])
    )
    expect(sitesCsv(runs)).to.include('prostate-phantom (few:0.2),fedsemidg,2,site-5,')
    const rule = 'is above FedAvg-LoRA on what is marked by more than one standard deviation of the differences seed by seed'
    expect(summaries.flatMap(findings)).to.deep.equal([
      {
        name: `prostate-phantom (mixed-weak): FedICRA ${rule}`,
        ok: true,
        detail: '+17.5 points ± 3.5, of 2 seeds; worst site 72.5 to 55.0'
      },
      {
        name: `prostate-phantom (few:0.2): FedSemiDG ${rule}`,
        ok: false,
        detail: '+5.0 points ± 7.1, of 2 seeds; worst site 55.0 to 50.0'
      }
    ])
    const input = { name: 'labels', preset: PRESETS.labels, summaries, strips: new Map(), base: 'a'.repeat(64) }
    expect(renderPage(input)).to.include('Dice by kind of label, prostate-phantom (mixed-weak)').and.include('FedAvg-LoRA, all masks')
  })

  it('asks of systems alone, of several seeds, and of nothing where all have masks', () => {
    const said = (runs: readonly RunRecord[]): boolean[] => summarise(runs).flatMap(findings).map(({ ok }) => ok)
    expect(said([record(MIXED, all(0.5)), record({ ...MIXED, method: 'fedicra' }, all(0.9))]), 'one seed').to.deep.equal([false])
    const plain = seeds(MIXED, [0.5, 0.6])
    for (const method of ['structure', 'partial-alone', 'pfedsam-partial', 'fedicra-no-mix', 'iscos-masks', 'fedu-unaligned']) {
      expect(said([...plain, ...seeds({ ...MIXED, method }, [0.9, 0.9])]), method).to.deep.equal([])
    }
    expect(said([...seeds({}, [0.5, 0.6]), ...seeds({ method: 'fedicra' }, [0.9, 0.9])])).to.deep.equal([])
  })

  it('has Dice by kind of label, also of rows with all masks, and what a row costs', () => {
    const dice = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    const runs = [record({ method: 'pfedsam-gossip' }, all(0.9)), record(MIXED, dice), record({ ...MIXED, method: 'fedicra' }, all(0.7))]
    const [, mixed] = summarise(runs)
    const [first] = mixed!.methods.filter(({ method }) => method === 'partial')
    const kinds = Object.fromEntries(first!.kinds.map(({ kind, dice: { mean } }) => [kind, Number(mean.toFixed(9))]))
    expect(kinds).to.deep.equal({ scribble: 0.3, points: 0.4, box: 0.3, block: 0.4 })
    const lines = textTable(mixed!).split('\n')
    const head = lines.findIndex((line) => line.includes('Dice by kind of label'))
    const cells = (title: string): string[] =>
      lines.slice(head).find((line) => line.includes(title))!.split('│').map((cell) => cell.trim()).filter((cell) => cell !== '')
    expect(cells('Dice by kind')).to.deep.equal([
      'Dice by kind of label', 'scribbles', 'points', 'boxes', 'blocks', 'all sites', 'worst site', 'less partial, by seed', 'passes'
    ])
    expect(cells('on what is marked').slice(1)).to.deep.equal(['30.0', '40.0', '30.0', '40.0', '35.0', '10.0', '–', '2.00'])
    expect(cells('FedICRA').slice(5, 8)).to.deep.equal(['70.0', '70.0', '35.0'])
    expect(cells('all masks').slice(0, 2)).to.deep.equal(['pFedSAM by gossip, all masks', '90.0'])
    const few = textTable(summarise([record(FEW, dice)])[0]!)
    expect(few).to.include("20 % of each site's training patients have masks").and.to.not.include('scribbles')
  })
})
