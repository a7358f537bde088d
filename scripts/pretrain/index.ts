import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { createEngine } from '../../src/compute/index.ts'
import { CorruptFileError, InputError } from '../../src/errors.ts'
import { samConfig } from '../../src/model/sam/build-sam.ts'
import { loadWeights } from '../../src/model/sam/weights.ts'
import { describeScores, progressView } from './progress.ts'
import { pretrain } from './run.ts'
import { DEFAULT_SETTINGS } from './settings.ts'

const flags = {
  model: { type: 'string', describe: 'configuration to train', default: DEFAULT_SETTINGS.model },
  steps: { type: 'number', describe: 'length of the schedule', default: DEFAULT_SETTINGS.steps },
  seed: { type: 'number', describe: 'of weights and images', default: DEFAULT_SETTINGS.seed },
  batch: { type: 'number', describe: 'images per step, each used without prompt, with a point and with a box', default: DEFAULT_SETTINGS.batch },
  lr: { type: 'number', describe: 'learning rate at its height', default: DEFAULT_SETTINGS.rate },
  from: { type: 'string', describe: 'weight file of the same model to start from, instead of random weights' },
  out: { type: 'string', describe: 'weight file to write (float16)', default: join('assets', 'sam-tiny.safetensors') },
  checkpoint: { type: 'string', describe: 'file that a later run goes on from', default: join('out', 'pretrain.safetensors') },
  curves: { type: 'string', describe: 'picture (SVG) of loss and scores to write', default: join('out', 'pretrain.svg') },
  resume: { type: 'boolean', describe: 'go on from the checkpoint when there is one (--no-resume starts over)', default: true },
  minutes: { type: 'number', describe: 'stop after so many minutes, with a checkpoint; the same command goes on from it' },
  every: { type: 'number', describe: 'steps between checkpoints and scores', default: 250 },
  'held-out': { type: 'number', describe: 'images to score on (a multiple of --batch)', default: 64 },
  threads: { type: 'number', describe: 'threads of the engine' }
} as const

async function main (args: string[]): Promise<number> {
  const options = await yargs(args)
    .scriptName('npm run pretrain --')
    .usage('$0: train the small base model on procedural shapes, from random weights')
    .options(flags)
    .strict()
    .wrap(null)
    .parseAsync()
  for (const name of ['steps', 'batch', 'every', 'heldOut', 'lr', 'minutes', 'threads'] as const) {
    if (!((options[name] ?? 1) > 0)) throw new InputError(`--${name === 'heldOut' ? 'held-out' : name} must be a number above 0`)
  }
  if (options.heldOut % options.batch !== 0) throw new InputError(`--held-out ${options.heldOut} is not a multiple of --batch ${options.batch}`)
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stop.abort() })
  const timer = options.minutes == null ? undefined : setTimeout(() => { stop.abort() }, options.minutes * 60_000)
  const engine = await createEngine({ memory: 'fast', ...(options.threads == null ? {} : { threads: options.threads }) })
  const view = progressView(process.stderr)
  try {
    const { from: file, model, seed, steps, batch, lr: rate, ...rest } = options
    const start = file == null ? undefined : loadWeights(samConfig(model), await readFile(file))
    const { step, scores } = await pretrain({
      ...rest,
      engine,
      settings: { model, seed, steps, batch, rate, ...(start == null ? {} : { from: start.hash }) },
      ...(start == null ? {} : { from: start.weights }),
      onProgress: (progress) => { view.show(progress) },
      signal: stop.signal
    })
    view.stop()
    process.stdout.write(`${options.out}: ${step} of ${options.steps} steps, held-out IoU ${describeScores(scores)}\n`)
    return 0
  } finally {
    clearTimeout(timer)
    await engine.dispose()
  }
}

try {
  process.exitCode = await main(hideBin(process.argv))
} catch (error) {
  if (!(error instanceof InputError || error instanceof CorruptFileError)) throw error
  process.stderr.write(`pretrain: ${error.message}\n`)
  process.exitCode = 1
}
