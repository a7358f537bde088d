/** Many hospitals on one machine (docs/spec/network.md#testnet): `npm run testnet -- --help`. */
import { hideBin } from 'yargs/helpers'
import { messageOf } from '../../src/common/message-of.ts'
import { CorruptFileError, InputError, SchemaError, TimeoutError, UsageError } from '../../src/errors.ts'
import { Children } from './hospitals/children.ts'
import { parseOptions, type TestnetOptions } from './options.ts'
import type { ReportCheck } from './report/report.ts'
import { runTestnet } from './run.ts'

const EXPECTED = [InputError, SchemaError, CorruptFileError, TimeoutError]
const INTERRUPTED = 130

async function main (args: string[]): Promise<number> {
  const children = new Children()
  const interrupt = new AbortController()
  const onSignal = (): void => {
    if (interrupt.signal.aborted) process.exit(INTERRUPTED)
    interrupt.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    const options = await parseOptions(args)
    if (options == null) return 0
    children.environment = engineEnvironment(options)
    const { report, reportJson, reportHtml } = await runTestnet(options, children, interrupt.signal)
    const write = options.json ? process.stderr : process.stdout
    write.write(`${describeChecks(report.checks)}\nreport: ${reportJson}\n        ${reportHtml}\n`)
    if (options.json) process.stdout.write(JSON.stringify(report) + '\n')
    return report.checks.every(({ ok, kind }) => ok || kind === 'measure') ? 0 : 1
  } catch (error) {
    return interrupt.signal.aborted ? INTERRUPTED : explain(error)
  } finally {
    children.killAll()
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}

/** A named engine is for every hospital, evaluation and picture; otherwise the caller's own environment decides. */
function engineEnvironment ({ engine, provider }: TestnetOptions): Record<string, string> {
  return { ...(engine === 'auto' ? {} : { CONSILIUM_ENGINE: engine }), ...(provider === 'auto' ? {} : { CONSILIUM_PROVIDER: provider }) }
}

function describeChecks (checks: readonly ReportCheck[]): string {
  return checks.map(({ name, ok, detail, kind }) => `${ok ? 'holds ' : kind === 'measure' ? 'missed' : 'FAILS '}  ${name}: ${detail}`).join(
    '\n'
  )
}

function explain (error: unknown): number {
  const message = messageOf(error)
  if (error instanceof UsageError || EXPECTED.some((kind) => error instanceof kind)) {
    process.stderr.write(`testnet: ${message}\n`)
    return error instanceof UsageError ? 2 : 1
  }
  process.stderr.write(`testnet: unexpected failure: ${message} (CONSILIUM_DEBUG=1 shows where)\n`)
  if (process.env['CONSILIUM_DEBUG'] === '1' && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  return 1
}

process.exitCode = await main(hideBin(process.argv))
