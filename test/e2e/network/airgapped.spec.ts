import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, mkdtemp, open, readdir, readFile, readlink, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { archive } from '../../../scripts/airgapped/archive.ts'
import { stage, type Staged } from '../../../scripts/airgapped/stage.ts'
import type { Summary } from '../../../src/node/summary.ts'
import { ROOT } from '../../unit/documents/markdown.ts'

const run = promisify(execFile)
const MACHINE = { platform: process.platform, arch: process.arch }
const DATE = new Date(Date.UTC(2020, 0))
const IMAGES = 12
const NOBODY = 65_534

/** Words before a command that runs where there is no network but loopback, as a user who is not root here. */
const OFFLINE = process.getuid?.() === 0
  ? ['--net', '--', 'sh', '-c', `ip link set lo up && exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups "$@"`, 'sh']
  : ['--user', '--map-root-user', '--net', '--', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']

/** What two people type, in the folder of the test; in this network nobody else has the port. */
const TWO_SITES = `
set -eu
test "$(ip -o link show | wc -l)" -eq 1
$CONSILIUM federation create --home north --name Airgapped --rounds 2
$CONSILIUM invite --home north "$($CONSILIUM init --home south)" --name South --bootstrap /ip4/127.0.0.1/tcp/4001 > invitation
$CONSILIUM join --home south invitation
$CONSILIUM start --home north --data data-north --listen /ip4/127.0.0.1/tcp/4001 --log-level warn & north=$!
$CONSILIUM start --home south --data data-south --listen /ip4/127.0.0.1/tcp/0 --log-level warn & south=$!
wait $north
wait $south
`

/** Modules that begin to work as they are loaded. */
const MAINS = /(cli\/index|\/main|-worker)\.js$/

describe('the archive for machines without network', function () {
  this.timeout(0)
  let folder: string
  let staging: string
  let staged: Staged
  let unpacked: string
  let prefix: string

  before(async function () {
    if (spawnSync('unshare', [...OFFLINE, 'true']).status !== 0) {
      console.log('      skipped: no namespace without network can be made here (unshare, ip, setpriv)')
      this.skip()
    }
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    await mkdir(join(ROOT, 'out'), { recursive: true })
    staging = await mkdtemp(join(ROOT, 'out/airgapped-'))
    staged = await stage(ROOT, staging, MACHINE, DATE)
    const file = join(folder, 'archive.tar.gz')
    await archive(staging, staged.files.map((each) => `${staged.name}/${each}`), file, DATE, 1)
    unpacked = join(folder, staged.name)
    prefix = join(folder, 'opt')
    await run('tar', ['-xzf', file, '-C', folder])
    await rm(file)
    await run('chown', ['-R', `${process.getuid?.() === 0 ? NOBODY : process.getuid?.()}`, folder])
  })
  after(async () => {
    for (const each of [folder, staging]) if (each != null) await rm(each, { recursive: true, force: true })
  })

  /** With the network off, as another user; an end that never comes is that of the whole group. */
  async function offline (...words: string[]): Promise<{ status: number | null, stdout: string, stderr: string }> {
    const PATH = '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'
    const env = { PATH, HOME: folder, CONSILIUM: `${prefix}/bin/consilium`, CONSILIUM_THREADS: '1' }
    const child = spawn('unshare', [...OFFLINE, ...words], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    const out = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk: Buffer) => { out.stdout += chunk.toString() })
    child.stderr.on('data', (chunk: Buffer) => { out.stderr += chunk.toString() })
    const [status] = await once(child, 'close') as [number | null]
    return { status, ...out }
  }

  const install = async (...flags: string[]): ReturnType<typeof offline> =>
    await offline('sh', join(unpacked, 'install.sh'), '--prefix', prefix, ...flags)

  async function flip (file: string): Promise<void> {
    const handle = await open(file, 'r+')
    const byte = Buffer.alloc(1)
    await handle.read(byte, 0, 1, 100)
    await handle.write(Buffer.from([byte[0]! ^ 1]), 0, 1, 100)
    await handle.close()
  }

  it('is the same however often it is packed', async () => {
    const sums = await readFile(join(staging, staged.name, 'SHA256SUMS'), 'utf8')
    const again = await mkdtemp(join(ROOT, 'out/airgapped-'))
    try {
      await stage(ROOT, again, MACHINE, DATE)
      expect(await readFile(join(again, staged.name, 'SHA256SUMS'), 'utf8') === sums).to.equal(true)
    } finally {
      await rm(again, { recursive: true })
    }
    // A few of the files, listed in another order, with other times and permissions.
    const few = ['SHA256SUMS', 'install.sh', 'app/package.json'].map((each) => `${staged.name}/${each}`)
    const [a, b] = [join(staging, 'a.tar.gz'), join(staging, 'b.tar.gz')]
    await archive(staging, few, a, DATE)
    const other = join(staging, 'other')
    for (const each of few) {
      await mkdir(join(other, each, '..'), { recursive: true })
      await copyFile(join(staging, each), join(other, each))
      await chmod(join(other, each), each.endsWith('.sh') ? 0o700 : 0o600)
    }
    await archive(other, few.toReversed(), b, DATE)
    expect((await readFile(a)).equals(await readFile(b))).to.equal(true)
  })

  it('lists what is in it, with licences, and has no tool of the developers', async () => {
    const { components } = JSON.parse(await readFile(join(unpacked, 'sbom.cdx.json'), 'utf8')) as {
      components: { name: string, version: string }[]
    }
    const listed = new Set(components.map(({ name, version }) => `${name}@${version}`))
    const there = await Promise.all(staged.files.filter((file) => /node_modules\/(@[^/]+\/)?[^@/][^/]*\/package\.json$/.test(file))
      .map(async (file) => JSON.parse(await readFile(join(unpacked, file), 'utf8')) as { name: string, version: string }))
    expect(there).to.have.length.above(150)
    // Its libraries lie in build/onnxruntime, and the project's own notice has its licence.
    const engine = [...listed].find((each) => each.startsWith('onnxruntime-node@'))!
    const packages = new Set([...there.map(({ name, version }) => `${name}@${version}`), engine])
    expect([...listed].sort()).to.deep.equal([...packages].sort())
    const notice = await readFile(join(unpacked, 'NOTICE'), 'utf8')
    const named = (each: string): boolean => notice.includes(`\n${each.replace(/@(?=[^@]+$)/, ' ')}: `)
    expect([...packages].filter((each) => !named(each))).to.deep.equal([engine])
    expect([...listed].filter((each) => /^(typescript|eslint|mocha|esbuild|tsx|@types\/)/.test(each))).to.deep.equal([])
    expect(staged.files.filter((file) => /\.(map|d\.ts)$|[/-](win32|darwin|arm)[/-]/.test(file))).to.deep.equal([])
  })

  it('refuses what is damaged, missing or added, in one sentence, and installs nothing', async () => {
    const asset = join(unpacked, 'app/assets/sam-tiny.safetensors')
    const sentence = 'app/assets/sam-tiny.safetensors is not as it was packed, and nothing was installed: copy the archive again and ' +
      'unpack it into an empty folder\n'
    await flip(asset)
    expect(await install()).to.deep.equal({ status: 1, stdout: '', stderr: `install.sh: ${sentence}` })
    await flip(asset)
    const added = join(unpacked, 'app/dist/src/added.js')
    await writeFile(added, '')
    expect((await install()).stderr).to.contain(' a file that SHA256SUMS does not name is not as it was packed')
    await unlink(added)
    const license = await readFile(join(unpacked, 'LICENSE'))
    await unlink(join(unpacked, 'LICENSE'))
    const { status, stderr } = await install()
    expect([status, stderr]).to.deep.equal([1, `install.sh: ${sentence.replace('app/assets/sam-tiny.safetensors', 'LICENSE')}`])
    await writeFile(join(unpacked, 'LICENSE'), license)
    expect(await readdir(folder)).not.to.include('opt')
  })

  it('installs over an earlier version, again, and over a damaged one; the unit names the program', async () => {
    const lib = join(prefix, 'lib/consilium')
    await offline('mkdir', '-p', join(lib, '0.0.1'))
    await symlink('0.0.1', join(lib, 'current'))
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    const first = await install()
    expect(first, first.stderr).to.include({ status: 0, stderr: '' })
    expect(first.stdout).to.contain(`${lib}/0.0.1 stays for a daemon`)
    expect(await readlink(join(lib, 'current'))).to.equal(version)
    await rm(join(lib, '0.0.1'), { recursive: true })
    await flip(join(lib, version, 'app/dist/src/index.js'))
    expect((await install()).stdout).not.to.contain('is there already')
    const units = join(folder, 'units')
    const again = await install('--systemd', units)
    expect(again, again.stderr).to.include({ status: 0, stderr: '' })
    expect(again.stdout).to.contain(`${lib}/${version} is there already`)
    expect(await readFile(join(units, 'consilium.service'), 'utf8')).to.contain(`ExecStart=${prefix}/bin/consilium start`)
    expect((await readdir(lib)).sort()).to.deep.equal([version, 'current'])
    expect((await offline(join(prefix, 'bin/consilium'), '--version')).stdout).to.equal(`${version}\n`)
    await rm(unpacked, { recursive: true })
  })

  it('lacks nothing that a module of the program loads', async () => {
    const app = join(prefix, 'lib/consilium/current/app')
    const modules = staged.files.filter((file) => /^app\/dist\/src\/.*\.js$/.test(file) && !MAINS.test(file)).map((file) => file.slice(4))
    const { dependencies } = JSON.parse(await readFile(join(app, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
    const script = `for (const each of ${JSON.stringify([...modules.map((file) => `./${file}`), ...Object.keys(dependencies)])}) {
      await import(each).catch((error) => {
        // One that has parts alone.
        if (error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') console.log(each + ': ' + error.message)
      })
    }
    process.exit()`
    await writeFile(join(app, 'load.mjs'), script)
    const node = join(app, `node_modules/node-linux-${process.arch}/bin/node`)
    const { stdout, stderr } = await offline(node, '--no-warnings', join(app, 'load.mjs'))
    expect(stdout + stderr).to.equal('')
    await rm(join(app, 'load.mjs'))
  })

  it('trains: two sites found a federation and average over two rounds', async () => {
    for (const [site, hospital] of [['north', 'hospital-a'], ['south', 'hospital-d']] as const) {
      const from = join(prefix, 'lib/consilium/current/app/samples/colin27', hospital)
      const names = (await readdir(join(from, 'images'))).sort().filter((_, i, all) => i % Math.floor(all.length / IMAGES) === 0)
      for (const kind of ['images', 'masks']) {
        await mkdir(join(folder, `data-${site}`, kind), { recursive: true })
        for (const name of names) await copyFile(join(from, kind, name), join(folder, `data-${site}`, kind, name))
      }
    }
    const { status, stdout, stderr } = await offline('sh', '-c', TWO_SITES)
    expect(status, stderr + stdout).to.equal(0)
    const [north, south] = await Promise.all(['north', 'south'].map(async (site) =>
      JSON.parse(await readFile(join(folder, site, 'summary.json'), 'utf8')) as Summary))
    expect(north!.federation).to.equal(south!.federation)
    for (const summary of [north!, south!]) {
      expect(summary).to.include({ rounds: 2, inDoubt: 0 })
      expect(Math.min(...summary.exchangesByRound), summary.exchangesByRound.join()).to.be.at.least(1)
      expect(summary.dice?.personal).to.be.within(0, 1)
    }
  })
})
