import { expect } from 'chai'
import { parseOptions } from '../../../bench/pfedsam/options.ts'
import { findings } from '../../../bench/pfedsam/criteria.ts'
import { PRESETS, jobsOf } from '../../../bench/pfedsam/presets.ts'
import { runsCsv } from '../../../bench/pfedsam/report/csv.ts'
import { renderPage } from '../../../bench/pfedsam/report/page.ts'
import { textTable } from '../../../bench/pfedsam/report/text.ts'
import { loadSites } from '../../../bench/pfedsam/sites.ts'
import { summarise } from '../../../bench/pfedsam/summary.ts'
import { UsageError } from '../../../src/errors.ts'
import { jobHash, type Job } from '../../../src/experiment/jobs.ts'
import { partsServed } from '../../../src/experiment/parts.ts'
import type { RunRecord } from '../../../src/experiment/run-job.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { runOf } from './runs.ts'

const JOB: Job = { data: 'prostate-conflict', method: 'apple', seed: 1, rounds: 2, train: 4, validation: 2, scoreEvery: 1 }
const NOISE = { sites: ['handheld'], share: 0.5, radius: 3 } as const
const SIDE = 64
/** Milliseconds, of a crowded machine. */
const PATIENCE = 600_000

/** A run of six sites, one half of them at the first Dice, the other at the second. */
function record (job: Partial<Job>, [one, other]: readonly [number, number], more: Partial<RunRecord> = {}): RunRecord {
  const dice = Array.from({ length: 6 }, (_, site) => site < 3 ? one : other)
  return { ...runOf({ ...JOB, ...job }, dice), ...more }
}

/** Nine tenths of what each site serves are of those that outline as it does. */
const PARTS = Array.from({ length: 6 }, (_, i) => Array.from({ length: 6 }, (_other, j) => i % 2 === j % 2 ? 0.3 : 0.1 / 3))

describe('bench:pfedsam --preset mixing', function () {
  this.timeout(PATIENCE)

  it('runs each method where the question is that it answers, with noise at the handheld site alone', async () => {
    const jobs = jobsOf(PRESETS.mixing)
    const on = (name: string): Set<string> => new Set(jobs.filter(({ data }) => data === name).map(({ method }) => method))
    const three = ['local', 'fedavg-lora', 'pfedsam-gossip']
    expect(on('prostate-conflict')).to.deep.equal(new Set([...three, 'apple', 'fca']))
    expect(on('two-organs')).to.deep.equal(new Set([...three, 'spp-fgc', 'spp-fgc-one', 'spp-fgc-decoder']))
    expect(on('fundus-phantom')).to.deep.equal(new Set([...three, 'fca', 'drflm', 'robust', 'mixup']))
    expect(on('prostate-phantom')).to.deep.equal(new Set([...three, 'apple', 'fca']))
    expect(jobs).to.have.length(23 * 3)
    const asked = await parseOptions(['--preset', 'mixing', '--only', 'apple', '--data', 'two-organs', '--seeds', '4'])
    expect(jobsOf(asked.preset).map(({ method, data }) => [method, data])).to.deep.equal([['apple', 'two-organs']])
    for (const { data, noise } of jobs) {
      expect(noise, data).to.deep.equal(data === 'fundus-phantom' ? { sites: ['handheld'], share: 0.4, radius: 3 } : undefined)
    }
    const base = { config: samConfig('sam-tiny'), hash: 'a'.repeat(64) }
    expect(new Set(jobs.map((job) => jobHash(job, base))).size).to.equal(jobs.length)
    expect(jobHash({ ...JOB, noise: NOISE }, base)).to.not.equal(jobHash(JOB, base))
  })

  it('takes other noise, in those data sets that have such a site, and says what it does not know', async () => {
    const { preset } = await parseOptions(['--data', 'colin27,two-organs', '--noise', 'handheld,university:0.5:2'])
    const noise = { sites: ['handheld', 'university'], share: 0.5, radius: 2 }
    expect(preset.noise).to.deep.equal({ 'two-organs': noise })
    const noisy = jobsOf(preset).filter((job) => job.noise != null)
    expect(new Set(noisy.map(({ data }) => data))).to.deep.equal(new Set(['two-organs']))
    const told = { 'handheld:2:3': 'a share of patients up to 1', 'nobody:0.5:3': 'there is no site nobody: choose from eye-clinic' }
    for (const [text, sentence] of Object.entries(told)) {
      let failure: unknown
      await parseOptions(['--data', 'fundus-phantom', '--noise', text]).catch((error: unknown) => { failure = error })
      expect(failure, text).to.be.instanceOf(UsageError).with.property('message').that.includes(sentence)
    }
  })

  it('draws noise in training masks of the named site alone, and in no validation mask', async () => {
    const choice = { name: 'fundus-phantom', train: 6, validation: 1, seed: 11 }
    const [clean, noisy] = [await loadSites(choice, SIDE), await loadSites({ ...choice, noise: NOISE }, SIDE)]
    for (const [index, site] of clean.entries()) {
      const other = noisy[index]!
      const wrong = site.train.filter((each, i) => !each.mask.every((code, at) => code === other.train[i]!.mask[at])).length
      expect(wrong, site.name).to.equal(site.name === 'handheld' ? 3 : 0)
      expect(other.validation).to.deep.equal(site.validation)
    }
  })

  it('has worst site and deviation over sites in every table', () => {
    const runs = [record({}, [0.8, 0.6], { parts: PARTS }), record({ seed: 2 }, [0.7, 0.7], { parts: PARTS })]
    const [summary] = summarise(runs)
    const [apple] = summary!.methods
    const sd = Math.sqrt(6 * 0.01 / 5)
    expect(apple!.overSites.mean).to.be.closeTo(sd / 2, 1e-12)
    expect(apple!.worst.mean).to.be.closeTo(0.65, 1e-12)
    const text = textTable(summary!)
    expect(text.match(/worst site/g), 'of methods, and of sites').to.have.length(2)
    expect(text.match(/sd over sites/g)).to.have.length(2)
    expect(text.match(/65\.0 ± 7\.1/g), 'three sites, and the lowest in both tables').to.have.length(5)
    const page = renderPage({ name: 'mixing', preset: PRESETS.mixing, summaries: [summary!], strips: new Map(), base: 'a'.repeat(64) })
    expect(page.match(/<th[^>]*>worst site/g)).to.have.length(2)
    expect(runsCsv(runs)).to.equal('data,method,seed,dice,worst,sdOverSites,globalDice,ownGroup,rand\n' +
      'prostate-conflict,apple,1,0.7,0.6,0.10954,0.7,0.9,\nprostate-conflict,apple,2,0.7,0.7,0,0.7,0.9,\n')
  })

  it('has what is served of the own group, and the groups that were found, where a method has them', () => {
    const plain = record({ method: 'fedavg-lora' }, [0.6, 0.6])
    const [one] = summarise([plain, record({}, [0.9, 0.9], { parts: PARTS })])
    expect(one!.methods.map(({ within, rand }) => [within?.mean, rand?.mean])[0]).to.deep.equal([undefined, undefined])
    expect(textTable(one!)).to.match(/own group %/).and.to.match(/ 90\.0 +│\n/).and.to.not.include('Rand index')
    expect(textTable(summarise([plain])[0]!)).to.not.include('own group %')
    const found = record({ method: 'fca' }, [0.9, 0.9], { groupsFound: [4, 2, 4, 2, 4, 2] })
    expect(textTable(summarise([plain, found])[0]!)).to.include('Rand index').and.include('1.00')
    expect(summarise([record({ data: 'prostate-phantom' }, [0.9, 0.9], { parts: PARTS })])[0]!.methods[0]!.within, 'one group')
      .to.equal(undefined)
  })

  it('says what it was to show, and of whom', () => {
    const said = (runs: readonly RunRecord[]): string[] => findings(summarise(runs)[0]!).map(({ ok, name }) => `${ok} ${name}`)
    expect(said([record({ method: 'fedavg-lora' }, [0.6, 0.6]), record({}, [0.9, 0.9], { parts: PARTS })])).to.deep.equal([
      'true prostate-conflict: APPLE serves more than 80 % of sites that outline alike',
      'true prostate-conflict: APPLE is 5 points above FedAvg-LoRA'
    ])
    expect(said([record({ method: 'fca' }, [0.5, 0.5]), record({ method: 'fedavg-lora' }, [0.6, 0.6])]))
      .to.deep.equal(['false prostate-conflict: FCA, smooth is not below FedAvg-LoRA'])
    const noisy = { data: 'fundus-phantom', noise: NOISE }
    const [ours, drflm] = [record({ ...noisy, method: 'pfedsam-gossip' }, [0.8, 0.6]), record({ ...noisy, method: 'drflm' }, [0.75, 0.64])]
    expect(said([ours, drflm])).to.deep.equal([
      "true fundus-phantom: under noise DRFLM's worst site is above that of pFedSAM by gossip",
      'true fundus-phantom: and its mean within one point'
    ])
    expect(textTable(summarise([ours, drflm])[0]!)).to.include('50 % of the training patients of handheld lie 3 pixels')
    expect(said([record({ data: 'two-organs', method: 'fca' }, [0.5, 0.5], { groupsFound: [0, 0, 0, 0, 1, 1, 1, 1, 1, 0] })]))
      .to.deep.equal(['false two-organs: FCA, smooth finds the groups that there are'])
  })
})

describe('parts of cores in what a site serves', () => {
  const sites = [{ name: 'a', mass: 1 }, { name: 'b', mass: 2 }, { name: 'c', mass: 1 }]

  it('are what is left of the average, and what was learnt beside it', () => {
    const taking = (own: number, ...others: number[]): Parameters<typeof partsServed>[0][number] =>
      ({ relationsTo: (names) => ({ own, others: names.map((_, i) => others[i]!) }) })
    const parts = partsServed([taking(0, 0, 0, 0), taking(0.5, -0.1, 0, 0.1), taking(1, 0, 0, 0)], sites)
    expect(parts![0]).to.deep.equal([0.25, 0.5, 0.25])
    parts![1]!.forEach((each, i) => { expect(each).to.be.closeTo([0.125 - 0.1, 0.25 + 0.5, 0.125 + 0.1][i]!, 1e-12) })
    expect(parts![2]).to.deep.equal([0, 0, 1])
    expect(partsServed([{ relationsTo: () => undefined }], sites.slice(0, 1))).to.equal(undefined)
  })
})
