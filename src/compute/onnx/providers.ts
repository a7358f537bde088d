/** Execution providers of ONNX Runtime: which are there, which pass a self-test, and which is fastest. */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { delimiter, dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fullPrecision } from '../../common/full-precision.ts'

/** `cpu` is always there and comes last. */
export const providers = ['cuda', 'webgpu', 'cpu'] as const
export type Provider = typeof providers[number]

/** What the self-test said; `gflops` is its speed in 10⁹ operations per second. */
export type ProviderTest = { readonly provider: Provider } & (
  | { readonly works: true, readonly gflops: number }
  | { readonly works: false, readonly reason: string })

export interface ProviderChoice {
  readonly provider: Provider
  /** Why this one, and why not each of the others. */
  readonly reason: string
}

type Test = (provider: Provider) => Promise<ProviderTest>

export interface SelfTestOptions {
  readonly threads: number
  /** After which the test counts as failed. */
  readonly timeoutMs?: number
}

const TEST_MS = 20_000
/** Characters of a driver's complaints that are kept. */
const MOST_SAID = 10_000
/** How ONNX Runtime ends its message when a provider's library, or one that it needs, is missing. */
const NOT_LOADED = 'Failed to load shared library'

/** Tests a provider unless it is plainly absent. */
export async function testProvider (provider: Provider, options: SelfTestOptions): Promise<ProviderTest> {
  const reason = missing(provider)
  return reason === undefined ? await selfTest(provider, options) : { provider, works: false, reason }
}

/** Runs the known numbers and the stop-watch of self-test-worker.ts in a process of its own: a driver that crashes takes only that down. */
export async function selfTest (provider: Provider, { threads, timeoutMs = TEST_MS }: SelfTestOptions): Promise<ProviderTest> {
  const worker = fileURLToPath(new URL(`./self-test-worker${extname(import.meta.filename)}`, import.meta.url))
  const child = fork(worker, [provider, String(threads)], { env: fullPrecision(process.env), stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (part: string) => { said = (said + part).slice(-MOST_SAID) })
  const closed = once(child, 'close').catch(() => {})
  const answer = await verdict(child, timeoutMs)
  child.kill('SIGKILL')
  if (typeof answer === 'number') return { provider, works: true, gflops: answer }
  if (!answer.endsWith(NOT_LOADED)) return { provider, works: false, reason: answer }
  await closed
  return { provider, works: false, reason: whyNotLoaded(said) ?? answer }
}

/** ONNX Runtime tells the loader's reason only on stderr, such as which of CUDA's libraries is missing. */
function whyNotLoaded (said: string): string | undefined {
  const reason = /Failed to load library .* with error: (.*)/.exec(said)?.[1]
  return reason === undefined ? undefined : `its libraries do not load: ${reason.replaceAll(/\S*\//g, '')}`
}

/** GFLOP/s, or why there are none. */
async function verdict (child: ChildProcess, timeoutMs: number): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>()
  const timer = setTimeout(() => { resolve(`its self-test did not end within ${timeoutMs / 1_000} s`) }, timeoutMs)
  child.once('message', (answer: number | string) => { resolve(typeof answer === 'number' ? answer : plain(answer)) })
  child.once('error', (error) => { resolve(`its self-test could not be started: ${error.message}`) })
  child.once('exit', (code, signal) => { resolve(`its self-test ended with ${signal ?? `exit code ${code}`}`) })
  try {
    return await promise
  } finally {
    clearTimeout(timer)
  }
}

/** ONNX Runtime's errors begin with a source file and a condition. */
function plain (message: string): string {
  return (message.split(' was false. ').at(-1) ?? message).split('\n', 1)[0]?.slice(0, 200) ?? message
}

/** The fastest provider that passes; the CPU untested where nothing else does. */
export async function chooseProvider (test: Test): Promise<ProviderChoice> {
  const tests: ProviderTest[] = []
  for (const provider of providers) {
    if (provider !== 'cpu' || tests.some(({ works }) => works)) tests.push(await test(provider))
  }
  const working = tests.filter((each) => each.works).sort((a, b) => b.gflops - a.gflops)
  const [best] = working
  const others = tests.filter((each) => each !== best).map((each) =>
    `${each.provider} passed over: ${each.works ? `slower, ${round(each.gflops)} GFLOP/s` : each.reason}`
  )
  if (best === undefined) return { provider: 'cpu', reason: others.join('; ') }
  return { provider: best.provider, reason: [`fastest in the self-test, ${round(best.gflops)} GFLOP/s`, ...others].join('; ') }
}

function round (gflops: number): string {
  return gflops < 10 ? gflops.toFixed(1) : gflops.toFixed(0)
}

/** Why a provider cannot be there, as far as files tell. */
function missing (provider: Provider): string | undefined {
  if (provider === 'cuda' && !existsSync(join(libraries(), 'libonnxruntime_providers_cuda.so'))) return 'its libraries are not installed'
  if (provider === 'webgpu' && process.platform === 'linux' && !hasVulkanDriver(process.env)) return 'no Vulkan driver is installed'
  return undefined
}

/** The folder in which ONNX Runtime has its native parts. */
function libraries (): string {
  const root = dirname(createRequire(import.meta.url).resolve('#onnxruntime/package.json'))
  return join(root, 'bin', 'napi-v6', process.platform, process.arch)
}

/** Whether the Vulkan loader would find a driver's manifest (its documented search path). */
export function hasVulkanDriver (env: NodeJS.ProcessEnv): boolean {
  const named = env['VK_DRIVER_FILES'] ?? env['VK_ICD_FILENAMES']
  if (named !== undefined && named !== '') return named.split(delimiter).some((path) => existsSync(path))
  const added = env['VK_ADD_DRIVER_FILES']?.split(delimiter).some((path) => existsSync(path)) ?? false
  return added || manifestFolders(env).some(hasManifest)
}

function manifestFolders (env: NodeJS.ProcessEnv): string[] {
  const list = (value: string | undefined, otherwise: string): string[] =>
    (value === undefined || value === '' ? otherwise : value).split(delimiter)
  const home = homedir()
  const roots = [
    ...list(env['XDG_CONFIG_HOME'], join(home, '.config')), ...list(env['XDG_CONFIG_DIRS'], '/etc/xdg'), '/etc',
    ...list(env['XDG_DATA_HOME'], join(home, '.local/share')), ...list(env['XDG_DATA_DIRS'], '/usr/local/share:/usr/share')
  ]
  return roots.map((root) => join(root, 'vulkan/icd.d'))
}

function hasManifest (folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => name.endsWith('.json'))
  } catch {
    return false
  }
}
