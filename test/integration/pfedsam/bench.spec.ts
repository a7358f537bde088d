import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { RunRecord } from '../../../src/experiment/run-job.ts'

const BENCH = fileURLToPath(new URL('../../../bench/pfedsam/index.ts', import.meta.url))
const FAST = ['--preset', 'smoke', '--only', 'frozen,local,pfedsam-gossip', '--rounds', '1', '--train', '2', '--workers', '2']
/** With a mask left to one of two patients. */
const LABELS = [
  '--preset', 'labels', '--only', 'partial,fedavg-lora', '--data', 'fundus-phantom', '--seeds', '11', '--rounds', '1', '--train', '2',
  '--validation', '1', '--workers', '2'
]
/** Milliseconds, of a crowded machine. */
const PATIENCE = 1_800_000
/** Of the page in docs/evidence. */
const MOST_BYTES = 3 * 2 ** 20

interface Ended { readonly code: number | null, readonly out: string, readonly err: string }

describe('bench:pfedsam', function () {
  this.timeout(PATIENCE)
  const folders: string[] = []

  after(async () => { for (const folder of folders) await rm(folder, { recursive: true, force: true }) })

  async function freshFolder (): Promise<string> {
    const path = await mkdtemp(join(tmpdir(), 'pfedsam-'))
    folders.push(path)
    return path
  }

  /** Runs it; `onLine` may end it early. */
  async function bench (
    out: string,
    onLine?: (line: string, interrupt: () => void) => void,
    args: readonly string[] = FAST
  ): Promise<Ended> {
    const child = spawn(process.execPath, ['--import', 'tsx', BENCH, ...args, '--runs', join(out, 'runs'), '--out', out], {
      stdio: ['ignore', 'pipe', 'pipe']
    })
    let [text, err] = ['', '']
    child.stdout.on('data', (bytes: Buffer) => { text += bytes.toString() })
    child.stderr.on('data', (bytes: Buffer) => {
      err += bytes.toString()
      onLine?.(bytes.toString(), () => { child.kill('SIGINT') })
    })
    const [code] = await once(child, 'close') as [number | null]
    return { code, out: text, err }
  }

  /** All numbers but times. */
  async function numbers (out: string): Promise<string> {
    return `${await readFile(join(out, 'sites.csv'), 'utf8')}${await readFile(join(out, 'images.csv'), 'utf8')}`
  }

  it('runs the smallest preset into a table and a report, and goes on after an interruption with the same numbers', async () => {
    const whole = await freshFolder()
    const first = await bench(whole)
    expect(first.code, first.err).to.equal(0)
    expect(first.out).to.include('pFedSAM by gossip').and.include('eye-clinic')
    expect((await stat(join(whole, 'report.html'))).size).to.be.lessThan(MOST_BYTES)
    const report = JSON.parse(await readFile(join(whole, 'report.json'), 'utf8')) as { summaries: { methods: unknown[] }[] }
    expect(report.summaries[0]!.methods).to.have.length(3)

    const broken = await freshFolder()
    const stopped = await bench(broken, (line, interrupt) => { if (line.includes('frozen SAM')) interrupt() })
    expect(stopped.code, stopped.err).to.equal(130)
    expect(stopped.err).to.include('goes on from there')
    const kept = await readdir(join(broken, 'runs'))
    expect(kept.length).to.be.within(1, 3)
    const resumed = await bench(broken)
    expect(resumed.code, resumed.err).to.equal(0)
    expect(resumed.err).to.include(`4 runs, ${kept.length} of them done before`)
    expect(await numbers(broken)).to.equal(await numbers(whole))
  })

  it('runs several labellings into one report that keeps them apart', async () => {
    const folder = await freshFolder()
    const { code, out, err } = await bench(folder, undefined, LABELS)
    expect(code, err).to.equal(0)
    expect(err).to.include('3 runs').and.include('labels masks of all, mixed-weak, few:0.2')
    expect(out).to.include('fundus-phantom (few:0.2), seeds 11').and.include('FedAvg-LoRA, all masks')
    const report = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as {
      summaries: { labelling?: string, methods: { method: string }[], masked: { method: string, kinds: unknown[] }[] }[]
    }
    expect(report.summaries.map(({ labelling = 'all', methods }) => [labelling, ...methods.map(({ method }) => method)])).to.deep.equal(
      [['all', 'fedavg-lora'], ['mixed-weak', 'partial'], ['few:0.2', 'partial']]
    )
    expect(report.summaries.map(({ masked }) => masked.map(({ method, kinds }) => [method, kinds.length])))
      .to.deep.equal([[], [['fedavg-lora', 4]], [['fedavg-lora', 0]]])
    const page = await readFile(join(folder, 'report.html'), 'utf8')
    expect(page.match(/What the models see, fundus-phantom/g), 'pictures of each').to.have.length(3)
  })

  it('says before training how good the pseudo-masks of a method are, and what became of them', async () => {
    const out = await freshFolder()
    const few = ['--preset', 'smoke', '--only', 'iscos', '--labels', 'mixed-weak', '--rounds', '1', '--train', '2', '--workers', '1']
    const { code, err } = await bench(out, undefined, few)
    expect(code, err).to.equal(0)
    const said = (when: string): RegExp =>
      new RegExp(`ISCOS, seed 1: ${when}, pseudo-masks of \\d+ of 8 images: Dice [\\d.]+, the teacher's own [\\d.]+; [\\d.]+ % selected`)
    expect(err).to.match(said('before training')).and.match(said('after round 1'))
    expect(err.search(said('before training'))).to.be.below(err.search(said('after round 1')))
    const [run = ''] = await readdir(join(out, 'runs'))
    const { guesses } = JSON.parse(await readFile(join(out, 'runs', run), 'utf8')) as RunRecord
    expect(guesses!.map(({ round }) => round)).to.deep.equal([0, 1])
    // Scribbles, points, boxes and blocks: the site with boxes has both given, whatever the model answers.
    expect(guesses![0]!.sites.map((site) => site?.images)).to.deep.equal([2, 2, 2, 2])
    expect(guesses![0]!.sites[2]!.made).to.equal(2)
    expect(guesses![0]!.sites[2]!.dice).to.be.within(0, 1)
  })

  it('plans without running', async () => {
    const out = await freshFolder()
    const child = spawn(process.execPath, [
      '--import',
      'tsx',
      BENCH,
      '--preset',
      'full',
      '--dry-run',
      '--runs',
      join(out, 'runs'),
      '--out',
      out
    ], { stdio: ['ignore', 'pipe', 'pipe'] })
    let err = ''
    child.stderr.on('data', (bytes: Buffer) => { err += bytes.toString() })
    const [code] = await once(child, 'close') as [number | null]
    expect(code).to.equal(0)
    expect(err).to.match(/about \d+ (h \d+ )?min on/)
    expect(await readdir(out)).to.deep.equal([])
  })
})
