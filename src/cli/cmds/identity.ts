import { InputError } from '../../errors.ts'
import { createIdentity } from '../../federation/create-identity.ts'
import { isProtected, loadIdentity, readPeerId, writeIdentity } from '../../federation/identity.ts'
import { rotateIdentity } from '../../federation/membership/rotate-identity.ts'
import { askPassphrase, givenPassphrase, requireStrong } from '../../federation/passphrase.ts'
import { readIfThere } from '../../home/files.ts'
import { sitePaths } from '../../home/paths.ts'
import { requireKnownHome } from '../../home/version.ts'
import { fetchControl } from '../../node/control/client.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print, warn } from '../output.ts'
import { prepareHome } from '../prepare-home.ts'

const NEW_PASSPHRASE = 'CONSILIUM_NEW_PASSPHRASE'

export const init = command({
  command: 'init',
  describe: 'make this site\'s key and print its peer id; CONSILIUM_PASSPHRASE protects it',
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag }),
  handler: async ({ home, json }) => {
    const { identity } = sitePaths(home)
    await prepareHome(home)
    const existed = await readIfThere(identity) != null
    const given = givenPassphrase()
    if (!existed && given != null) requireStrong(given)
    const peerId = await createIdentity(home)
    if (existed) warn(`${identity} was there already and is kept: for another site choose another --home`)
    print(json, { peerId, home, existed }, peerId)
  }
})

const rotate = command({
  command: 'rotate',
  describe: 'give this site another key; the old one hands over its certificate',
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag }),
  handler: async ({ home, json }) => {
    await requireStopped(home)
    await prepareHome(home)
    const paths = sitePaths(home)
    const passphrase = await isProtected(paths.identity) ? await askPassphrase('passphrase of the key') : givenPassphrase()
    const { from, to } = await rotateIdentity(paths, { now: Date.now(), passphrase })
    print(json, { from, to }, `${to} takes the place of ${from}: start the site, and the others learn it`)
  }
})

const protect = command({
  command: 'protect',
  describe: `put a passphrase on this site's key (asked for, or ${NEW_PASSPHRASE})`,
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag }),
  handler: async ({ home, json }) => {
    const { identity } = sitePaths(home)
    await prepareHome(home)
    const key = await loadIdentity(identity)
    const passphrase = await askPassphrase('new passphrase', NEW_PASSPHRASE)
    requireStrong(passphrase)
    if (process.env[NEW_PASSPHRASE] == null && passphrase !== await askPassphrase('new passphrase again', NEW_PASSPHRASE)) {
      throw new InputError('the two passphrases differ: nothing was changed')
    }
    await writeIdentity(identity, key, passphrase)
    print(
      json,
      { peerId: await readPeerId(identity), protected: true },
      'the key is protected: from now on commands that need it ask for the passphrase, or read CONSILIUM_PASSPHRASE'
    )
  }
})

export const id = command({
  command: 'id',
  describe: 'print this site\'s peer id; id rotate, id protect',
  builder: (argv) => withFlags(argv, { ...homeFlag, ...jsonFlag }).command(rotate).command(protect),
  handler: async ({ home, json }) => {
    await requireKnownHome(home)
    const peerId = await readPeerId(sitePaths(home).identity)
    print(json, { peerId }, peerId)
  }
})

async function requireStopped (home: string): Promise<void> {
  const runs = await fetchControl(home, '/status').then(() => true, () => false)
  if (runs) throw new InputError(`a daemon is running in ${home}: stop it first`)
}
