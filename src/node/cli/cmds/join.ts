import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import type { CommandModule } from 'yargs'
import { InputError, UsageError } from '../../../errors.ts'
import { mergeIntoConfigFile } from '../../config/load.ts'
import { readFederation, writeFederation } from '../../federation/document.ts'
import { readNetworkKey, writeNetworkKey } from '../../federation/network-key.ts'
import { loadOrCreateIdentity } from '../../identity.ts'
import { sitePaths } from '../../paths.ts'
import { readIfThere } from '../../storage/files.ts'
import { withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  'network-key': { type: 'string', describe: 'file with the network key of the federation', demandOption: true },
  bootstrap: { type: 'string', array: true, describe: 'address of a site that is up, e.g. /ip4/10.0.0.5/tcp/4001/p2p/12D3…', default: [] as string[] }
} as const

interface Args { home: string, json: boolean, file: string, networkKey: string, bootstrap: string[] }

export const join: CommandModule<object, Args> = {
  command: 'join <file>',
  describe: 'join the federation of a federation.json',
  builder: (argv) => withFlags(argv.positional('file', { type: 'string', describe: 'federation.json from the founder', demandOption: true }), flags) as never,
  handler: async ({ home, json, file, networkKey, bootstrap }) => {
    const paths = sitePaths(home)
    const joined = await readFederation(file)
    const key = await readNetworkKey(networkKey)
    bootstrap.forEach(requireAddress)
    if (await readIfThere(paths.federation) != null && (await readFederation(paths.federation)).id !== joined.id) {
      throw new InputError(`${home} belongs to another federation: choose another --home`)
    }
    const peerId = peerIdFromPrivateKey(await loadOrCreateIdentity(paths.identity)).toString()
    await writeNetworkKey(paths.networkKey, key)
    await mergeIntoConfigFile(paths.config, { bootstrap })
    await writeFederation(paths.federation, joined.document)
    print(json, { peerId, federation: joined.id, name: joined.document.name }, `${peerId} joined "${joined.document.name}": start it with "consilium start --home ${home} --data PATH"`)
  }
}

function requireAddress (address: string): void {
  try {
    multiaddr(address)
  } catch {
    throw new UsageError(`--bootstrap ${address} is not a multiaddress: it looks like /ip4/10.0.0.5/tcp/4001/p2p/12D3…`)
  }
}
