import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { CommandModule } from 'yargs'
import { SOFTWARE } from '../../common/software.ts'
import { InputError, UsageError } from '../../errors.ts'
import { federationId, federationName, signFederation, writeFederation, type FederationBody } from '../../federation/document.ts'
import { loadOrCreateIdentity } from '../../federation/identity.ts'
import { createNetworkKey } from '../../federation/membership/network-key.ts'
import { withSettingsFile } from '../../federation/settings.ts'
import { peerIdText } from '../../federation/signed.ts'
import { readIfThere } from '../../home/files.ts'
import { sitePaths } from '../../home/paths.ts'
import { markNewHome } from '../../home/version.ts'
import { defaultAveraging } from '../../settings/averaging.ts'
import { MOST } from '../../settings/schema.ts'
import { withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'
import { prepareHome } from '../prepare-home.ts'
import { rotateKey, show, sign, verify } from './federation-documents.ts'

const createFlags = {
  ...homeFlag,
  ...jsonFlag,
  name: { type: 'string', describe: 'name of the federation', demandOption: true },
  model: { type: 'string', describe: 'base model that all sites start from, as in "model list"', default: 'sam-tiny' },
  'image-size': {
    type: 'number',
    describe: 'side that images are fitted into, a multiple of 16 (default: 128 for sam-tiny, 448 for vit-*)'
  },
  rounds: { type: 'number', describe: 'local rounds of every site', default: 20 },
  seed: { type: 'number', describe: 'seed of the common start and of the splits', default: 1 },
  founder: { type: 'string', array: true, describe: 'peer id of a further founder', default: [] as string[] },
  quorum: { type: 'number', describe: 'how many founders must sign an admission or a revocation', default: 1 },
  settings: {
    type: 'string',
    describe: 'JSON file with what shall differ from the defaults in model, training and averaging (docs/models/sam.md)'
  },
  'cool-down': { type: 'number', describe: 'longest exchange-only time after the last round, in seconds', default: 120 }
} as const

interface CreateArgs {
  home: string
  json: boolean
  name: string
  model: string
  imageSize?: number
  rounds: number
  seed: number
  founder: string[]
  quorum: number
  coolDown: number
  settings?: string
}

const create: CommandModule<object, CreateArgs> = {
  command: 'create',
  describe: 'found a federation: writes federation.json and network.key',
  builder: (argv) => withFlags(argv, createFlags) as never,
  handler: async (args) => {
    const paths = sitePaths(args.home)
    requireBounds(args)
    requireFounders(args)
    if (await readIfThere(paths.federation) != null) {
      throw new InputError(`${paths.federation} exists already: choose another --home, since replacing it would cut this site off`)
    }
    await prepareHome(args.home)
    await markNewHome(args.home)
    const key = await loadOrCreateIdentity(paths.identity)
    const { checkModel, modelSection, trainingSection } = await import('../../site-model/fit-settings.ts')
    const model = await modelSection(paths.models, args.model, args.imageSize)
    const draft: FederationBody = {
      version: 1,
      name: args.name,
      created: new Date().toISOString(),
      software: SOFTWARE,
      founders: [...new Set([peerIdFromPrivateKey(key).toString(), ...args.founder])],
      quorum: args.quorum,
      model,
      training: trainingSection(model, { rounds: args.rounds, seed: args.seed }),
      averaging: defaultAveraging({ coolDownSeconds: args.coolDown })
    }
    const body = args.settings == null ? draft : await withSettingsFile(draft, args.settings)
    checkModel(body.model)
    const document = await signFederation(body, key)
    await createNetworkKey(paths.networkKey)
    await writeFederation(paths.federation, document)
    const result = { id: federationId(document), federation: paths.federation, networkKey: paths.networkKey }
    print(
      args.json,
      result,
      `federation ${result.id}\n${
        args.quorum > 1 ? `have ${args.quorum - 1} more founders sign ${result.federation}, then ` : ''
      }start this site and admit each other one with "consilium invite PEER_ID"`
    )
  }
}

/** Here and not only in the document, where what is wrong has no flag's name. */
function requireBounds ({ name, imageSize = 16, rounds, seed, coolDown }: CreateArgs): void {
  if (!federationName.safeParse(name).success) throw new UsageError(`--name must have 1 to ${MOST.nameCharacters} printable characters`)
  if (!isWhole(imageSize / 16, 1, MOST.imageSize / 16)) {
    throw new UsageError(`--image-size must be a multiple of 16 from 16 to ${MOST.imageSize}`)
  }
  if (!isWhole(rounds, 1, MOST.rounds)) throw new UsageError(`--rounds must be a whole number from 1 to ${MOST.rounds}`)
  if (!isWhole(seed, 0, MOST.seed)) throw new UsageError(`--seed must be a whole number from 0 to ${MOST.seed}`)
  if (!(coolDown > 0 && coolDown <= MOST.coolDownSeconds)) {
    throw new UsageError(`--cool-down must be a number of seconds above 0 and at most ${MOST.coolDownSeconds}`)
  }
}

function isWhole (value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
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
  describe: 'found a federation, sign, show or verify its document, make a new network key',
  builder: (argv) =>
    argv.command(create).command(sign).command(show).command(verify).command(rotateKey).demandCommand(
      1,
      'say what to do: federation create'
    ),
  handler: () => {}
}
