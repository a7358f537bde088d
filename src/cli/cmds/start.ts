import { onStopSignal } from '../../common/stop-signals.ts'
import { isPacs } from '../../dicomweb/address.ts'
import { InputError, UsageError } from '../../errors.ts'
import { loadConfig } from '../../home/config/load.ts'
import { joiningInWords } from '../../home/joining.ts'
import { sitePaths } from '../../home/paths.ts'
import type { Daemon } from '../../node/daemon.ts'
import type { Summary } from '../../node/summary.ts'
import { SystemNotify } from '../../node/system-notify.ts'
import { readTestFaults } from '../../node/test-faults/settings.ts'
import { tuneGc } from '../../node/tune-gc.ts'
import { siteConfig, type SiteConfig } from '../../settings/site/site-config.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print, warn } from '../output.ts'
import { prepareHome } from '../prepare-home.ts'
import { pacsInWords } from '../data-folder.ts'
import { flagsOf, settingsIn } from '../setting-flags.ts'

// The cache of embeddings is for predictions.
const startSettings = siteConfig.omit({ embeddingCache: true })

/** Exit code of a site that was to train with others and did not. */
const NO_EXCHANGE = 3

const NOTHING_READ = 'this site has read nothing from the others, so its model is the base alone: the log said why'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  ...flagsOf(startSettings),
  alone: { type: 'boolean', describe: 'train without the network and end after the last round (the local baseline)', default: false }
} as const

export const start = command({
  command: 'start',
  describe: 'run the daemon of this site until its rounds are finished',
  builder: (argv) =>
    withFlags(argv, flags).epilogue(`Exit code ${NO_EXCHANGE}: all rounds are finished, and there was no exchange with another site.`),
  handler: async (args) => {
    const { home, alone, json } = args
    // The database of peers asks nobody how it makes its files; the trainer inherits it.
    process.umask(0o077)
    const news: string[] = []
    await prepareHome(home, (sentence) => { news.push(sentence) })
    const config = await loadConfig(sitePaths(home).config, settingsIn(startSettings, args))
    const faults = readTestFaults(process.env)
    if (alone && config.withoutLabels) {
      throw new UsageError('--alone is for a site that trains, and one without labels only reads from others: leave one of them out')
    }
    if (config.data == null) throw new InputError('no data folder is set: give --data PATH')
    const data = await dataOf({ ...config, data: config.data }, home, news)
    tuneGc()
    // Loaded here so that the other commands answer without waiting for libp2p.
    const [{ Daemon }, { createLogger }] = await Promise.all([import('../../node/daemon.ts'), import('../../rounds/logger.ts')])
    const logger = createLogger(config.logLevel)
    const system = new SystemNotify(process.env, logger)
    const onListening = (state: () => string): void => { system.ready(state).catch(() => { /* it never rejects */ }) }
    const summary = await runUntilSignalled(
      new Daemon({ home, config: { ...config, data }, alone, faults, news, onListening, logger }),
      system
    )
    if (summary == null) return
    print(json, summary, () => describe(summary))
    if (alone || summary.exchanges > 0) return
    warn(summary.reads === true ? NOTHING_READ : noCommonModel(summary))
    process.exitCode = NO_EXCHANGE
  }
})

function noCommonModel ({ rounds }: Summary): string {
  return `${rounds} rounds are finished and not one exchange with another site: this is no common model, but one of this site's ` +
    'images alone; "consilium status" and the log said why, and --alone is for those who want it so'
}

/** The folder that this site trains on; the files of a PACS are fetched first, by another process. */
async function dataOf ({ data, pacsCache }: SiteConfig & { readonly data: string }, home: string, news: string[]): Promise<string> {
  if (!isPacs(data)) return data
  const { readInChild } = await import('../../dicomweb/read-in-child.ts')
  const { folder, studies, unlabelled } = await readInChild({ address: data, home, pacsCache })
  news.push(pacsInWords(studies, unlabelled))
  return folder
}

/** First Ctrl-C closes, second forces. */
async function runUntilSignalled (daemon: Daemon, system: SystemNotify): Promise<Summary | undefined> {
  const letGo = onStopSignal(() => {
    system.stopping().catch(() => { /* it never rejects */ })
    daemon.requestStop()
  })
  try {
    return await daemon.run()
  } finally {
    letGo()
  }
}

function describe ({ name, rounds, exchanges, dice, reads }: Summary): string {
  if (dice == null && reads !== true) {
    return `${name}: ${rounds} rounds and ${exchanges} exchanges finished; no image that is held back has a whole mask, so no Dice`
  }
  if (dice == null) {
    return `${name}: the adapter of round ${rounds} is here, read ${exchanges} times from others; this site has no labels, so no Dice: ` +
      '"consilium predict" makes masks of its images'
  }
  return `${name}: ${rounds} rounds and ${exchanges} exchanges finished, Dice frozen ${dice.frozen.toFixed(3)}, global ${
    dice.global.toFixed(3)
  }, personal ${dice.personal.toFixed(3)}${dice.alone == null ? '' : `, alone ${dice.alone.toFixed(3)}: ${joiningInWords(dice)}`}`
}
