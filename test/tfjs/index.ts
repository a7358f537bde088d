/** `npm run test:tfjs [-- --filter TEXT | --write]`: tfjs-core's own backend tests on the onnx backend. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { page, summary, surprises } from './report.ts'
import type { KnownFailure } from './report.ts'
import type * as Suite from './suite.ts'

const root = join(import.meta.dirname, '../..')
const doc = join(root, 'docs/engine-conformance.md')
const core = createRequire(import.meta.url).resolve('@tensorflow/tfjs-core/package.json')
const { values: { filter, write } } = parseArgs({
  options: { filter: { type: 'string', default: '' }, write: { type: 'boolean', default: false } }
})
if (write && filter !== '') throw new Error('--write needs all tests: leave --filter out')

const file = await bundle()
const { runSuite, kernelsByPlace } = await import(pathToFileURL(file).href) as typeof Suite
await rm(file)
const known = JSON.parse(await readFile(join(import.meta.dirname, 'known-failures.json'), 'utf8')) as KnownFailure[]
const results = await runSuite(filter)
const lines = surprises(results, known, filter === '')
if (filter === '') lines.push(...await keepPage())
for (const line of lines) process.stdout.write(`${line}\n`)
process.stdout.write(`${summary(results)}\n`)
process.exitCode = lines.length > 0 || results.length === 0 ? 1 : 0

/** Writes the page, or says that it is out of date. */
async function keepPage (): Promise<string[]> {
  const { version } = JSON.parse(await readFile(core, 'utf8')) as { version: string }
  const text = page(version, results, known, kernelsByPlace())
  if (write) await writeFile(doc, text)
  const current = await readFile(doc, 'utf8').catch(() => '')
  return current === text ? [] : ['docs/engine-conformance.md is out of date: run npm run test:tfjs -- --write']
}

/** One instance of tfjs-core: its tests are extensionless ESM, which Node does not load, and must share their engine with the backend. */
async function bundle (): Promise<string> {
  // Not in build/, which is published; inside the project, where its packages and #onnxruntime are found.
  const outfile = join(root, `out/tfjs-suite-${process.pid}.mjs`)
  await build({
    entryPoints: [join(import.meta.dirname, 'suite.ts')],
    outfile,
    bundle: true,
    // The package says that its tests have no side effects.
    ignoreAnnotations: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    alias: { '#tfjs-gradients': join(dirname(core), 'dist/register_all_gradients.js') },
    external: ['onnxruntime-common', '#onnxruntime/*', 'jasmine-core', 'node-fetch'],
    banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" },
    logLevel: 'warning'
  })
  return outfile
}
