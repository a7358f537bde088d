import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { install, type InstallInit } from '../../../scripts/setup-tensorflow/install.ts'
import { findInstalled } from '../../../scripts/setup-tensorflow/installed.ts'
import { missingPrerequisites, requireSpace } from '../../../scripts/setup-tensorflow/prerequisites.ts'
import { openWheel } from '../../../scripts/setup-tensorflow/wheel.ts'

const wheel = (name: string): string => fileURLToPath(new URL(`../../fixtures/wheels/${name}.whl`, import.meta.url))
const failure = async (promise: Promise<unknown>): Promise<string> =>
  await promise.then(() => 'no error', (error: unknown) => (error as Error).message)

/** Two sources that compile without TensorFlow, or need its header. */
function sources (text: string): InstallInit['fetchPackages'] {
  return async ({ tfjs, headers }) => {
    await mkdir(join(tfjs, 'binding'), { recursive: true })
    await mkdir(join(headers, 'include'), { recursive: true })
    for (const name of ['tfjs_backend.cc', 'tfjs_binding.cc']) await writeFile(join(tfjs, 'binding', name), text)
  }
}

describe('setup-tensorflow', function () {
  this.timeout(30_000)
  let folder: string
  let out: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    out = join(folder, 'tensorflow')
    await mkdir(join(out, 'node_modules'), { recursive: true })
    await writeFile(join(out, 'node_modules/old'), 'the installation before')
  })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  async function attempt (name: string, over: Partial<InstallInit> = {}): Promise<string> {
    return await failure(
      install({
        source: await openWheel(wheel(name)),
        folder: out,
        compiler: 'g++',
        fetchPackages: sources('#include "tensorflow/c/c_api.h"\n'),
        probe: async () => 'it is a fake',
        say: () => {},
        ...over
      })
    )
  }

  async function expectUndone (): Promise<void> {
    expect(await readdir(folder)).to.deep.equal(['tensorflow'])
    expect(await readFile(join(out, 'node_modules/old'), 'utf8')).to.equal('the installation before')
  }

  it('a build that fails leaves everything as it was', async () => {
    expect(await attempt('fake')).to.match(/^g\+\+ could not build the binding \(.*this wheel is a fake.*\): this TensorFlow does not fit/)
    await expectUndone()
  })

  it('a registry that does not answer leaves everything as it was', async () => {
    expect(await attempt('fake', { fetchPackages: async () => { throw new Error('no registry') } })).to.equal('no registry')
    await expectUndone()
  })

  it('a library with another SHA-256 than the wheel states is refused', async () => {
    expect(await attempt('altered')).to.match(/^tensorflow\/libtensorflow_framework.so.2 in the wheel does not have the SHA-256/)
    await expectUndone()
  })

  it('a folder with other things in it is not touched', async () => {
    await writeFile(join(out, 'thesis.tex'), '')
    expect(await attempt('fake')).to.equal(`${out} has other things in it (thesis.tex, …): name a folder of its own`)
    expect(await readdir(out)).to.include('thesis.tex')
  })

  it('says what is no wheel of TensorFlow', async () => {
    expect(await failure(openWheel(wheel('other')))).to.match(
      /other\.whl has no libtensorflow_cc\.so\.2 with its headers: use a Linux wheel/
    )
    expect(await failure(openWheel(import.meta.filename))).to.match(/is not a wheel \(.*\): download one with pip download/)
    expect(await failure(openWheel('/nowhere.whl'))).to.match(/^\/nowhere\.whl is not a wheel \(ENOENT/)
  })

  it('says what is no Python with TensorFlow', async () => {
    expect(await failure(findInstalled('/nowhere/python'))).to.match(/^\/nowhere\/python cannot be run .*: give the path of a Python 3/)
    expect(await failure(findInstalled('true'))).to.match(/^true has no TensorFlow: install/)
  })

  it('names everything that is missing before it starts', async () => {
    expect(await missingPrerequisites({ compiler: 'g++' })).to.deep.equal([])
    const missing = await missingPrerequisites({ compiler: 'no-such-compiler', platform: 'plan9' })
    expect(missing).to.have.length(2)
    expect(missing[0]).to.contain('Linux only')
    expect(missing[1]).to.contain('no-such-compiler does not run: install g++')
    expect(await failure(requireSpace(folder, 1e18))).to.match(/MB free and 1000000000000 MB are needed: free some/)
  })
})
