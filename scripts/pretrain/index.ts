import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { onStopSignal } from '../../src/common/stop-signals.ts'
import { createEngine, type Engine } from '../../src/compute/index.ts'
import { CorruptFileError, InputError } from '../../src/errors.ts'
import { samConfig } from '../../src/model/sam/build-sam.ts'
import { loadWeights } from '../../src/model/sam/weights.ts'
import { diceScore } from '../../src/model/scores/overlap.ts'
import { bundledSamples } from './bundled.ts'
import { describeScores, progressView } from './progress.ts'
import { pretrain } from './run.ts'
import { DEFAULT_SETTINGS } from './settings.ts'
import { heldOut, score } from './training/scores.ts'
import { predictStep } from './training/step.ts'

const flags = {
  model: { type: 'string', describe: 'configuration to train', default: DEFAULT_SETTINGS.model },
  steps: { type: 'number', describe: 'length of the schedule', default: DEFAULT_SETTINGS.steps },
  seed: { type: 'number', describe: 'of weights and images', default: DEFAULT_SETTINGS.seed },
  batch: {
    type: 'number',
    describe: 'images per step, each used without prompt, with a point and with a box',
    default: DEFAULT_SETTINGS.batch
  },
  lr: { type: 'number', describe: 'learning rate at its height', default: DEFAULT_SETTINGS.rate },
  from: { type: 'string', describe: 'weight file of the same model to start from, instead of random weights' },
  score: {
    type: 'string',
    describe: 'weight file to score instead of training: on --held-out images, and on the slices of the bundled sample'
  },
  out: { type: 'string', describe: 'weight file to write (float16)', default: join('assets', 'sam-tiny.safetensors') },
  checkpoint: { type: 'string', describe: 'file that a later run goes on from', default: join('out', 'pretrain.safetensors') },
  curves: { type: 'string', describe: 'picture (SVG) of loss and scores to write', default: join('out', 'pretrain.svg') },
  resume: { type: 'boolean', describe: 'go on from the checkpoint when there is one (--no-resume starts over)', default: true },
  minutes: { type: 'number', describe: 'stop after so many minutes, with a checkpoint; the same command goes on from it' },
  every: { type: 'number', describe: 'steps between checkpoints and scores', default: 250 },
  'held-out': { type: 'number', describe: 'images to score on (a multiple of --batch)', default: 64 },
  threads: { type: 'number', describe: 'threads of the engine' }
} as const

const NUMBERS = ['steps', 'batch', 'every', 'heldOut', 'lr', 'minutes', 'threads'] as const

function checkNumbers (
  options: Readonly<Partial<Record<typeof NUMBERS[number], number | undefined>>> & { readonly heldOut: number, readonly batch: number }
): void {
  for (const name of NUMBERS) {
    if (!((options[name] ?? 1) > 0)) throw new InputError(`--${name === 'heldOut' ? 'held-out' : name} must be a number above 0`)
  }
  if (options.heldOut % options.batch !== 0) {
    throw new InputError(`--held-out ${options.heldOut} is not a multiple of --batch ${options.batch}`)
  }
}

async function main (args: string[]): Promise<number> {
  const options = await yargs(args)
    .scriptName('npm run pretrain --')
    .usage('$0: train the small base model on procedural shapes, from random weights')
    .options(flags)
    .strict()
    .wrap(null)
    .parseAsync()
  checkNumbers(options)
  const stop = new AbortController()
  onStopSignal(() => { stop.abort() })
  const timer = options.minutes == null ? undefined : setTimeout(() => { stop.abort() }, options.minutes * 60_000)
  const engine = await createEngine({ memory: 'fast', ...(options.threads == null ? {} : { threads: options.threads }) })
  const view = progressView(process.stderr)
  try {
    if (options.score != null) {
      process.stdout.write(await scoreFile(engine, options.score, options))
      return 0
    }
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

/** IoU on held-out images, Dice on real slices. */
async function scoreFile (
  engine: Engine,
  file: string,
  { model, heldOut: count, batch }: { readonly model: string, readonly heldOut: number, readonly batch: number }
): Promise<string> {
  const config = samConfig(model)
  const { weights, hash } = loadWeights(config, await readFile(file))
  const predict = engine.compile(predictStep(config))
  const lines = [
    `${file}, weights ${hash}`,
    `IoU, ${count} held-out images: ${describeScores(await score(predict, weights, heldOut(count, config), config, batch))}`
  ]
  for (const [name, samples] of await bundledSamples(config.imageSize)) {
    lines.push(
      `Dice, ${samples.length} slices of ${name}: ${describeScores(await score(predict, weights, samples, config, batch, diceScore))}`
    )
  }
  return `${lines.join('\n')}\n`
}

try {
  process.exitCode = await main(hideBin(process.argv))
} catch (error) {
  if (!(error instanceof InputError || error instanceof CorruptFileError)) throw error
  process.stderr.write(`pretrain: ${error.message}\n`)
  process.exitCode = 1
}
