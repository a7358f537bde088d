import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { CommandModule } from 'yargs'
import { loadIdentity, loadOrCreateIdentity } from '../../identity.ts'
import { sitePaths } from '../../paths.ts'
import { withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'

interface Args { home: string, json: boolean }

export const init: CommandModule<object, Args> = {
  command: 'init',
  describe: 'make this site\'s key and print its peer id',
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag }),
  handler: async ({ home, json }) => {
    const peerId = peerIdFromPrivateKey(await loadOrCreateIdentity(sitePaths(home).identity)).toString()
    print(json, { peerId, home }, peerId)
  }
}

export const id: CommandModule<object, Args> = {
  command: 'id',
  describe: 'print this site\'s peer id',
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag }),
  handler: async ({ home, json }) => {
    const peerId = peerIdFromPrivateKey(await loadIdentity(sitePaths(home).identity)).toString()
    print(json, { peerId }, peerId)
  }
}
