import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { reportSchema } from '../../../scripts/testnet/report/report.ts'
import type { Evaluation } from '../../../src/site-model/evaluate-site.ts'
import { consiliumJson } from '../cli.ts'

const TESTNET = fileURLToPath(new URL('../../../dist/scripts/testnet/index.js', import.meta.url))
const LIMIT_MS = 900_000

interface Ended { readonly code: number | null, readonly stdout: string, readonly stderr: string }

/** Methods without experts, whose personal model is the global one: nothing that they keep answers. */
const SHARED_ALONE = ['fedavg-lora', 'fedmsa', 'gin', 'cpss', 'feddg', 'fedda-joint', 'fedda-cyclic', 'fedda-moments']

describe('the testnet', function () {
  this.timeout(LIMIT_MS)
  let out: string
  let child: ChildProcess | undefined

  beforeEach(async () => { out = await mkdtemp(join(tmpdir(), 'testnet-e2e-')) })
  afterEach(async () => {
    if (child != null && child.exitCode == null && child.signalCode == null) child.kill('SIGKILL')
    for (const pid of await processesUsing(out)) process.kill(pid, 'SIGKILL')
    await rm(out, { recursive: true, force: true })
  })

  function start (...args: string[]): { ended: Promise<Ended>, said: (words: string) => Promise<void> } {
    const running = spawn(process.execPath, [TESTNET, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    child = running
    const text = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      running[name].setEncoding('utf8').on('data', (chunk: string) => {
        text[name] += chunk
      })
    }
    const ended = once(running, 'close').then(([code]) => ({ code: code as number | null, ...text }))
    const said = async (words: string): Promise<void> => {
      while (!text.stdout.includes(words) && running.exitCode == null) await Promise.race([once(running.stdout, 'data'), ended])
      if (!text.stdout.includes(words)) throw new Error(`the testnet ended without saying "${words}": ${text.stderr}`)
    }
    return { ended, said }
  }

  it('answers wrong usage with one line and exit code 2', async () => {
    const { code, stderr } = await start('--hospital', '3').ended
    expect([code, stderr]).to.deep.equal([2, 'testnet: unknown flag --hospital: did you mean --hospitals?\n'])
  })

  it('answers a folder of other files with one line, exit code 1 and nothing touched', async () => {
    await writeFile(join(out, 'thesis.tex'), 'years')
    const { code, stderr } = await start('--out', out).ended
    expect(code).to.equal(1)
    expect(stderr).to.match(/^testnet: [^\n]+choose another --out or empty it\n$/)
    expect(await readdir(out)).to.deep.equal(['thesis.tex'])
  })

  it('loses its bootstrap node, restarts another hospital, and the rest finish and agree', async () => {
    const { code, stdout, stderr } = await start(
      '--out',
      out,
      '--hospitals',
      '3',
      '--rounds',
      '3',
      '--kill',
      '0@2',
      '--restart',
      '2@2',
      '--json'
    ).ended
    const report = reportSchema.parse(JSON.parse(stdout || 'null'))
    expect(report.checks.filter(({ ok, kind }) => !ok && kind === 'result')).to.deep.equal([])
    expect(code, stderr).to.equal(0)
    expect(report.hospitals.map(({ exitCode, signal, restarts }) => [exitCode, signal, restarts])).to.deep.equal([[null, 'SIGKILL', 0], [
      0,
      null,
      0
    ], [0, null, 1]])
    expect(report.hospitals.slice(1).map(({ rounds }) => rounds)).to.deep.equal([3, 3])
    expect(report.consensus.at(-1)).to.include({ round: null, sites: 2 })
    expect(report).to.deep.include({ crossSite: null, seed: 1, engine: 'onnx', provider: 'cpu' })
    expect(JSON.parse(await readFile(join(out, 'report.json'), 'utf8'))).to.deep.equal(report)
    expect(await readFile(join(out, 'report.html'), 'utf8')).to.include('data:image/png;base64,')
    expect(await processesUsing(out)).to.deep.equal([])

    const home = join(out, 'homes', 'hospital-b')
    for (const round of ['best', 'last']) {
      const evaluated = await consiliumJson<Evaluation>(['evaluate', '--home', home, '--round', round])
      expect(evaluated.global.dice, round).to.be.within(0.3, 1)
      expect(evaluated.round).to.be.within(1, 3)
    }
    const [image, mask] = [join('samples', 'colin27', 'hospital-a', 'images', 'colin27_011.png'), join(out, 'mask.png')]
    await consiliumJson(['predict', '--home', home, '--round', 'best', '--mode', 'global', '--image', image, '--out', mask])
    expect((await readFile(mask)).length).to.be.above(0)
  })

  it('has a slow hospital and one with many images, whose steps arrive all the same', async () => {
    const faults = ['--slow', '1:9', '--images', '2:3']
    const { code, stdout, stderr } = await start('--out', out, '--hospitals', '3', '--rounds', '4', ...faults, '--json').ended
    const report = reportSchema.parse(JSON.parse(stdout || 'null'))
    expect(report.checks.filter(({ ok, kind }) => !ok && kind === 'result')).to.deep.equal([])
    expect(code, stderr).to.equal(0)
    const results = report.checks.filter(({ kind }) => kind === 'result').map(({ name }) => name)
    expect(results).to.include.members([
      'nobody waited for hospital-b and hospital-c',
      'at least 90 % of the steps of hospital-b, 9 times slower, arrived at another',
      'at least 90 % of the steps of hospital-c, with 3 times the images, arrived at another'
    ])
    expect(report.hospitals.map(({ imagesFactor }) => imagesFactor)).to.deep.equal([1, 1, 3])
    const [one, , three] = report.hospitals
    expect(three?.images).to.be.above(2 * (one?.images ?? Infinity))
    expect(three?.validationImages).to.be.below(20)
    for (const { steps } of report.hospitals) expect(steps?.trained).to.be.above(0)
    expect(stderr).to.include('hospital-c gets 3 times its training images, by simulated copies')
    expect(await readFile(join(out, 'report.html'), 'utf8')).to.include('simulated copies')
  })

  for (const method of ['fedper', 'no-distillation', ...SHARED_ALONE]) {
    it(`trains by ${method} in the daemon, and every check holds`, async () => {
      const { code, stdout, stderr } = await start('--out', out, '--hospitals', '2', '--rounds', '2', '--method', method, '--json').ended
      const report = reportSchema.parse(JSON.parse(stdout || 'null'))
      expect(report.checks.filter(({ ok, kind }) => !ok && kind === 'result')).to.deep.equal([])
      expect(code, stderr).to.equal(0)
      expect(report.method).to.equal(method)
      for (const { dice } of report.hospitals) {
        expect(dice.personal).to.not.equal(dice.frozen)
        if (SHARED_ALONE.includes(method)) expect(dice.personal).to.equal(dice.global)
        else expect(dice.personal).to.not.equal(dice.global)
      }
    })
  }

  const weak = [['mixed-weak', '--hospitals', '4', '--method', 'fedicra'], ['few:0.2', '--hospitals', '2', '--method', 'partial']] as const
  for (const [labels, ...options] of weak) {
    it(`trains on --labels ${labels}, and every check holds`, async () => {
      const args = ['--rounds', '2', ...options, '--labels', labels, '--json']
      const { code, stdout, stderr } = await start('--out', out, ...args).ended
      const report = reportSchema.parse(JSON.parse(stdout || 'null'))
      expect(report.checks.filter(({ ok, kind }) => !ok && kind === 'result')).to.deep.equal([])
      expect(code, stderr).to.equal(0)
      for (const { dice } of report.hospitals) expect(dice.personal).to.be.within(0.1, 1)
    }).timeout(2 * LIMIT_MS)
  }

  for (const method of ['fedsemidg', 'iscos']) {
    it(`trains by ${method} beside a hospital with no label at all, and every check holds`, async () => {
      const labels = ['--labels', 'few:0.2', '--unlabelled', '2']
      const { code, stdout, stderr } =
        await start('--out', out, '--hospitals', '3', '--rounds', '2', '--method', method, ...labels, '--json').ended
      const report = reportSchema.parse(JSON.parse(stdout || 'null'))
      expect(report.checks.filter(({ ok, kind }) => !ok && kind === 'result')).to.deep.equal([])
      expect(code, stderr).to.equal(0)
      const [one, , bare] = report.hospitals
      expect(one!.dice.personal).to.be.within(0.1, 1)
      expect(bare!.dice.personal).to.equal(null)
      expect([bare!.validationImages, (bare!.images ?? 0) > 0]).to.deep.equal([0, true])
      expect(bare!.steps!.trained, 'from the second round on').to.be.above(0)
    }).timeout(2 * LIMIT_MS)
  }

  it('averages by sealed groups of six hospitals', async () => {
    const { stdout } = await start('--out', out, '--hospitals', '6', '--rounds', '4', '--secure', '--json').ended
    const report = reportSchema.parse(JSON.parse(stdout || 'null'))
    const failed = report.checks.filter(({ ok, kind }) => !ok && kind === 'result')
    // What a hospital trained last may find no two others that are ready: a quarter of four rounds.
    expect(failed.filter(({ name }) => !name.includes('steps arrived'))).to.deep.equal([])
    for (const { steps } of report.hospitals) expect(steps?.arrived).to.be.at.least(0.75 * steps!.trained)
  })

  it('trains two classes, one within the other, and every check holds', async () => {
    const { code, stdout, stderr } =
      await start('--out', out, '--hospitals', '3', '--rounds', '2', '--classes', 'brain,deep-grey', '--json').ended
    expect(code, stderr).to.equal(0)
    const { hospitals } = reportSchema.parse(JSON.parse(stdout))
    expect(Object.keys(hospitals[2]?.classes ?? {})).to.deep.equal(['brain', 'deep-grey'])
  })

  it('names the hospital that took one class for the other, and no other one, beside one without labels that reads', async () => {
    const conditions = ['--classes', 'brain,deep-grey', '--swapped', '2', '--reader', '1']
    const { code, stdout, stderr } = await start('--out', out, '--rounds', '10', ...conditions, '--json').ended
    expect(code, stderr).to.equal(0)
    const { checks, readers } = reportSchema.parse(JSON.parse(stdout))
    expect(checks.find(({ name }) => name.startsWith('labels exchanged'))).to.deep.include({ ok: true, detail: 'named' })
    expect(readers?.map(({ rounds, hasDice, stepsTaken }) => ({ rounds, hasDice, stepsTaken })))
      .to.deep.equal([{ rounds: 10, hasDice: false, stepsTaken: 0 }])
  })

  it('compares with training alone, the founder too', async () => {
    const { code, stdout, stderr } = await start('--out', out, '--hospitals', '2', '--rounds', '1', '--compare', '--json').ended
    const report = reportSchema.parse(JSON.parse(stdout || 'null'))
    expect(code, stderr).to.equal(0)
    for (const { dice } of report.hospitals) expect(dice.local).to.be.within(0.1, 1)
    expect(report.crossSite?.global).to.be.within(0.1, 1)
  })

  it('stops every daemon in order on Ctrl-C', async () => {
    const { ended, said } = start('--out', out, '--hospitals', '2', '--rounds', '50')
    await said('round 1 phase G')
    expect(await processesUsing(out)).to.have.length(2)
    child?.kill('SIGINT')
    const { code, stdout } = await ended
    expect(code).to.equal(130)
    expect(stdout).to.include('stopping the hospitals')
    expect(await processesUsing(out)).to.deep.equal([])
    expect(await readdir(out)).not.to.include('report.json')
    expect(await readFile(join(out, 'homes', 'hospital-a.log'), 'utf8')).to.include('stopping')
  })
})

/** Daemons that run on a home below the folder. */
async function processesUsing (folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid)
  return pids.filter((pid) => {
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      return args.includes('start') && args.some((arg) => arg.startsWith(folder))
    } catch {
      return false
    }
  })
}
