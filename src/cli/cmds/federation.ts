import type { CommandModule } from 'yargs'
import { UsageError } from '../../errors.ts'
import { federationName, MOST_NAME_CHARACTERS } from '../../federation/document.ts'
import { peerIdText } from '../../federation/signed.ts'
import { sitePaths } from '../../home/paths.ts'
import { shortDigest } from '../../home/start-adapter.ts'
import { averaging } from '../../settings/averaging.ts'
import { PRESET_NAMES } from '../../settings/methods/index.ts'
import { model } from '../../settings/model.ts'
import { training } from '../../settings/training.ts'
import { createFederation } from '../../site-model/create-federation.ts'
import { requireAddresses } from '../addresses.ts'
import { command, withFlags, type Args } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'
import { prepareHome } from '../prepare-home.ts'
import { flagOf, flagWithDefault, requireWithin } from '../setting-flags.ts'
import { agree, amend } from './amendments.ts'
import { rotateKey, show, sign, verify } from './federation-documents.ts'

const BOUNDED = {
  imageSize: model.shape.imageSize,
  rounds: training.shape.rounds,
  seed: training.shape.seed,
  coolDown: averaging.shape.coolDown.shape.seconds
}

const createFlags = {
  ...homeFlag,
  ...jsonFlag,
  name: { type: 'string', describe: 'name of the federation', demandOption: true },
  model: { type: 'string', describe: 'base model that all sites start from, as in "model list"', default: 'sam-tiny' },
  'image-size': flagOf(BOUNDED.imageSize),
  rounds: flagWithDefault(BOUNDED.rounds),
  seed: flagWithDefault(BOUNDED.seed),
  founder: { type: 'string', array: true, describe: 'peer id of a further founder', default: [] as string[] },
  quorum: { type: 'number', describe: 'how many founders must sign an admission or a revocation', default: 1 },
  hint: {
    type: 'string',
    array: true,
    describe: 'address of a site, a relay best, that the document names for all others, such as /ip4/10.0.0.5/tcp/4001/p2p/12D3…',
    default: [] as string[]
  },
  method: { choices: PRESET_NAMES, describe: 'method that all sites train by (docs/reference/methods.md)', default: PRESET_NAMES[0] },
  settings: {
    type: 'string',
    describe: 'JSON file with what shall differ from the method in model, training and averaging (docs/models/sam.md)'
  },
  labels: {
    type: 'string',
    describe: 'JSON file of the classes in masks: a list of { value, name }, or a dataset.json (default: one class, everything above 0)'
  },
  from: {
    type: 'string',
    describe: 'adapter that all sites start from: a file of "consilium export", or the home of a site of another federation'
  },
  'cool-down': flagWithDefault(BOUNDED.coolDown)
} as const

type CreateArgs = Args<typeof createFlags>

const create = command({
  command: 'create',
  describe: 'found a federation: writes federation.json and network.key',
  builder: (argv) => withFlags(argv, createFlags),
  handler: async (args) => {
    requireBounds(args)
    requireFounders(args)
    requireAddresses(args.hint, '--hint')
    await prepareHome(args.home)
    const { id, document } = await createFederation({
      home: args.home,
      name: args.name,
      rounds: args.rounds,
      model: args.model,
      seed: args.seed,
      coolDownSeconds: args.coolDown,
      founders: args.founder,
      quorum: args.quorum,
      hints: args.hint,
      method: args.method,
      ...(args.imageSize == null ? {} : { imageSize: args.imageSize }),
      ...(args.settings == null ? {} : { settings: args.settings }),
      ...(args.labels == null ? {} : { labels: args.labels }),
      ...(args.from == null ? {} : { from: args.from })
    })
    const { federation: file, networkKey, startAdapter } = sitePaths(args.home)
    const signing = args.quorum > 1 ? `have ${args.quorum - 1} more founders sign ${file}, then ` : ''
    const advice = args.founder.length > 0 ? undefined : ONE_FOUNDER
    const result = { id, federation: file, networkKey, ...(advice == null ? {} : { advice }) }
    print(
      args.json,
      result,
      [
        `federation ${result.id}`,
        ...(document.start == null
          ? []
          : [`it starts from the adapter ${shortDigest(document.start.adapter)}: give ${startAdapter} to every site`]),
        `${signing}start this site and admit each other one with "consilium invite PEER_ID"`,
        ...(advice == null ? [] : [advice])
      ].join('\n')
    )
  }
})

const ONE_FOUNDER = 'this site is the only founder: if its key is lost, nobody can invite, renew or revoke any more; name a second ' +
  'founder with --founder PEER_ID before others join, and keep a copy of this home\'s identity.key and network.key in a safe place'

/** Here and not only in the document, where what is wrong has no flag's name. */
function requireBounds (args: CreateArgs): void {
  if (!federationName.safeParse(args.name).success) {
    throw new UsageError(`--name must have 1 to ${MOST_NAME_CHARACTERS} printable characters`)
  }
  requireWithin(BOUNDED, args)
}

function requireFounders ({ founder, quorum }: CreateArgs): void {
  const wrong = founder.find((each) => !peerIdText.safeParse(each).success)
  if (wrong != null) throw new UsageError(`--founder ${wrong} is not a peer id: "consilium init" at that site prints it (12D3KooW…)`)
  if (founder.length > 63) throw new UsageError('--founder can be given 63 times at most')
  if (!Number.isInteger(quorum) || quorum < 1 || quorum > founder.length + 1) {
    throw new UsageError('--quorum must be a whole number from 1 to the number of founders')
  }
}

export const federation: CommandModule = {
  command: 'federation',
  describe: 'found a federation, sign, show, verify or amend its document, make a new network key',
  builder: (argv) =>
    argv.command(create).command(sign).command(show).command(verify).command(amend).command(agree).command(rotateKey).demandCommand(
      1,
      'say what to do: federation create'
    ),
  handler: () => {}
}
