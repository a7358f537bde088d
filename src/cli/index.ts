#!/usr/bin/env node
import { setMaxListeners } from 'node:events'
import { hideBin } from 'yargs/helpers'
import { messageOf } from '../common/message-of.ts'
import { printable } from '../common/printable.ts'
import { CorruptFileError, InputError, SchemaError, UsageError } from '../errors.ts'
import { runUnderInstalledNode } from './newer-node.ts'
import { printError, warn } from './output.ts'
import { program } from './program.ts'
import { describeSystemError, isSystemError } from './system-error.ts'

const OLDEST_NODE = 22
const EXPECTED = [InputError, SchemaError, CorruptFileError]

async function main (args: string[]): Promise<number> {
  setMaxListeners(64)
  try {
    if (Number.parseInt(process.versions.node) < OLDEST_NODE) {
      const code = await runUnderInstalledNode()
      if (code !== undefined) return code
      throw new InputError(
        `Node ${OLDEST_NODE} or newer is needed, and this is ${process.versions.node}: install a newer Node, or install this package ` +
          'without --omit=optional, which brings one'
      )
    }
    await program(args).parseAsync()
    return typeof process.exitCode === 'number' ? process.exitCode : 0
  } catch (error) {
    return report(error, args.some((arg) => arg === '--json' || arg === '--json=true'))
  }
}

function report (error: unknown, json = false): number {
  const say = (sentence: string): void => {
    warn(sentence)
    if (json) printError(sentence)
  }
  if (error instanceof UsageError) {
    say(error.message)
    return 2
  }
  if (isSystemError(error) || EXPECTED.some((kind) => error instanceof kind)) {
    say(isSystemError(error) ? describeSystemError(error) : (error as Error).message)
    return 1
  }
  if (json) printError(`unexpected failure: ${messageOf(error)}`)
  warn(`unexpected failure: ${messageOf(error)} (CONSILIUM_DEBUG=1 shows where)`)
  if (process.env['CONSILIUM_DEBUG'] === '1') process.stderr.write(`${printable(error instanceof Error ? error.stack ?? '' : '')}\n`)
  return 1
}

// A reader that has seen enough (`| head`) is no failure; a full disk below `> file` is.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : report(Object.assign(error, { path: 'the output' })))
})
process.stderr.on('error', () => { /* nobody is left to tell */ })
process.exitCode = await main(hideBin(process.argv))
