import { InputError } from '../../errors.ts'
import { loadConfig } from '../../home/config/load.ts'
import { sitePaths } from '../../home/paths.ts'
import { readToken } from '../../home/token.ts'
import { requireKnownHome } from '../../home/version.ts'
import { engine } from '../../settings/site/compute.ts'
import { identity } from '../../settings/site/identity.ts'
import { answerUntilStopped, requirePort } from '../answering.ts'
import { dataFolder } from '../data-folder.ts'
import { command, withFlags } from '../flags.ts'
import { homeFlag, jsonFlag, print } from '../output.ts'
import { flagOf, flagsOf, settingsIn } from '../setting-flags.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  data: flagOf(identity.shape.data),
  ...flagsOf(engine),
  mode: { choices: ['personal', 'global', 'frozen'], describe: 'which model', default: 'personal' },
  port: { type: 'number', describe: 'port to listen on, 0 for any that is free', default: 8000 },
  listen: { type: 'string', describe: 'address to listen on; any but one of this machine alone needs --token-file', default: '127.0.0.1' },
  'token-file': { type: 'string', describe: 'file with a token of 24 characters or more, which every request must bring' },
  origin: { type: 'string', array: true, describe: 'origin of a web page that may ask from a browser, such as https://ohif.hospital' }
} as const

export const serve = command({
  command: 'serve',
  describe: "answer 3D Slicer and OHIF as MONAI Label's server does, and keep what is corrected there",
  builder: (argv) => withFlags(argv, flags),
  handler: async (args) => {
    const { home, json, mode, port, listen, origin: origins = [] } = args
    process.umask(0o077)
    await requireKnownHome(home)
    const token = await readToken(args.tokenFile)
    const config = await loadConfig(sitePaths(home).config, settingsIn(identity.pick({ data: true }), args))
    if (config.data == null) throw new InputError('no data folder is set: give --data PATH')
    requirePort(port)
    const { ViewerServer } = await import('../../viewer/server.ts')
    const compute = settingsIn(engine, args)
    const data = await dataFolder(config.data, home)
    const { withoutLabels } = config
    const server = await ViewerServer.start({ home, data, withoutLabels, mode, compute, port, listen, token, origins })
    print(json, { url: server.url }, `listening on ${server.url}: docs/viewer.md says how 3D Slicer and OHIF find it; Ctrl-C ends it`)
    await answerUntilStopped(server)
  }
})
