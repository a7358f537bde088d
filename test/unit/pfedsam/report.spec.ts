import { expect } from 'chai'
import fc from 'fast-check'
import { findings } from '../../../bench/pfedsam/criteria.ts'
import { duration, estimateSeconds, machineFactor } from '../../../bench/pfedsam/estimate.ts'
import { parseOptions } from '../../../bench/pfedsam/options.ts'
import { PRESETS, jobsOf } from '../../../bench/pfedsam/presets.ts'
import { Remaining } from '../../../bench/pfedsam/progress.ts'
import { imagesCsv, sitesCsv } from '../../../bench/pfedsam/report/csv.ts'
import { renderPage } from '../../../bench/pfedsam/report/page.ts'
import { textTable } from '../../../bench/pfedsam/report/text.ts'
import { roundsTo95, spread, summarise } from '../../../bench/pfedsam/summary.ts'
import { InputError, UsageError } from '../../../src/errors.ts'
import { jobHash, settingsOf, type Job } from '../../../src/experiment/jobs.ts'
import { packBits, unpackBits } from '../../../src/experiment/masks.ts'
import { METHODS } from '../../../src/experiment/methods.ts'
import type { RunRecord } from '../../../src/experiment/run-job.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'

const JOB: Job = { data: 'fundus-phantom', method: 'local', seed: 1, rounds: 4, train: 4, validation: 2, scoreEvery: 2 }

/** A run of two sites with these Dice. */
function record (job: Partial<Job>, dice: readonly [number, number], more: Partial<RunRecord> = {}): RunRecord {
  return {
    job: { ...JOB, ...job },
    sites: dice.map((value, index) => ({
      name: `site-${index}`,
      images: 4,
      bytesSent: 4_000,
      globalDice: value - 0.1,
      dice: value,
      iou: value / 2,
      hd95: index === 0 ? 3 : null,
      missed: index,
      perImage: [{ dice: value, iou: value / 2, hd95: index === 0 ? 3 : null }],
      example: { index: 0, dice: value, mask: packBits(new Uint8Array(16)) }
    })),
    curve: [{ round: 0, dice: [0, 0] }, { round: 2, dice: dice.map((value) => 0.96 * value) }, { round: 4, dice }],
    size: 1_000,
    trainSeconds: 10,
    seconds: 12,
    ...more
  }
}

describe('what the bench makes of its runs', () => {
  it('mean and standard deviation over seeds, the worst site of each', () => {
    const [summary] = summarise([record({ seed: 1 }, [0.8, 0.6]), record({ seed: 2 }, [0.6, 0.8])])
    const [method] = summary!.methods
    expect(method!.dice.mean).to.be.closeTo(0.7, 1e-12)
    expect(method!.dice.sd).to.be.closeTo(0, 1e-12)
    expect(method!.worst.mean).to.be.closeTo(0.6, 1e-12)
    expect(method!.sites[0]!.dice.sd).to.be.closeTo(Math.SQRT2 * 0.1, 1e-12)
    expect(method!.hd95!.mean).to.equal(3)
    expect(method!.missed.mean).to.equal(1)
    expect(method!.bySeed.map(({ seed }) => seed)).to.deep.equal([1, 2])
    expect(method!.bytes.mean).to.equal(1_000)
    expect(summary!.seeds).to.deep.equal([1, 2])
    expect(spread([1])).to.deep.equal({ mean: 1, sd: 0, count: 1 })
  })

  it('rounds to 95 %: the first score that comes so far', () => {
    expect(roundsTo95(record({}, [0.5, 0.5]))).to.equal(2)
    expect(roundsTo95({ curve: [{ round: 0, dice: [0.9] }, { round: 4, dice: [0.9] }] })).to.equal(0)
  })

  it('compares an unseen site with the other sites\' local models there', () => {
    const cross = { served: [[0.9, 0.2], [0.4, 0.9]], shared: [[0.8, 0.3], [0.5, 0.8]] }
    const score = (dice: number): NonNullable<RunRecord['unseen']>['zeroShot'] => ({ dice, iou: dice, hd95: 1, missed: 0 })
    const records = [
      record({}, [0.9, 0.9], { cross }),
      record({ method: 'pfedsam-gossip' }, [0.95, 0.92]),
      record({ method: 'pfedsam-gossip', leftOut: 0 }, [0.9, 0.9], {
        unseen: { site: 'site-0', zeroShot: score(0.6), adapted: score(0.65), personalised: score(0.7) }
      })
    ]
    const [summary] = summarise(records)
    expect(summary!.unseen).to.have.length(1)
    expect(summary!.unseen[0]!.localServed!.mean).to.equal(0.4)
    expect(summary!.unseen[0]!.localShared!.mean).to.equal(0.5)
    expect(summary!.unseen[0]!.adapted!.mean).to.equal(0.65)
    expect(summary!.methods.find(({ method }) => method === 'pfedsam-gossip')!.dice.count).to.equal(1)
    const unseen = findings(summary!).find(({ name }) => name.includes('unseen'))
    expect(unseen).to.include({ ok: true, detail: '+10.0 points' })
  })

  it('compares what reaches an unseen site with FedAvg-LoRA, site by site', () => {
    const score = (dice: number): NonNullable<RunRecord['unseen']>['zeroShot'] => ({ dice, iou: dice, hd95: 1, missed: 0 })
    const without = (method: string, leftOut: number, seed: number, dice: number): RunRecord => {
      const unseen = { site: `site-${leftOut}`, zeroShot: score(dice), personalised: score(0.7) }
      return record({ method, leftOut, seed }, [0.9, 0.9], { unseen })
    }
    const plain = [without('fedavg-lora', 0, 1, 0.6), without('fedavg-lora', 1, 2, 0.2)]
    const [summary] = summarise([...plain, without('gin', 0, 1, 0.7), without('gin', 1, 2, 0.5), without('gin', 2, 3, 0.9)])
    const [first, second] = summary!.unseen
    expect(first!.overPlain).to.equal(undefined)
    expect(second!.overPlain!.count, 'a site that FedAvg-LoRA was not tried on counts for nothing').to.equal(2)
    expect(second!.overPlain!.mean).to.be.closeTo(0.2, 1e-12)
    expect(second!.overPlain!.sd).to.be.closeTo(Math.SQRT2 * 0.1, 1e-12)
    expect(textTable(summary!)).to.match(/less FedAvg-LoRA[\s\S]*FedAvg-LoRA with GIN[^\n]*20\.0 ± 14\.1/)
  })

  it('has the spread over seeds where each seed left every site out', () => {
    const score = (dice: number): NonNullable<RunRecord['unseen']>['zeroShot'] => ({ dice, iou: dice, hd95: 1, missed: 0 })
    const runs = [[0, 1, 0.9], [1, 1, 0.1], [0, 2, 0.7], [1, 2, 0.1]].map(([leftOut = 0, seed = 0, dice = 0]) =>
      record({ method: 'gin', leftOut, seed }, [0.9, 0.9], { unseen: { site: '', zeroShot: score(dice), personalised: score(0.7) } }))
    const zeroShot = (records: readonly RunRecord[]): number => summarise(records)[0]!.unseen[0]!.zeroShot.sd
    expect(zeroShot(runs)).to.be.closeTo(Math.SQRT2 * 0.05, 1e-12)
    expect(zeroShot(runs.slice(0, 3)), 'over what there is').to.be.closeTo(spread([0.9, 0.1, 0.7]).sd, 1e-12)
  })

  it("scores every site's model on the others' images, apart where those see otherwise", () => {
    const cross = { served: [[0.9, 0.2], [0.4, 0.9]], shared: [] }
    const [alike] = summarise([record({}, [0.9, 0.9], { cross })])[0]!.methods
    expect(alike!.cross!.alike.mean).to.be.closeTo(0.3, 1e-12)
    expect(alike!.cross!.unlike).to.equal(undefined)
    // Sites 0 to 2 see alike, and 3 to 5: 0.6 among those, 0.1 between.
    const served = Array.from({ length: 6 }, (_, i) => Array.from({ length: 6 }, (_unused, j) => (i < 3) === (j < 3) ? 0.6 : 0.1))
    const summary = summarise([record({ data: 'prostate-modality' }, [0.9, 0.9], { cross: { served, shared: [] } })])[0]!
    expect([summary.methods[0]!.cross!.alike.mean, summary.methods[0]!.cross!.unlike!.mean].map((each) => each.toFixed(6)))
      .to.deep.equal(['0.600000', '0.100000'])
    expect(textTable(summary)).to.match(/those of sites unlike it[\s\S]*60\.0[\s\S]*10\.0/)
    expect(summarise([record({}, [0.9, 0.9])])[0]!.methods[0]!.cross).to.equal(undefined)
  })

  it('finds for gossip only what is more than one standard deviation ahead', () => {
    const ahead = (local: readonly [number, number], ours: readonly [number, number]): boolean => {
      const runs = [0, 1].flatMap((
        seed
      ) => [record({ seed }, [local[seed]!, local[seed]!]), record({ seed, method: 'pfedsam-gossip' }, [ours[seed]!, ours[seed]!])])
      return findings(summarise(runs)[0]!).find(({ name }) => name.includes('above local'))!.ok
    }
    expect(ahead([0.7, 0.71], [0.8, 0.81])).to.equal(true)
    expect(ahead([0.6, 0.8], [0.75, 0.76])).to.equal(false)
    const runs = [0.6, 0.8].flatMap((
      dice,
      seed
    ) => [record({ seed }, [dice, dice]), record({ seed, method: 'pfedsam-gossip' }, [dice + 0.05, dice + 0.05])])
    expect(findings(summarise(runs)[0]!).find(({ name }) => name.includes('above local'))).to.include({
      ok: false,
      detail: '+5.0 points, sd 14.1; seed by seed +5.0 points ± 0.0'
    })
    expect(ahead([0.8, 0.81], [0.7, 0.71])).to.equal(false)
    const oneSeed = summarise([record({}, [0.5, 0.5]), record({ method: 'pfedsam-gossip' }, [0.9, 0.9])])
    expect(findings(oneSeed[0]!).find(({ name }) => name.includes('above local'))).to.include({
      ok: false,
      detail: '+40.0 points, sd unknown (one seed)'
    })
  })

  it('counts at ViT-B what travels there: both factors, B alone, or their product', () => {
    const methods = ['pfedsam-gossip', 'ffa', 'product-svd']
    const [summary] = summarise(methods.map((method) => record({ method }, [0.8, 0.6])))
    expect(methods.map((name) => summary!.methods.find(({ method }) => method === name)!.numbersVitB)).to.deep.equal([
      254_464,
      166_400,
      14_829_056
    ])
  })

  it('says how many times less than FedSAM a site sends', () => {
    const runs = [record({ method: 'pfedsam-gossip' }, [0.8, 0.8]), record({ method: 'fedsam' }, [0.8, 0.8])]
    const found = (list: readonly RunRecord[]): boolean => findings(summarise(list)[0]!).find(({ name }) => name.includes('FedSAM'))!.ok
    expect(found(runs)).to.equal(false)
    const heavy = { ...runs[1]!, sites: runs[1]!.sites.map((site) => ({ ...site, bytesSent: 50 * 4_000 })) }
    expect(found([runs[0]!, heavy])).to.equal(true)
  })

  it('writes a line per site and per image, and a page that needs nothing else', () => {
    const records = [record({}, [0.8, 0.6]), record({ method: 'pfedsam-gossip' }, [0.9, 0.7])]
    expect(sitesCsv(records).trim().split('\n')).to.have.length(1 + 4)
    expect(imagesCsv(records)).to.include('fundus-phantom,local,1,site-1,0,0.6,0.3,\n')
    const summaries = summarise(records)
    const page = renderPage({ name: 'quick', preset: PRESETS.quick, summaries, strips: new Map(), base: 'a'.repeat(64) })
    expect(page).to.include('All sites are simulated').and.include('80.0')
    expect(page).to.not.match(/<script|https?:\/\/(?!www\.w3\.org)/)
    expect(textTable(summaries[0]!)).to.include('site-1')
  })

  it('packs masks', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(0, 1), { maxLength: 70 }), (bits) => {
      expect([...unpackBits(packBits(Uint8Array.from(bits)), bits.length)]).to.deep.equal(bits)
    }))
  })
})

describe('what the bench runs', () => {
  const base = { config: samConfig('sam-tiny'), hash: 'a'.repeat(64) }

  it('every run of a preset has a hash of its own, which follows whatever decides its numbers', () => {
    const jobs = jobsOf(PRESETS.full)
    expect(new Set(jobs.map((job) => jobHash(job, base))).size).to.equal(jobs.length)
    const hash = jobHash(JOB, base)
    expect(jobHash({ ...JOB }, base)).to.equal(hash)
    for (
      const change of [{ seed: 2 }, { rounds: 5 }, { train: 5 }, { method: 'local-lora' }, { settings: { training: { lambdaG: 0.1 } } }]
    ) expect(jobHash({ ...JOB, ...change }, base)).to.not.equal(hash)
    expect(jobHash(JOB, { ...base, hash: 'b'.repeat(64) })).to.not.equal(hash)
    expect(() => jobHash({ ...JOB, settings: { training: { lambda: 1 } } }, base)).to.throw(InputError, 'lambda')
  })

  it('leaves every site out once in the full preset, one in the quick one', () => {
    const left = (name: 'quick' | 'full'): string[] =>
      jobsOf(PRESETS[name]).flatMap(({ method, data, seed, leftOut }) =>
        method === 'pfedsam-gossip' && leftOut != null ? [`${data} ${seed} ${leftOut}`] : []
      )
    expect(left('quick')).to.deep.equal(['fundus-phantom 1 0', 'prostate-phantom 1 0'])
    expect(left('full')).to.deep.equal(
      [[1, 0], [2, 1], [3, 2], [1, 3]].map(([seed, site]) => `fundus-phantom ${seed} ${site}`).concat(
        [[1, 0], [2, 1], [3, 2], [1, 3], [2, 4], [3, 5]].map(([seed, site]) => `prostate-phantom ${seed} ${site}`)
      )
    )
  })

  it('scores crosswise in all whole runs of the domain preset, and in no other preset', () => {
    const jobs = jobsOf(PRESETS.domain)
    expect(jobs.every(({ cross, leftOut }) => (cross === true) === (leftOut == null))).to.equal(true)
    expect(new Set(jobs.filter(({ leftOut }) => leftOut != null).map(({ data }) => data)))
      .to.deep.equal(new Set(['fundus-phantom', 'prostate-modality', 'colin27']))
    for (const name of ['smoke', 'quick', 'full'] as const) expect(jobsOf(PRESETS[name]).some(({ cross }) => cross != null)).to.equal(false)
  })

  it('runs as many optimiser steps under every method that trains at all sites', () => {
    const job = { data: 'fundus-phantom', seed: 1, rounds: 1, train: 1, validation: 1, scoreEvery: 1 }
    for (const { mixing, name, settings } of METHODS.filter(({ mixing: how }) => how !== 'nothing')) {
      const trained = (training: object): ReturnType<typeof settingsOf> =>
        settingsOf({ ...job, method: name, settings: { training } }, samConfig('sam-tiny'))
      if (settings?.privacy != null) {
        expect(() => trained({ epochsG: 2, epochsL: 3 }), name).to.throw(InputError, 'instead of epochs')
        expect(trained({ stepsPerRound: 7 }).train.stepsPerRound, name).to.equal(7)
        continue
      }
      const { model, train: { epochsG, epochsL, ...epochs } } = trained({ epochsG: 2, epochsL: 3 })
      const { train: steps } = trained({ stepsPerRound: 7 })
      const hasExperts = model.moe.blocks.length > 0
      expect([epochsG! + (hasExperts ? epochsL! : 0), epochs.stepsPerRound], `${name} ${mixing}`).to.deep.equal([5, undefined])
      expect([steps.stepsPerRound! * (hasExperts ? 2 : 1), steps.epochsG], `${name} ${mixing}`).to.deep.equal([14, undefined])
    }
  })

  it('gives a method learning rates of its own, after all settings, and the others theirs', async () => {
    const { preset } = await parseOptions(['--only', 'fedsam,local', '--rates', 'fedsam=3', '--data', 'colin27', '--seeds', '4'])
    const [fedsam, local] = jobsOf(preset)
    const [faster, asIs] = [settingsOf(fedsam!, samConfig('sam-tiny')), settingsOf({ ...fedsam!, rate: 1 }, samConfig('sam-tiny'))]
    expect(faster.train.lrLora).to.be.closeTo(3 * asIs.train.lrLora, 1e-12)
    expect(faster.train.lrHeads).to.be.closeTo(3 * asIs.train.lrHeads, 1e-12)
    expect(local).to.not.have.property('rate')
  })

  it('knows what it is told on the command line, and says what it does not', async () => {
    const { preset, dryRun } = await parseOptions([
      '--preset',
      'full',
      '--only',
      'local,pfedsam-gossip',
      '--seeds',
      '4,5',
      '--data',
      'colin27',
      '--train',
      '5',
      '--validation',
      '7',
      '--dry-run'
    ])
    expect(preset).to.deep.include({ methods: ['local', 'pfedsam-gossip'], seeds: [4, 5], data: ['colin27'], train: 5, validation: 7 })
    expect(dryRun).to.equal(true)
    const badly = [['--only', 'nothing'], ['--data', 'x'], ['--seeds', '0'], ['--rounds', '1.5'], ['--validation', '0']]
    for (const bad of [...badly, ['--rates', 'nothing=2'], ['--rates', 'local=x'], ['--rates', 'local=0']]) {
      let failure: unknown
      await parseOptions(bad).catch((error: unknown) => { failure = error })
      expect(failure, bad.join(' ')).to.be.instanceOf(UsageError)
    }
  })

  it('estimates longer runs for more rounds, and learns how fast the machine is', () => {
    expect(estimateSeconds({ ...JOB, rounds: 40 })).to.be.greaterThan(estimateSeconds(JOB))
    const seconds = 2 * estimateSeconds(JOB)
    expect(machineFactor([record({}, [1, 1], { seconds }), record({}, [1, 1], { seconds }), record({}, [1, 1], { seconds: 1_000 })])).to.be
      .closeTo(2, 1e-12)
    expect(machineFactor([])).to.equal(1)
    expect([duration(40), duration(180), duration(3_900)]).to.deep.equal(['40 s', '3 min', '1 h 5 min'])
  })

  it('the time left follows what was run, not what was found', () => {
    const jobs = [{ ...JOB }, { ...JOB, seed: 2 }, { ...JOB, seed: 3 }]
    const remaining = new Remaining(jobs, 1)
    remaining.update(jobs[0]!, 4, true)
    expect(remaining.share()).to.be.closeTo(1 / 3, 1e-9)
    remaining.update(jobs[1]!, 4)
    // One run took 100 seconds, one is left.
    expect(remaining.left(performance.now() + 100_000)).to.match(/^(1 min 40 s|2 min|100 s)$/)
  })
})
