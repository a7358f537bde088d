/**
 * One site in a namespace of its own, with the fake trainer where manners are its data; it writes what its control port would say, which
 * nobody outside reaches.
 */
import { rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../src/home/config/load.ts'
import { fetchControl } from '../../src/node/control/client.ts'
import { Daemon } from '../../src/node/daemon.ts'
import { sitePaths } from '../../src/home/paths.ts'
import { createLogger } from '../../src/rounds/logger.ts'

const FAKE = fileURLToPath(new URL('../fixtures/trainer/fake-trainer.js', import.meta.url))
const [home = '', settings = '{}', data = '{}', report = ''] = process.argv.slice(2)
const config = await loadConfig(sitePaths(home).config, JSON.parse(settings) as Record<string, unknown>)
const daemon = new Daemon({
  home,
  config: { ...config, data },
  alone: false,
  logger: createLogger(config.logLevel),
  ...(data.startsWith('{') ? { trainerEntry: FAKE } : {})
})
process.on('SIGTERM', () => { daemon.requestStop() })
let isWriting = false
const timer = setInterval(() => {
  if (isWriting) return
  isWriting = true
  Promise.all([fetchControl(home, '/status'), fetchControl(home, '/peers')])
    .then(async ([status, peers]) => {
      await writeFile(`${report}.new`, JSON.stringify({ status, peers }))
      await rename(`${report}.new`, report)
    })
    .catch(() => { /* not up yet */ })
    .finally(() => { isWriting = false })
}, 500)
await daemon.run().finally(() => { clearInterval(timer) })
