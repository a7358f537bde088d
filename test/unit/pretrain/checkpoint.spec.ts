import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { DEFAULT_SETTINGS } from '../../../scripts/pretrain/settings.ts'
import { readCheckpoint, writeCheckpoint } from '../../../scripts/pretrain/training/checkpoint.ts'
import { CorruptFileError, InputError } from '../../../src/errors.ts'

const vector = (from: number): Float32Array => Float32Array.from({ length: 7 }, (_, i) => Math.fround(from + i / 3))

describe('checkpoints of the pretraining', () => {
  const checkpoint = {
    state: { value: vector(0), first: vector(1), second: vector(2), mean: vector(3) },
    step: 12,
    history: [{ step: 12, loss: 0.5, scores: { none: 0.1, point: 0.2, box: 0.3 } }]
  }
  let folder: string
  let path: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pretrain-'))
    path = join(folder, 'checkpoint.safetensors')
    await writeCheckpoint(path, checkpoint, DEFAULT_SETTINGS)
  })

  afterEach(() => rm(folder, { recursive: true }))

  const failure = (length: number, settings = DEFAULT_SETTINGS): Promise<unknown> =>
    readCheckpoint(path, length, settings).catch((error: unknown) => error)

  it('come back bit for bit, also for a schedule of another length', async () => {
    expect(await readCheckpoint(path, 7, { ...DEFAULT_SETTINGS, steps: 1 })).to.deep.equal(checkpoint)
  })

  it('are absent before the first', async () => {
    expect(await readCheckpoint(join(folder, 'none'), 7, DEFAULT_SETTINGS)).to.equal(undefined)
  })

  it('of another run are refused', async () => {
    expect(await failure(7, { ...DEFAULT_SETTINGS, seed: 99 })).to.be.instanceOf(InputError)
  })

  it('that are damaged or of another size are refused', async () => {
    expect(await failure(8)).to.be.instanceOf(CorruptFileError)
    await writeFile(path, (await readFile(path)).subarray(0, -4))
    expect(await failure(7)).to.be.instanceOf(CorruptFileError)
  })
})
