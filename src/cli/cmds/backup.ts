import { restoreBackup, writeBackup } from '../../home/backup.ts'
import { requireCurrentHome } from '../../home/version.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print, warn } from '../output.ts'

export const backup = command({
  command: 'backup <file>',
  describe: 'write all of a stopped site into one file, its keys and private experts too: as secret as the home',
  builder: (argv) =>
    withFlags(argv.positional('file', { type: 'string', describe: 'file to write, .tar.gz', demandOption: true }), {
      ...homeFlag,
      ...jsonFlag
    }),
  handler: async ({ file, home, json }) => {
    await requireCurrentHome(home)
    const made = new Date()
    // Loaded here, as it brings a database.
    const { whileAlone } = await import('../../node/network/peer-book.ts')
    await whileAlone(home, warn, async () => { await writeBackup(home, file, made) })
    print(json, { file, made: made.toISOString() }, `${file}: all of ${home}; keep it where its keys are safe`)
  }
})

export const restore = command({
  command: 'restore <file>',
  describe: 'make a home of what "consilium backup" wrote; the site takes over from the others what it committed since',
  builder: (argv) =>
    withFlags(argv.positional('file', { type: 'string', describe: 'file that "consilium backup" wrote', demandOption: true }), {
      ...homeFlag,
      ...jsonFlag
    }),
  handler: async ({ file, home, json }) => {
    process.umask(0o077)
    const made = await restoreBackup(file, home)
    print(json, { home, made }, `${home} is as it was at ${made}: start it, in this place only. It waits for another site and takes over ` +
      'what it committed since; the ledger of before is kept, and a new one begins')
  }
})
