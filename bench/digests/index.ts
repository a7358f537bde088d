/**
 * `npm run digests`: what every method and a daemon's rounds train to, as digests. `-- --check FILE` compares with the digests of
 * before a change; rounding differs between processors, so both must come from one machine.
 */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { sayHelp } from '../../scripts/say-help.ts'
import { METHODS } from '../../src/experiment/methods.ts'
import { daemonDigests } from './daemon.ts'
import { methodDigests } from './methods.ts'

const DATA = ['fundus-phantom', 'prostate-phantom'] as const

type Digests = Record<string, unknown>

async function main (): Promise<number> {
  const { values: { check, only } } = parseArgs({ options: { check: { type: 'string' }, only: { type: 'string' } } })
  const found: Digests = {}
  const keep = (name: string, digests: unknown): void => {
    found[name] = digests
    process.stderr.write(`${name}\n`)
  }
  for (const { name } of METHODS) {
    if (only == null || only === name) for (const data of DATA) keep(`${data} ${name}`, await methodDigests(name, data))
  }
  if (only == null || only === 'daemon') keep('daemon', await daemonDigests())
  if (check == null) {
    process.stdout.write(JSON.stringify(found, undefined, 1) + '\n')
    return 0
  }
  return compare(found, JSON.parse(await readFile(check, 'utf8')) as Digests)
}

function compare (found: Digests, before: Digests): number {
  const names = Object.keys(found)
  const changed = names.filter((name) => JSON.stringify(found[name]) !== JSON.stringify(before[name]))
  const missing = Object.keys(before).filter((name) => !(name in found))
  process.stdout.write([
    ...changed.map((name) => `changed: ${name}\n  was ${JSON.stringify(before[name])}\n  is  ${JSON.stringify(found[name])}\n`),
    `${names.length - changed.length} of ${names.length} digests are as before${
      missing.length > 0 ? `; ${missing.length} were not made` : ''
    }\n`
  ].join(''))
  return changed.length === 0 ? 0 : 1
}

sayHelp(`npm run digests -- [--check FILE] [--only METHOD|daemon]
What every method and a daemon's rounds train to, as digests; --check compares with those of before a change, of the same machine.
`)

process.exitCode = await main()
