import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const SAMPLE = join(ROOT, 'samples/colin27/hospital-a')
/** Kinds of typedoc. */
const CLASS = 128
const FUNCTION = 64

interface Tag { readonly tag: string, readonly content: readonly { readonly text: string }[] }
interface Comment { readonly blockTags?: readonly Tag[] }
interface Item {
  readonly id: number
  readonly name: string
  readonly kind: number
  readonly comment?: Comment
  readonly signatures?: readonly { readonly comment?: Comment }[]
}

interface Example { readonly name: string, readonly code: string }

const run = promisify(execFile)

/** Every id that anything inside points to. */
function targets (value: unknown): number[] {
  if (typeof value !== 'object' || value == null) return []
  const { target } = value as { target?: unknown }
  return [...typeof target === 'number' ? [target] : [], ...Object.values(value).flatMap(targets)]
}

function examplesOf ({ name, comment, signatures = [] }: Item): Example[] {
  const tags = [comment, ...signatures.map((each) => each.comment)].flatMap((each) => each?.blockTags ?? [])
  return tags.filter(({ tag }) => tag === '@example').map(({ content }) => ({
    name,
    code: /^```ts\n(.*)\n```$/s.exec(content.map(({ text }) => text).join('').trim())?.[1] ?? ''
  }))
}

/** What `console.log(…) // this` says that it prints. */
function promised (code: string): string[] {
  return [...code.matchAll(/^ *console\.log\(.*\) \/\/ (.*)$/gm)].map(([, text]) => text!)
}

// Each in a folder of its own, one after the other; imports take a second, so all in one process.
const RUNNER = `
const printed = {}
for (const name of process.argv.slice(2)) {
  process.chdir(new URL(name, import.meta.url).pathname)
  const lines = printed[name] = []
  console.log = (...values) => { lines.push(values.join(' ')) }
  await import(\`./\${name}/index.js\`).catch((error) => { lines.push('failed: ' + error.stack) })
}
process.stdout.write(JSON.stringify(printed), () => process.exit(0))
`

/**
 * Functions and classes have an example each, which compiles against the built package and runs, in a folder with a slice and a few
 * images, and prints what it says. A type needs none: it must be what one of these takes or gives, or stand in an
 * example.
 */
describe('the public API', function () {
  this.timeout(180_000)
  let folder: string
  let items: readonly Item[]
  let examples: readonly Example[]

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    const typedoc = join(ROOT, 'node_modules/typedoc/bin/typedoc')
    // A warning of typedoc is a failure, as in docs:api.
    await run(process.execPath, [typedoc, '--json', join(folder, 'api.json'), '--out', join(folder, 'api')], { cwd: ROOT })
    items = (JSON.parse(await readFile(join(folder, 'api.json'), 'utf8')) as { children: Item[] }).children
    examples = items.flatMap(examplesOf)
  })
  after(async () => { await rm(folder, { recursive: true }) })

  it('has an example of every function and class', () => {
    const values = items.filter(({ kind }) => kind === CLASS || kind === FUNCTION)
    expect(values).to.have.length.above(20)
    expect(values.filter((item) => examplesOf(item).length === 0).map(({ name }) => name), 'without @example').to.deep.equal([])
    expect(examples.filter(({ name, code }) => !code.includes(name)).map(({ name }) => name), 'examples without it').to.deep.equal([])
  })

  it('exports no type that nothing takes or gives', () => {
    const values = items.filter(({ kind }) => kind === CLASS || kind === FUNCTION)
    const reached = new Set(values.map(({ id }) => id))
    for (let before = 0; before < reached.size;) {
      before = reached.size
      for (const item of items) if (reached.has(item.id)) targets(item).forEach((id) => reached.add(id))
    }
    const shown = ({ name }: Item): boolean => examples.some(({ code }) => new RegExp(`\\b${name}\\b`).test(code))
    expect(items.filter((item) => !reached.has(item.id) && !shown(item)).map(({ name }) => name)).to.deep.equal([])
  })

  it('runs its examples, which print what they say', async () => {
    await mkdir(join(folder, 'node_modules'))
    await symlink(ROOT, join(folder, 'node_modules/consilium'))
    const names = examples.map(({ name }) => name)
    for (const { name, code } of examples) {
      await mkdir(join(folder, name, 'data'), { recursive: true })
      await writeFile(join(folder, name, 'index.ts'), code)
      await cp(join(SAMPLE, 'images/colin27_080.png'), join(folder, name, 'slice.png'))
      for (const slice of ['065', '074', '080', '089']) {
        for (const kind of ['images', 'masks']) {
          await cp(join(SAMPLE, kind, `colin27_${slice}.png`), join(folder, name, 'data', kind, `${slice}.png`))
        }
      }
    }
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
    await writeFile(join(folder, 'run.js'), RUNNER)
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({
      extends: join(ROOT, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        allowImportingTsExtensions: false,
        types: ['node'],
        typeRoots: [join(ROOT, 'node_modules/@types')]
      },
      include: ['*/index.ts']
    }))
    await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', folder]).catch((error: { stdout: string }) => {
      throw new Error(`an example does not compile: ${error.stdout}`)
    })
    const { stdout } = await run(process.execPath, [join(folder, 'run.js'), ...names])
    const wanted = Object.fromEntries(examples.map(({ name, code }) => [name, promised(code)]))
    expect(JSON.parse(stdout)).to.deep.equal(wanted)
  })
})
