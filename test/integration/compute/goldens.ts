import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const TIMEOUT_MS = 240_000

export interface GoldenResult { readonly passes: string[], readonly failures: ReadonlyArray<{ title: string, message: string }> }

interface MochaReport {
  passes: Array<{ title: string }>
  failures: Array<{ title: string, err: { message?: string } }>
}

const OF_PROVIDERS = 'gives the global and the personal model|phase G|phase L|agrees in every stored value|gives masks and IoU'

/**
 * Runs the five goldens that end in one graph on an execution provider, within `slack` times the tolerances of
 * docs/spec/sam.md#tolerances.
 */
export async function runProviderGoldens (provider: string, slack: number, env: NodeJS.ProcessEnv = {}): Promise<GoldenResult> {
  return await runGoldens(['extension', 'sam/gradients', 'sam/decoder'], OF_PROVIDERS, {
    ...env,
    CONSILIUM_TEST_PROVIDER: provider,
    CONSILIUM_TEST_SLACK: String(slack)
  })
}

/** Runs specs of test/unit/model. */
export async function runGoldens (specs: readonly string[], pattern: string, env: NodeJS.ProcessEnv): Promise<GoldenResult> {
  return await runSpecs(specs.map((name) => `model/${name}`), pattern, env)
}

/** Runs specs of test/unit in a process of their own: their environment counts from its start, and a driver may crash. */
export async function runSpecs (specs: readonly string[], pattern: string, env: NodeJS.ProcessEnv): Promise<GoldenResult> {
  const files = specs.map((name) => `test/unit/${name}.spec.ts`)
  // mocha passes over what is not there.
  for (const file of files) await access(join(ROOT, file))
  const args = [
    ...files,
    '--grep',
    pattern,
    '--reporter',
    'json',
    '--timeout',
    String(TIMEOUT_MS)
  ]
  const { NODE_V8_COVERAGE: _, ...inherited } = process.env
  const { stdout } = await run(process.execPath, ['--import=tsx', 'node_modules/mocha/bin/mocha.js', ...args], {
    cwd: ROOT,
    env: { ...inherited, ...env },
    timeout: TIMEOUT_MS,
    maxBuffer: 16e6
  })
    .catch((error: unknown) => {
      const { stdout: said = '', stderr = '' } = error as { stdout?: string, stderr?: string }
      if (said.includes('"stats"')) return { stdout: said }
      throw new Error(`the specs did not run to their end: ${stderr.slice(-500)}`)
    })
  // Libraries may write before the report, too.
  const report = JSON.parse(stdout.slice(stdout.indexOf('{\n  "stats"'))) as MochaReport
  return {
    passes: report.passes.map(({ title }) => title),
    failures: report.failures.map(({ title, err }) => ({ title, message: err.message ?? '' }))
  }
}
