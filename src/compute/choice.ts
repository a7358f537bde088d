/** Which engine and provider run here, and why. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError } from '../errors.ts'
import { chooseProvider, providers, testProvider } from './onnx/providers.ts'
import type { Provider, ProviderTest } from './onnx/providers.ts'
import { findTensorflow } from './tensorflow-location.ts'
import type { TensorflowLocation } from './tensorflow-location.ts'
import { engineNames } from './types.ts'
import type { EngineChoice, EngineOptions } from './types.ts'

/** TensorFlow as its probe saw it, or why it cannot be used. */
export type TensorflowProbe = string | { readonly version: string, readonly gpu: boolean }

/** How to find out what is there; replaced in tests. */
export interface Probes {
  readonly provider: (provider: Provider) => Promise<ProviderTest>
  /** Answers without loading anything where no NVIDIA device is there. */
  readonly tensorflow: () => Promise<TensorflowProbe>
}

/** The real probes, for `threads` CPU threads. */
export function probesFor (threads: number): Probes {
  return {
    provider: async (provider) => await testProvider(provider, { threads }),
    tensorflow: async () => hasNvidiaDevice() ? await probeTensorflow(findTensorflow()) : 'no NVIDIA device'
  }
}

/** @throws InputError for a name that is not known and for a provider that does not work here. */
export async function chooseEngine ({ name = 'auto', provider = 'auto' }: EngineOptions, probes: Probes): Promise<EngineChoice> {
  check('engine', name, engineNames)
  check('provider', provider, providers)
  if (name === 'onnx') return { name, ...await chooseForOnnx(provider, probes) }
  if (name !== 'auto') {
    if (provider !== 'auto') {
      throw new InputError(`the provider ${provider} is for the engine onnx, not for ${name}: leave one of the two out`)
    }
    return { name, provider: 'cpu', reason: 'named in the settings' }
  }
  if (provider !== 'auto') return { name: 'onnx', ...await chooseForOnnx(provider, probes) }
  return await chooseAny(probes)
}

async function chooseAny (probes: Probes): Promise<EngineChoice> {
  const tensorflow = await probes.tensorflow()
  if (typeof tensorflow !== 'string' && tensorflow.gpu) {
    return { name: 'tensorflow', provider: 'cuda', reason: `TensorFlow ${tensorflow.version} sees a CUDA device` }
  }
  const why = typeof tensorflow === 'string' ? tensorflow : `TensorFlow ${tensorflow.version} sees no CUDA device`
  const { provider, reason } = await chooseForOnnx('auto', probes)
  return { name: 'onnx', provider, reason: `${reason}; tensorflow passed over: ${why}` }
}

async function chooseForOnnx (provider: 'auto' | Provider, probes: Probes): Promise<Omit<EngineChoice, 'name'>> {
  if (provider === 'auto') return await chooseProvider(probes.provider)
  if (provider !== 'cpu') {
    const test = await probes.provider(provider)
    if (!test.works) {
      throw new InputError(`the provider ${provider} does not work here (${test.reason}): use --provider auto, or see consilium doctor`)
    }
  }
  return { provider, reason: 'named in the settings' }
}

function check (what: string, given: string, known: readonly string[]): void {
  if (given !== 'auto' && !known.includes(given)) {
    throw new InputError(`unknown ${what} ${given}: use auto, ${known.slice(0, -1).join(', ')} or ${known.at(-1)}`)
  }
}

/** A device node of the driver, or of its stand-in under Windows. */
function hasNvidiaDevice (): boolean {
  return ['/dev/nvidiactl', '/dev/dxg'].some((path) => existsSync(path))
}

const PROBE_MS = 60_000

/** Loads TensorFlow in a process of its own, which costs seconds and 400 MB, and may crash. */
export async function probeTensorflow (location: TensorflowLocation | string): Promise<TensorflowProbe> {
  if (typeof location === 'string') return location
  const worker = fileURLToPath(new URL(`./tensorflow-probe-worker${extname(import.meta.filename)}`, import.meta.url))
  const child = fork(worker, [location.root, location.binding], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    timeout: PROBE_MS,
    killSignal: 'SIGKILL'
  })
  const ended = once(child, 'exit').then(([code, signal]) => `its test ended with ${String(signal ?? `exit code ${code}`)}`)
  const answer = await Promise.race([once(child, 'message').then(([message]) => message as TensorflowProbe), ended])
  child.kill('SIGKILL')
  return answer
}
