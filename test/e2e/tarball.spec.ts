import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DATA = join(ROOT, 'samples/colin27/hospital-a')
/** The newest that the package must run on, beside the one that is installed with it. */
const NEWER_NODE = '24.22.3'
const OLDER_NODE = '20.20.2'

const run = promisify(execFile)

/** A user's terminal: the Node of the machine, nothing of this npm's settings, and what is not the npm registry refuses. */
function terminal (home: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|consilium_)/i.test(name))
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => !folder.includes('node_modules'))
  // The only one of our packages that downloads by itself takes its way from this variable, and npm does not.
  const nowhere = { GLOBAL_AGENT_HTTP_PROXY: 'http://127.0.0.1:9', GLOBAL_AGENT_HTTPS_PROXY: 'http://127.0.0.1:9' }
  return { ...Object.fromEntries(own), ...nowhere, PATH: path.join(delimiter), CONSILIUM_HOME: home }
}

describe('the packed package, installed in an empty folder', function () {
  this.timeout(600_000)
  let folder: string
  let app: string
  let env: NodeJS.ProcessEnv

  async function npx (...args: string[]): Promise<string> {
    return (await run('npx', ['--no', '--', 'consilium', ...args], { cwd: app, env })).stdout
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    app = join(folder, 'app')
    env = terminal(join(folder, 'home'))
    await mkdir(app)
    await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'a-hospital', version: '9.9.9', private: true }))
    // The build is there: test:e2e begins with it, and another would replace files that the specs beside this one run.
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: ROOT, env })
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    await run('npm', ['install', '--prefer-offline', join(folder, `consilium-${version}.tgz`)], { cwd: app, env })
  })
  after(async () => { await rm(folder, { recursive: true, force: true }) })

  it('prints its own version, not that of the folder it stands in', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    expect(await npx('--version')).to.equal(`${version}\n`)
  })

  it('runs under the Node that is installed with it where that of the machine is too old', async () => {
    const machine = `node-${process.platform}-${process.arch}`
    const beside = join(folder, 'old')
    await mkdir(beside)
    await writeFile(join(beside, 'package.json'), '{ "private": true }')
    // Not by --prefix, with which npm does not read the settings of the machine.
    await run('npm', ['install', '--prefer-offline', `${machine}@${OLDER_NODE}`], { cwd: beside, env })
    const old = join(beside, 'node_modules', machine, 'bin/node')
    const command = join(app, 'node_modules/consilium/dist/src/cli/index.js')
    expect((await run(old, ['--version'])).stdout).to.equal(`v${OLDER_NODE}\n`)
    const { stdout } = await run(old, [command, 'doctor', '--json', '--home', join(folder, 'none')], { cwd: app, env })
      .catch((error: { stdout: string }) => error)
    expect(stdout).to.match(/"(v?22)\.\d+\.\d+/)
  })

  it('finds its engine, and advises no script that it lacks', async () => {
    const { stdout } = await run('npx', ['--no', '--', 'consilium', 'doctor', '--home', join(folder, 'none')], { cwd: app, env })
      .catch((error: { stdout: string }) => error)
    expect(stdout).to.match(/onnx/)
    expect(stdout.replaceAll(/in a clone of the repository,? (npm run|run npm run)|npm run \S+ in a clone/g, '')).not.to.contain('npm run')
  })

  for (const node of ['22', NEWER_NODE]) {
    it(`trains under Node ${node}`, async () => {
      const home = join(folder, `home-${node}`)
      if (node === NEWER_NODE) {
        const machine = `node-${process.platform}-${process.arch}`
        await run('npm', ['install', '--prefer-offline', '--no-save', `${machine}@${node}`], { cwd: app, env })
      }
      const version = (await run('npx', ['--no', '--', 'node', '--version'], { cwd: app, env })).stdout
      expect(version).to.match(new RegExp(`^v${node}`))
      await npx('federation', 'create', '--home', home, '--name', 'Packed', '--rounds', '1')
      const said = await npx('start', '--home', home, '--data', DATA, '--alone', '--log-level', 'silent')
      expect(said).to.match(/1 round/)
    })
  }
})
