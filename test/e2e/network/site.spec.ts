import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import sharp from 'sharp'
import type { LedgerEntry } from '../../../src/audit/entry.ts'
import type { RoundRecord } from '../../../src/home/metrics-log.ts'
import type { Summary } from '../../../src/node/summary.ts'
import type { SiteStatus } from '../../../src/rounds/status.ts'
import type { Evaluation } from '../../../src/site-model/evaluate-site.ts'
import { consilium, consiliumJson, logged, plainLines, start, type Running } from '../cli.ts'

const PICTURES = 'samples/colin27/hospital-a'
const VOLUME = 'samples/colin27/hospital-c'
const POLL_MS = 100
const PATIENCE_MS = 300_000
const GONE_MS = 120_000

function dice (a: ArrayLike<number>, b: ArrayLike<number>): number {
  let both = 0
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! > 0 ? 1 : 0, b[i]! > 0 ? 1 : 0]
    both += x & y
    sum += x + y
  }
  return 2 * both / sum
}

/** Header and one byte per voxel of an uncompressed or compressed NIfTI file of type uint8. */
async function readNifti (file: string): Promise<{ header: Buffer, sides: number[], voxels: Buffer }> {
  const bytes = await readFile(file)
  const plain = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes
  expect(plain.readInt16LE(70), 'datatype uint8').to.equal(2)
  return {
    header: plain.subarray(0, 348),
    sides: [1, 2, 3].map((axis) => plain.readInt16LE(40 + 2 * axis)),
    voxels: plain.subarray(plain.readFloatLE(108))
  }
}

/** One list of voxels per slice along a voxel axis. */
function slicesAlong (axis: number, sides: readonly number[], voxels: Buffer): number[][] {
  const slices: number[][] = Array.from({ length: sides[axis]! }, () => [])
  const stride = sides.slice(0, axis).reduce((product, side) => product * side, 1)
  voxels.forEach((voxel, i) => slices[Math.floor(i / stride) % sides[axis]!]!.push(voxel))
  return slices
}
const SECRET = 'no words for the trainer'

describe('one site from its command line', function () {
  this.timeout(900_000)
  let folder: string
  let home: string
  const running: Running[] = []

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    home = join(folder, 'site')
  })

  afterEach(async () => {
    for (const { child, ended } of running.splice(0)) {
      child.kill('SIGKILL')
      await ended
    }
  })

  after(async () => { await rm(folder, { recursive: true }) })

  function daemon (...args: string[]): Running {
    const env = { CONSILIUM_PASSPHRASE: SECRET }
    const started = start(['start', '--home', home, '--threads', '1', '--listen', '/ip4/127.0.0.1/tcp/0', ...args], { env })
    running.push(started)
    return started
  }

  async function until (what: string, { child }: Running, holds: (status: SiteStatus) => boolean): Promise<SiteStatus> {
    return await statusOf(home, what, holds, () => child.exitCode == null)
  }

  async function statusOf (
    at: string,
    what: string,
    holds: (status: SiteStatus) => boolean,
    lives = (): boolean => true
  ): Promise<SiteStatus> {
    const end = Date.now() + PATIENCE_MS
    while (Date.now() < end && lives()) {
      const { code, stdout } = await consilium(['status', '--home', at, '--json'])
      if (code === 0 && holds(JSON.parse(stdout) as SiteStatus)) return JSON.parse(stdout) as SiteStatus
      await sleep(POLL_MS)
    }
    throw new Error(`waited in vain until ${what}`)
  }

  async function untilGone (file: string): Promise<void> {
    const end = Date.now() + GONE_MS
    while (existsSync(file)) {
      if (Date.now() > end) throw new Error(`${file} is still there`)
      await sleep(POLL_MS)
    }
  }

  it('founds, trains by itself since it is told to, is struck, goes on and finishes', async () => {
    const created = await consiliumJson<{ id: string }>([
      'federation',
      'create',
      '--home',
      home,
      '--name',
      'test',
      '--rounds',
      '3',
      '--cool-down',
      '5'
    ])
    const { peerId } = await consiliumJson<{ peerId: string }>(['id', '--home', home])
    expect((await consiliumJson<{ peerId: string }>(['init', '--home', home])).peerId).to.equal(peerId)

    const byItself = ['--data', PICTURES, '--wait-for', '1', '--alone-rounds', '3']
    const first = daemon(...byItself, '--name', 'Mercy')
    const status = await until('training began', first, ({ phase }) => phase === 'G')
    expect(status).to.include({ name: 'Mercy', peerId, federation: created.id, round: 1, rounds: 3, trainer: 'ready', peers: 0 })
    expect(await consiliumJson(['peers', '--home', home])).to.deep.equal([])
    await onlyTheTrainerHoldsTensors(first)

    // Ctrl-C: it says goodbye and ends well.
    first.child.kill('SIGINT')
    const stopped = await first.ended
    expect(stopped.code).to.equal(0)
    expect(logged(stopped.stderr).at(-1)).to.equal('stopped: the same command goes on from here')
    expect(plainLines(stopped.stderr)).to.be.empty
    expect(await readdir(home)).not.to.include('control.json')

    // No goodbye at all.
    const second = daemon(...byItself)
    await until('the second round began', second, ({ round }) => round >= 2)
    const trainer = await childOf(second)
    second.child.kill('SIGKILL')
    await second.ended
    await goneWithin(trainer, GONE_MS)

    const third = await daemon(...byItself, '--json').ended
    // No plain success, and no silence: it trained with nobody.
    expect(third.code, third.stderr).to.equal(3)
    expect(plainLines(third.stderr).join()).to.match(/^consilium: 3 rounds are finished and not one exchange with another site: /)
    const summary = JSON.parse(third.stdout) as Summary
    expect(summary).to.deep.equal(JSON.parse(await readFile(join(home, 'summary.json'), 'utf8')))
    expect(summary).to.include({ peerId, federation: created.id, rounds: 3, engine: 'onnx', exchanges: 0 })
    expect(summary.dice!.personal).to.be.greaterThan(summary.dice!.frozen)
    const metrics = (await readFile(join(home, 'metrics.jsonl'), 'utf8')).trim().split('\n').map((line) =>
      (JSON.parse(line) as RoundRecord).round
    )
    expect(metrics).to.deep.equal([1, 2, 3])
    expect(await readdir(join(home, 'adapters'))).to.have.length(3)
    // Neither file names nor subjects of the images are in the log.
    for (const each of [stopped.stderr, second.out.stderr, third.stderr]) expect(each).not.to.match(/colin27_|images\/|\.png/)
  })

  it('in a terminal that is closed, stops as after Ctrl-C', async function () {
    // Of util-linux, which gives a program a terminal of its own.
    if (spawnSync('script', ['--version']).error != null) this.skip()
    const other = join(folder, 'in a terminal')
    await consiliumJson(['federation', 'create', '--home', other, '--name', 'test', '--rounds', '50'])
    const terminal = spawn('script', [
      '--quiet',
      '--flush',
      '--command',
      `'${process.execPath}' dist/src/cli/index.js start --home '${other}' --data ${PICTURES} --wait-for 1 --threads 1 ` +
      '--listen /ip4/127.0.0.1/tcp/0',
      '/dev/null'
    ], { stdio: 'ignore' })
    const status = await statusOf(other, 'training began', ({ phase }) => phase === 'G')
    expect(status.round).to.be.at.least(1)
    terminal.kill('SIGKILL')
    await untilGone(join(other, 'control.json'))
    // The ledger is closed after the control port.
    const last = async (): Promise<LedgerEntry | undefined> =>
      (await consiliumJson<LedgerEntry[]>(['audit', 'show', '--home', other])).at(-1)
    for (const end = Date.now() + GONE_MS; (await last())?.kind !== 'stop' && Date.now() < end;) await sleep(POLL_MS)
    expect(await last()).to.include({ kind: 'stop', reason: 'stopped' })
  })

  it('predicts what it scores, as a picture', async () => {
    const { personal } = await consiliumJson<Evaluation>(['evaluate', '--home', home, '--data', PICTURES])
    const slice = personal.perSlice[Math.floor(personal.perSlice.length / 2)]!
    const out = join(folder, 'mask.png')
    await consiliumJson(['predict', '--home', home, '--image', join(PICTURES, 'images', `${slice.id}.png`), '--out', out])
    const mask = await sharp(out).raw().toBuffer({ resolveWithObject: true })
    const truth = await sharp(join(PICTURES, 'masks', `${slice.id}.png`)).raw().toBuffer({ resolveWithObject: true })
    expect([mask.info.width, mask.info.height]).to.deep.equal([truth.info.width, truth.info.height])
    const channel = ({ data, info }: typeof mask): number[] =>
      Array.from({ length: info.width * info.height }, (_, i) => data[i * info.channels]!)
    expect(dice(channel(mask), channel(truth))).to.be.closeTo(slice.dice, 0.01)
  })

  it('predicts what it scores, as a volume with the affine of the input', async () => {
    const { personal } = await consiliumJson<Evaluation>(['evaluate', '--home', home, '--data', VOLUME, '--split', 'all'])
    const [name] = await readdir(join('samples/colin27/hospital-c', 'images'))
    const out = join(folder, 'mask.nii.gz')
    await consiliumJson(['predict', '--home', home, '--image', join(VOLUME, 'images', name!), '--out', out])
    const mask = await readNifti(out)
    const truth = await readNifti(join(VOLUME, 'masks', name!))
    expect(mask.sides).to.deep.equal(truth.sides)
    // qform and sform: codes, quaternion, offsets and the three rows.
    expect(mask.header.subarray(252, 328).equals(truth.header.subarray(252, 328))).to.equal(true)
    const axis = [0, 1, 2].find((each) =>
      slicesAlong(each, truth.sides, truth.voxels).filter((voxels) => voxels.some((voxel) => voxel > 0)).length === personal.perSlice.length
    )!
    const truths = slicesAlong(axis, truth.sides, truth.voxels)
    const scores = slicesAlong(axis, mask.sides, mask.voxels).flatMap((voxels, i) =>
      truths[i]!.some((voxel) => voxel > 0) ? [dice(voxels, truths[i]!)] : []
    )
    const expected = personal.perSlice.map((slice) => slice.dice).sort((a, b) => a - b)
    scores.sort((a, b) => a - b).forEach((score, i) => { expect(score).to.be.closeTo(expected[i]!, 0.01) })
  })

  it('exports its adapter', async () => {
    const out = join(folder, 'adapter.safetensors')
    const exported = await consiliumJson<{ round: number, tensors: number }>(['export', '--home', home, '--out', out])
    expect(exported.round).to.equal(3)
    expect(exported.tensors).to.be.greaterThan(10)
    expect((await numbersIn(out)).equals(await numbersIn(join(home, 'adapter.safetensors')))).to.equal(true)
  })

  it('is backed up in one file, which becomes a home that holds the same and knows what it is', async () => {
    const [file, copy] = [join(folder, 'site.tar.gz'), join(folder, 'restored')]
    const { made } = await consiliumJson<{ made: string }>(['backup', file, '--home', home])
    expect(await consiliumJson(['restore', file, '--home', copy])).to.deep.equal({ home: copy, made })
    for (const name of ['adapter.safetensors', 'identity.key', 'private/experts.safetensors']) {
      expect((await readFile(join(copy, name))).equals(await readFile(join(home, name))), name).to.equal(true)
    }
    expect(JSON.parse(await readFile(join(copy, 'restored.json'), 'utf8'))).to.include({ made })
    const { code, stderr } = await consilium(['restore', file, '--home', home])
    expect(code).to.not.equal(0)
    expect(plainLines(stderr).join()).to.include(home)
  })

  /** What lies behind the head of a file of safetensors; its metadata are the site's own at home. */
  async function numbersIn (path: string): Promise<Buffer> {
    const bytes = await readFile(path)
    return bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)))
  }

  async function childOf ({ child }: Running): Promise<number> {
    const [pid] = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).trim().split(' ')
    return Number(pid)
  }

  /** docs/spec/network.md#processes: the process that owns the sockets never loads the tensor library. */
  async function onlyTheTrainerHoldsTensors (site: Running): Promise<void> {
    const maps = async (pid: number): Promise<string> => await readFile(`/proc/${pid}/maps`, 'utf8')
    expect(await maps(await childOf(site))).to.contain('onnxruntime')
    expect(await maps(site.child.pid!)).not.to.contain('onnxruntime')
    const environment = async (pid: number): Promise<string> => await readFile(`/proc/${pid}/environ`, 'utf8')
    expect(await environment(site.child.pid!), 'the key is the daemon\'s').to.contain(SECRET)
    expect(await environment(await childOf(site))).not.to.contain(SECRET)
  }

  async function goneWithin (pid: number, ms: number): Promise<void> {
    const end = Date.now() + ms
    while (Date.now() < end) {
      try {
        process.kill(pid, 0)
      } catch {
        return
      }
      await sleep(POLL_MS)
    }
    throw new Error('the trainer outlived its daemon')
  }
})
