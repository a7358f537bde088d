import Table from 'cli-table3'
import { readNewestFederation } from '../../federation/amendments/amendments.ts'
import { scoreMatrices, type ScoreMatrix } from '../../federation/cross-scores/matrix.ts'
import { leaveRow, ScoreBook } from '../../federation/cross-scores/score-book.ts'
import { LEAST_PATIENTS, signRow, type Score } from '../../federation/cross-scores/score-row.ts'
import { whyUntold } from '../../federation/cross-scores/why-untold.ts'
import { loadIdentity, readPeerId } from '../../federation/identity.ts'
import { readCredential, readStatements } from '../../federation/membership/files.ts'
import { Standing } from '../../federation/membership/statements.ts'
import { loadConfig } from '../../home/config/load.ts'
import { sitePaths } from '../../home/paths.ts'
import { readPolicy } from '../../home/policy.ts'
import { parseRound } from '../../home/round-adapter.ts'
import { shortDigest } from '../../home/start-adapter.ts'
import { requireKnownHome } from '../../home/version.ts'
import { engine } from '../../settings/site/compute.ts'
import { identity } from '../../settings/site/identity.ts'
import type { CrossScore } from '../../site-model/cross-evaluate.ts'
import { dataFolder } from '../data-folder.ts'
import { command, withFlags, type Args } from '../flags.ts'
import { homeFlag, jsonFlag, print, roundFlag, warn } from '../output.ts'
import { prepareHome } from '../prepare-home.ts'
import { flagOf, flagsOf, settingsIn } from '../setting-flags.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  ...roundFlag,
  ...flagsOf(engine),
  adapter: {
    type: 'string',
    array: true,
    describe: 'file that "consilium export" wrote at another site, instead of this site\'s own adapter',
    default: [] as string[]
  },
  data: { ...flagOf(identity.shape.data), describe: 'folder with images and masks; by default what this site trained on last' },
  show: { type: 'boolean', describe: 'print what all sites have told, and score nothing', default: false }
} as const

export const crossEvaluateCommand = command({
  command: 'cross-evaluate',
  describe: 'score global models on the validation images of this site, tell all sites where policy.json says so, and print the matrix',
  builder: (argv) => withFlags(argv, flags),
  handler: async (args) => {
    const { home, json, show } = args
    if (show) await requireKnownHome(home)
    else await prepareHome(home)
    const scores = show ? [] : await score(args)
    const told = show ? false : await tell(home, scores)
    const matrices = await matricesOf(home)
    const lines = scores.map((each) => describeScore(each, told))
    const result = show ? { matrices } : { scores, told, matrices }
    print(json, result, () => [...lines, ...matrices.map(describeMatrix), ...empty(matrices)].join('\n'))
  }
})

async function score (args: Args<typeof flags>): Promise<CrossScore[]> {
  const { home, adapter: files, data: given } = args
  const data = given ?? (await loadConfig(sitePaths(home).config, {})).data
  const { crossEvaluate } = await import('../../site-model/cross-evaluate.ts')
  return await crossEvaluate({
    home,
    data: data == null ? undefined : await dataFolder(data, home),
    files,
    round: parseRound(args.round),
    compute: settingsIn(engine, args)
  })
}

/** Whether anything is left for the daemon to tell. */
async function tell (home: string, scores: readonly CrossScore[]): Promise<boolean> {
  const paths = sitePaths(home)
  const { id: federation, document } = await readNewestFederation(paths)
  const enough = scores.filter(({ dice }) => Object.keys(dice).length > 0)
  if (enough.length < scores.length) {
    warn(`of fewer than ${LEAST_PATIENTS} patients nothing is said: their scores could be told apart`)
  }
  const why = whyUntold(document, await readPolicy(paths.policy))
  if (why != null) {
    warn(`nothing is told to others: ${why}`)
    return false
  }
  const [key, site] = [await loadIdentity(paths.identity), await readPeerId(paths.identity)]
  const credential = await readCredential(paths.certificate)
  const made = new Date().toISOString()
  for (const each of enough) await leaveRow(paths, await signRow({ federation, site, made, ...each, credential }, key))
  return enough.length > 0
}

async function matricesOf (home: string): Promise<ScoreMatrix[]> {
  const paths = sitePaths(home)
  const federation = await readNewestFederation(paths)
  const standing = new Standing(federation)
  await readStatements(paths.statements, standing)
  return scoreMatrices(await ScoreBook.read(paths, federation), federation.document.founders, standing)
}

function describeScore ({ adapter, round, own, dice }: CrossScore, told: boolean): string {
  const classes = Object.entries(dice).map(([name, each]) => `${name} ${figure(each)}, ${each.patients} patients`)
  const whose = own ? 'own adapter' : 'adapter'
  return `${whose} ${shortDigest(adapter)} of round ${round}: ${classes.length === 0 ? 'nothing to say' : classes.join('; ')}${
    told ? ', told to all sites' : ''}`
}

function describeMatrix ({ class: name, sites, adapters, cells }: ScoreMatrix): string {
  const head = adapters.map(({ adapter, round, of }) => `${of?.name ?? shortDigest(adapter)}, round ${round}`)
  const rows = new Table({ head: ['images of', ...head], style: { head: [], border: [] } })
  sites.forEach((site, i) => {
    const figures = cells[i]!.map((each) => each == null ? '–' : `${figure(each)}, n ${each.patients}`)
    rows.push([site.name, ...figures])
  })
  return [`Dice of ${name}, mean over patients (95 % interval); columns are whose global adapter:`, rows.toString()].join('\n')
}

function empty (matrices: readonly ScoreMatrix[]): string[] {
  return matrices.length === 0 ? ['no site has told any score yet'] : []
}

function figure ({ mean, low, high }: Score): string {
  return `${mean.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`
}
