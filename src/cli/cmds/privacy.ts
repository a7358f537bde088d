import type { CommandModule } from 'yargs'
import { PrivacyLedger, readPrivacyLedger } from '../../audit/privacy/privacy-ledger.ts'
import { UsageError } from '../../errors.ts'
import { readFederation } from '../../federation/document.ts'
import { MetricsLog } from '../../home/metrics-log.ts'
import { sitePaths } from '../../home/paths.ts'
import { whileAlone } from '../../node/network/peer-book.ts'
import { mechanismOf } from '../../privacy/mechanism.ts'
import { planned, type Planned } from '../../privacy/plan-settings.ts'
import type { Plan, Verdict } from '../../privacy/plan.ts'
import { epsilonOf } from '../../privacy/spending.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print, warn } from '../output.ts'
import { prepareHome } from '../prepare-home.ts'
import { flagsOf, flagsWithDefaults, requireWithin, settingsIn } from '../setting-flags.ts'

const { epsilon, noise, ...others } = planned.shape
const planFlags = {
  ...jsonFlag,
  ...flagsWithDefaults(planned.pick(mapped(others))),
  ...flagsOf(planned.pick(mapped({ epsilon, noise })))
} as const

const plan = command({
  command: 'plan',
  describe: 'what differential privacy costs, before a federation is created',
  builder: (argv) => withFlags(argv, planFlags),
  handler: async (args) => {
    requireWithin(planned.shape, args, true)
    const given = planned.parse(settingsIn(planned, args))
    const { planOf } = await import('../../privacy/plan.ts')
    const result = planOf(given)
    print(args.json, { unit: given.unit, rounds: given.rounds, delta: given.delta, ...result }, () => describePlan(given, result))
  }
})

const show = command({
  command: 'show',
  describe: 'what this site has spent of its epsilon, and whether its privacy ledger holds',
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag }),
  handler: async ({ home, json }) => {
    const paths = sitePaths(home)
    const { id, document } = await readFederation(paths.federation)
    const mechanism = mechanismOf(document)
    if (mechanism == null) {
      print(json, { unit: 'none' }, 'this federation promises no differential privacy: a partner sees each site\'s adapter as it is')
      return
    }
    const { unit, epsilon: allowed, delta, clip, noise: deviation } = mechanism
    const trained = (await MetricsLog.open(paths.metrics)).records.at(-1)?.steps?.trained ?? 0
    const found = await readPrivacyLedger({ folder: paths.privacy, federation: id, trained })
    if ('damaged' in found) {
      print(json, { unit, epsilon: allowed, delta, damaged: found.damaged }, `unit ${unit}, epsilon ${allowed} at delta ${delta}`)
      warn(`the privacy ledger does not hold: ${found.damaged}`)
      process.exitCode = 1
      return
    }
    const { spent, releases, resets } = found.account
    const cost = epsilonOf(spent, delta)
    print(json, { unit, epsilon: allowed, delta, clip, noise: deviation, spent: cost, releases, resets }, () => [
      `unit ${unit}: epsilon ${cost.toPrecision(4)} of ${allowed} is spent at delta ${delta}, by ${releases} releases`,
      `noise ${deviation.toPrecision(4)} times clip ${clip} on every number`,
      ...resets.map((why) => `begun anew because ${why}: what could not be read of the ledger before is missing from what is spent`)
    ].join('\n'))
  }
})

const reset = command({
  command: 'reset',
  describe: 'begin a new privacy ledger where the old one does not hold; what can be read of it counts on',
  builder: (argv) =>
    withFlags(argv, {
      ...homeFlag,
      ...jsonFlag,
      'i-know': {
        type: 'boolean',
        describe: 'what cannot be read of it is spent, and will not be counted: epsilon is no longer a promise',
        default: false
      }
    }),
  handler: async ({ home, json, iKnow }) => {
    if (!iKnow) {
      throw new UsageError('what cannot be read of it would no longer be counted as spent: say --i-know, or restore it from a backup')
    }
    await prepareHome(home)
    const paths = sitePaths(home)
    const { id } = await readFederation(paths.federation)
    await whileAlone(home, warn, async () => {
      const why = await PrivacyLedger.reset({ folder: paths.privacy, federation: id, now: Date.now })
      print(json, { why }, `a new privacy ledger begins (${why}); a copy of the old one is kept beside it`)
    })
  }
})

export const privacyCommand: CommandModule = {
  command: 'privacy',
  describe: 'differential privacy: what it costs, what is spent',
  builder: (argv) => argv.command(plan).command(show).command(reset).demandCommand(1, 'say what to do: privacy plan, show or reset'),
  handler: () => {}
}

const WORDS: Readonly<Record<Verdict, string>> = {
  promising: 'promising: the average may learn nearly as it would without',
  doubtful: 'doubtful: the average learns slowly, if at all; try it before you promise it',
  hopeless: 'hopeless: noise drowns what is learnt'
}

function describePlan ({ unit, rounds, delta, sites, numbers, patients, clip }: Planned, result: Plan): string {
  const { needed, verdict } = result
  const what = unit === 'site' ? 'landing' : 'step'
  const whose = unit === 'site' ? 'a site can be told from one without data' : 'a patient can be told from one who is not there'
  return [
    `unit ${unit}, ${rounds} rounds, ${result.steps} noised ${what}s: epsilon ${short(result.epsilon)} at delta ${delta}, by noise ` +
    `${short(result.noise)} times clip ${clip} on each of ${numbers} numbers`,
    `so ${whose} with odds of ${oddsOf(result.epsilon)} to 1 at most`,
    `noise of a ${what} is ${short(result.noiseOverUpdate)} times as long as the longest that it hides` +
    `${unit === 'site' ? '' : ` with ${patients} patients`}; averaged over ${sites} sites ${short(result.noiseOverUpdateAveraged)} times`,
    `both are alike with ${needed.sites} sites${needed.patients == null ? '' : `, or with ${needed.patients} patients at each`}`,
    WORDS[verdict]
  ].join('\n')
}

function short (value: number): string {
  return value.toPrecision(4)
}

function oddsOf (cost: number): string {
  const odds = Math.exp(cost)
  return odds < 1e6 ? odds.toPrecision(3) : odds.toExponential(0)
}

function mapped<T extends object> (shape: T): { [K in keyof T]: true } {
  return Object.fromEntries(Object.keys(shape).map((key) => [key, true])) as { [K in keyof T]: true }
}
