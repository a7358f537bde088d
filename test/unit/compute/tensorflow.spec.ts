import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { probeTensorflow } from '../../../src/compute/choice.ts'
import { createEngine } from '../../../src/compute/index.ts'
import { findTensorflow, tensorflowFolder } from '../../../src/compute/tensorflow-location.ts'

describe('the engine tensorflow where it is absent or broken', () => {
  let folder: string
  let root: string
  const before_ = process.env['CONSILIUM_TENSORFLOW']
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    root = join(folder, 'node_modules/@tensorflow/tfjs-node')
    process.env['CONSILIUM_TENSORFLOW'] = folder
  })
  afterEach(async () => {
    if (before_ === undefined) delete process.env['CONSILIUM_TENSORFLOW']
    else process.env['CONSILIUM_TENSORFLOW'] = before_
    await rm(folder, { recursive: true })
  })

  async function failure (): Promise<string> {
    const error = await createEngine({ name: 'tensorflow' }).then(() => undefined, (each: unknown) => each)
    expect(error).to.be.an('error').with.property('name', 'InputError')
    return (error as Error).message
  }

  /** A package whose native part is text. */
  async function breakIt (): Promise<void> {
    await mkdir(join(root, 'lib/napi-v8'), { recursive: true })
    await mkdir(join(root, 'dist'))
    await writeFile(join(root, 'package.json'), '{"name":"@tensorflow/tfjs-node"}')
    await writeFile(join(root, 'dist/nodejs_kernel_backend.js'), 'exports.NodeJSKernelBackend = class {}')
    await writeFile(join(root, 'dist/register_all_kernels.js'), '')
    await writeFile(join(root, 'lib/napi-v8/tfjs_binding.node'), 'no library')
  }

  const SETUP = 'run npm run setup:tensorflow in a clone of the repository'

  it('not installed: what to run', async () => {
    expect(await failure()).to.equal(`the engine tensorflow is not installed: ${SETUP}`)
  })

  it('without its native part: what to run', async () => {
    await mkdir(root, { recursive: true })
    await writeFile(join(root, 'package.json'), '{}')
    expect(await failure()).to.equal(
      `the engine tensorflow is broken: ${root} has no native part: ${SETUP}, or npm rebuild there`
    )
  })

  it('a native part that does not load: why, and what to run', async () => {
    await breakIt()
    const message = await failure()
    expect(message.startsWith(`the engine tensorflow is broken: ${root} does not load (`), message).to.equal(true)
    expect(message).to.match(/\(.*(invalid ELF header|file too short).*\): /)
    expect(message.endsWith(`: ${SETUP} again`), message).to.equal(true)
  })

  it('the probe answers with the same sentence from its own process', async () => {
    await breakIt()
    const answer = await probeTensorflow(findTensorflow())
    expect(answer).to.be.a('string').that.matches(/^broken: .* does not load/)
  })

  it('looks where CONSILIUM_TENSORFLOW says, else in the user\'s data folder', () => {
    expect(tensorflowFolder({ CONSILIUM_TENSORFLOW: '/a' })).to.equal('/a')
    expect(tensorflowFolder({ XDG_DATA_HOME: '/data' })).to.equal('/data/consilium/tensorflow')
  })
})
