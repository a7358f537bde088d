import type { CommandModule } from 'yargs'
import { InputError } from '../../errors.ts'
import { loadConfig } from '../../home/config/load.ts'
import type { ComputeSettings } from '../../home/config/schema.ts'
import { sitePaths } from '../../home/paths.ts'
import type { Daemon } from '../../node/daemon.ts'
import type { Summary } from '../../node/summary.ts'
import { readTestFaults } from '../../node/test-faults/settings.ts'
import { fitCollector } from '../../node/tune-gc.ts'
import { computeArgs, computeFlags } from '../compute-flags.ts'
import { withFlags } from '../flags.ts'
import { STOP_SIGNALS } from '../interruptible.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'
import { prepareHome } from '../prepare-home.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  data: { type: 'string', describe: 'folder with images and masks (or nnU-Net raw layout)' },
  name: { type: 'string', describe: 'name of this site in its own logs and reports' },
  axis: {
    choices: ['auto', 'axial', 'coronal', 'sagittal'],
    describe: 'plane in which volumes are cut, auto for the one in which they were acquired'
  },
  listen: { type: 'string', array: true, describe: 'addresses to listen on' },
  bootstrap: { type: 'string', array: true, describe: 'addresses of sites that are up' },
  'control-port': { type: 'number', describe: 'loopback port of the control API, 0 for any' },
  ...computeFlags,
  nice: { type: 'number', describe: 'niceness of the trainer process' },
  'log-level': { choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'], describe: 'what to log on stderr' },
  alone: { type: 'boolean', describe: 'train without the network and end after the last round (the local baseline)', default: false }
} as const

type Args =
  & { home: string, json: boolean, alone: boolean, logLevel?: string, controlPort?: number }
  & Partial<ComputeSettings>
  & Record<string, unknown>

export const start: CommandModule<object, Args> = {
  command: 'start',
  describe: 'run the daemon of this site until its rounds are finished',
  builder: (argv) => withFlags(argv, flags) as never,
  handler: async (args) => {
    const { home, alone, json } = args
    const { data, name, axis, listen, bootstrap, controlPort, nice, logLevel } = args
    const news: string[] = []
    await prepareHome(home, (sentence) => { news.push(sentence) })
    const config = await loadConfig(sitePaths(home).config, {
      data,
      name,
      axis,
      listen,
      bootstrap,
      controlPort,
      nice,
      logLevel,
      ...computeArgs(args)
    })
    const faults = readTestFaults(process.env)
    if (config.data == null) throw new InputError('no data folder is set: give --data PATH')
    fitCollector()
    // Loaded here so that the other commands answer without waiting for libp2p.
    const [daemon, { createLogger }] = await Promise.all([import('../../node/daemon.ts'), import('../../rounds/logger.ts')])
    const summary = await runUntilSignalled(
      new daemon.Daemon({ home, config: { ...config, data: config.data }, alone, faults, news, logger: createLogger(config.logLevel) })
    )
    if (summary != null) print(json, summary, () => describe(summary))
  }
}

/** First Ctrl-C closes, second forces. */
async function runUntilSignalled (daemon: Daemon): Promise<Summary | undefined> {
  let signals = 0
  const onSignal = (): void => {
    signals++
    if (signals > 1) process.exit(1)
    daemon.requestStop()
  }
  for (const name of STOP_SIGNALS) process.on(name, onSignal)
  try {
    return await daemon.run()
  } finally {
    for (const name of STOP_SIGNALS) process.off(name, onSignal)
  }
}

function describe ({ name, rounds, exchanges, dice }: Summary): string {
  return `${name}: ${rounds} rounds and ${exchanges} exchanges finished, Dice frozen ${dice.frozen.toFixed(3)}, global ${
    dice.global.toFixed(3)
  }, personal ${dice.personal.toFixed(3)}`
}
