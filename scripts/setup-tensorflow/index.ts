/** npm run setup:tensorflow: builds tfjs-node 4.22 against the libtensorflow of a TensorFlow wheel (docs/engines.md). */
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import { usageMessage, withFlags } from '../../src/cli/flags.ts'
import { messageOf } from '../../src/common/message-of.ts'
import { probeTensorflow } from '../../src/compute/choice.ts'
import { tensorflowFolder } from '../../src/compute/tensorflow-location.ts'
import { InputError, UsageError } from '../../src/errors.ts'
import { install } from './install.ts'
import { findInstalled } from './installed.ts'
import { fetchPackages } from './packages.ts'
import { missingPrerequisites } from './prerequisites.ts'
import type { TensorflowSource } from './source.ts'
import { openWheel } from './wheel.ts'

const flags = {
  wheel: {
    type: 'string',
    describe: 'file of a Linux wheel of tensorflow-cpu or tensorflow (CUDA), 2.14 or newer; its libraries are copied'
  },
  python: { type: 'string', describe: 'a Python that has TensorFlow; its libraries are used where they are' },
  out: { type: 'string', describe: 'folder to install into; the engine looks where CONSILIUM_TENSORFLOW says', default: tensorflowFolder() }
} as const

async function main (args: string[]): Promise<void> {
  const parser = withFlags(yargs(args), flags)
    .scriptName('npm run setup:tensorflow --')
    .usage('$0 --wheel FILE | --python PYTHON: builds the engine tensorflow')
    .version(false)
    .strict()
    .exitProcess(false)
    .wrap(null)
    .fail((message, error: Error | undefined) => { throw error ?? new UsageError(usageMessage(message, args)) })
  const { wheel, python, out, help } = await parser.parseAsync() as { wheel?: string, python?: string, out: string, help?: boolean }
  if (help === true) return
  const source = sourceOf(wheel, python)
  const compiler = process.env['CXX'] ?? 'g++'
  const missing = await missingPrerequisites({ compiler })
  if (missing.length > 0) throw new InputError(missing.join('; '))
  const { version, gpu } = await install({
    source: await source(),
    folder: out,
    compiler,
    fetchPackages,
    probe: probeTensorflow,
    say: (line) => {
      process.stdout.write(`${line}\n`)
    }
  })
  const use = out === tensorflowFolder() ? 'CONSILIUM_ENGINE=tensorflow' : `CONSILIUM_TENSORFLOW=${out} CONSILIUM_ENGINE=tensorflow`
  process.stdout.write(
    `TensorFlow ${version} is in ${out}, ${
      gpu ? 'and sees a CUDA device' : 'and sees no CUDA device: it computes on the CPU'
    }; use it with ${use} or --engine tensorflow\n`
  )
}

function sourceOf (wheel: string | undefined, python: string | undefined): () => Promise<TensorflowSource> {
  if (wheel !== undefined && python === undefined) return async () => await openWheel(wheel)
  if (python !== undefined && wheel === undefined) return async () => await findInstalled(python)
  throw new UsageError('give either --wheel FILE or --python PYTHON')
}

try {
  await main(hideBin(process.argv))
} catch (error) {
  process.stderr.write(`setup-tensorflow: ${messageOf(error)}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
