import { mkdtemp, rm } from 'node:fs/promises'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { TrainerProcess } from '../../../../src/node/trainer-process.ts'
import type { TrainerSetup } from '../../../../src/rounds/trainer-messages.ts'

const entry = fileURLToPath(new URL('../../../fixtures/trainer/fake-trainer.js', import.meta.url))
const { signal } = new AbortController()
const work = { round: 1, adapter: Float32Array.of(1, 2, 3), done: 0, share: 1 }

describe('TrainerProcess', function () {
  // Of a crowded machine: each starts processes.
  this.timeout(240_000)
  let trainer: TrainerProcess
  let folder: string
  let restarts: { reason: string, delayMs: number }[]
  let ends: string[]

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
  })

  afterEach(async () => {
    await trainer.stop()
    await rm(folder, { recursive: true })
  })

  function create (manners: object): TrainerProcess {
    trainer = new TrainerProcess({
      setup: { data: JSON.stringify(manners) } as TrainerSetup,
      nice: 7,
      entry,
      backOff: { firstMs: 5, lastMs: 20 },
      mostDeaths: 3
    })
    restarts = []
    trainer.on('restarting', (restart) => restarts.push(restart))
    ends = []
    trainer.on('recovered', () => ends.push('recovered'))
    trainer.on('givenUp', ({ message }) => ends.push(message))
    return trainer
  }

  async function failure (promise: Promise<unknown>): Promise<Error> {
    return await promise.then(() => { throw new Error('it succeeded') }, (error: Error) => error)
  }

  it('passes the adapter over and back, nicely', async () => {
    const { images } = await create({ images: 42 }).start()
    expect(images).to.equal(42)
    expect(getPriority(trainer.pid)).to.equal(7)
    const steps: number[] = []
    trainer.on('progress', ({ step }) => steps.push(step))
    const { adapter } = await trainer.call('train', { phase: 'G', ...work }, { signal })
    expect(adapter).to.deep.equal(Float32Array.of(2, 3, 4))
    expect(steps).to.deep.equal([1])
  })

  it('repeats a call in whose middle the process was killed', async () => {
    const { loss } = await create({ dieIn: 'phaseL', memory: join(folder, 'died') }).call('train', { phase: 'L', ...work }, { signal })
    expect(loss).to.equal(0.25)
    expect(restarts).to.deep.equal([{ reason: 'SIGKILL', delayMs: 5 }])
    await trainer.call('train', { phase: 'L', ...work }, { signal })
    expect(ends, 'once').to.deep.equal(['recovered'])
  })

  it('starts afresh after a failure that is not the user\'s', async () => {
    const { loss } = await create({ failIn: 'phaseG', memory: join(folder, 'failed') }).call('train', { phase: 'G', ...work }, { signal })
    expect(loss).to.equal(0.5)
    expect(restarts).to.deep.equal([{ reason: 'a step went wrong', delayMs: 5 }])
  })

  it('starts again when the process dies while it loads', async () => {
    const { images } = await create({ dieIn: 'setup', memory: join(folder, 'died') }).start()
    expect(images).to.equal(10)
  })

  it('gives up with one sentence after too many deaths in a row, with growing pauses between them', async () => {
    const error = await failure(create({ dieIn: 'phaseG' }).call('train', { phase: 'G', ...work }, { signal }))
    expect(error.name).to.equal('InputError')
    expect(error.message).to.equal(
      'the trainer process ended 3 times in a row (SIGKILL): check memory, the compute engine and the data, then start the daemon again'
    )
    expect(restarts.map(({ delayMs }) => delayMs)).to.deep.equal([5, 10])
    expect(ends).to.deep.equal([error.message])
  })

  it('does not start again for what the user must mend', async () => {
    const error = await failure(create({ badData: true }).start())
    expect(error.name).to.equal('InputError')
    expect(error.message).to.equal('the data folder is empty')
    expect(trainer.pid).to.equal(undefined)
    expect(restarts).to.be.empty
  })

  it('lets go of a call at once when told to stop', async () => {
    const controller = new AbortController()
    const call = failure(create({ delayMs: 60_000 }).call('train', { phase: 'G', ...work }, { signal: controller.signal }))
    await trainer.start()
    controller.abort(new Error('stop'))
    expect((await call).message).to.equal('stop')
    await trainer.stop()
    expect(restarts).to.be.empty
  })
})
