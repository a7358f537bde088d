import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

/** As in a fresh terminal: the Node of the machine, and nothing of the npm that runs this test. */
function terminal (): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name))
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  return { ...Object.fromEntries(own), PATH: path.join(delimiter) }
}

/** What npm says beside what was asked for. */
async function said (command: string, ...args: string[]): Promise<string> {
  const { stderr } = await run(command, args, { cwd: ROOT, env: terminal() })
  return stderr
}

describe('npm', function () {
  this.timeout(120_000)

  // Not consilium, which npx builds anew at its first use, under the feet of the tests beside this one.
  it('prints no warning before a command', async () => {
    expect(await said('npx', 'tsc', '--version')).not.to.match(/npm (warn|notice)/i)
  })

  // npx would make it so once, and find a later build without.
  it('finds the command executable as it was built', async () => {
    expect((await stat(join(ROOT, 'dist/src/cli/index.js'))).mode & 0o111).to.equal(0o111)
  })

  it('prints no warning before a script', async () => {
    expect(await said('npm', 'run', 'example', '--', '--version')).not.to.match(/npm (warn|notice)/i)
  })

  // --dry-run looks at every package and its engines, and changes nothing.
  it('prints no warning at an installation', async () => {
    expect(await said('npm', 'ci', '--dry-run', '--offline', '--ignore-scripts')).not.to.match(/npm (warn|notice)/i)
  })
})
